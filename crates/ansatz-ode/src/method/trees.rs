//! Rooted trees, which index the order conditions of Runge–Kutta methods.

/// A rooted tree: the trees on its root, by their numbers, which do not increase.
pub(super) struct Tree {
    pub(super) order: u32,
    pub(super) density: f64,
    children: Vec<usize>,
}

/// All rooted trees with at most `order` vertices, smaller ones first.
pub(super) fn trees(order: u32) -> Vec<Tree> {
    let mut all = vec![Tree { order: 1, density: 1.0, children: Vec::new() }];
    for n in 2..=order {
        let mut found = Vec::new();
        forests(&all, n - 1, all.len() - 1, &mut Vec::new(), &mut found);
        let made = found.into_iter().map(|children| {
            let density = children.iter().map(|c| all[*c].density).product::<f64>() * f64::from(n);
            Tree { order: n, density, children }
        });
        let made: Vec<Tree> = made.collect();
        all.extend(made);
    }
    all
}

/// Adds to `found` the ways to add trees numbered at most `largest` with `left` vertices to `chosen`.
fn forests(
    all: &[Tree],
    left: u32,
    largest: usize,
    chosen: &mut Vec<usize>,
    found: &mut Vec<Vec<usize>>,
) {
    if left == 0 {
        found.push(chosen.clone());
        return;
    }
    for number in (0..=largest).filter(|number| all[*number].order <= left) {
        chosen.push(number);
        forests(all, left - all[number].order, number, chosen, found);
        chosen.pop();
    }
}

/// The elementary weights of the stages for each tree, `Φᵢ(t) = Πₖ Σⱼ aᵢⱼ Φⱼ(tₖ)` over the trees on
/// the root: weights `b` are of order p where `Σ bᵢ Φᵢ(t) = 1 / γ(t)` for all trees with at most p
/// vertices (J. C. Butcher 1963; E. Hairer, S. Nørsett, G. Wanner, *Solving ODEs I*, theorem II.2.13).
pub(super) fn elementary_weights(trees: &[Tree], a: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let mut of_stages: Vec<Vec<f64>> = Vec::new();
    let mut through_a: Vec<Vec<f64>> = Vec::new();
    for tree in trees {
        let phi: Vec<f64> = (0..a.len())
            .map(|i| tree.children.iter().map(|c| through_a[*c][i]).product())
            .collect();
        let inner =
            a.iter().map(|row| row.iter().zip(&phi).map(|(a, p)| a * p).sum::<f64>()).collect();
        through_a.push(inner);
        of_stages.push(phi);
    }
    of_stages
}

#[test]
fn there_are_as_many_trees_as_there_should_be() {
    let all = trees(10);
    // Sequence A000081 of the On-Line Encyclopedia of Integer Sequences.
    for (n, count) in (1..).zip([1, 1, 2, 4, 9, 20, 48, 115, 286, 719]) {
        assert_eq!(all.iter().filter(|t| t.order == n).count(), count, "trees with {n} vertices");
    }
    // The densities of table II.2.2 of Hairer, Nørsett and Wanner up to order 4.
    let mut densities: Vec<f64> = all.iter().filter(|t| t.order == 4).map(|t| t.density).collect();
    densities.sort_by(f64::total_cmp);
    assert_eq!(densities, [4.0, 8.0, 12.0, 24.0]);
}
