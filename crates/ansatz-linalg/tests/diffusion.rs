//! The elliptic operator: order, symmetry, its matrix, errors.
#![allow(clippy::unwrap_used, dead_code, reason = "tests; helpers are shared with other files")]

mod common;
#[path = "common/elliptic.rs"]
mod elliptic;

use ansatz_linalg::{
    Boundary, Diffusion, End, Error, Factorised, Field, LinearOperator, SparseLu, Vector,
};
use common::{distance, wave};
use elliptic::{DN, ND, problem, solution};

const D: Boundary = Boundary::DIRICHLET;
const N: Boundary = Boundary::NEUMANN;
const P: Boundary = Boundary::Periodic;

/// Largest error of the solution on `n` cells along each axis.
fn error(n: usize, boundaries: &[Boundary], swing: f64, reaction: f64) -> f64 {
    let points = vec![n; boundaries.len()];
    let (a, f) = problem(&points, boundaries, swing, reaction).unwrap();
    let u = SparseLu::new(&a.to_sparse().unwrap()).unwrap().solve(&f).unwrap();
    distance(&u, &a.cells(solution))
}

#[test]
fn second_order_for_every_boundary_in_one_two_and_three_dimensions() {
    let two: [&[Boundary]; 7] = [&[D, D], &[D, N], &[N, D], &[P, D], &[DN, ND], &[ND, P], &[DN, N]];
    let one: [&[Boundary]; 4] = [&[D], &[DN], &[ND], &[P]];
    let three: [&[Boundary]; 3] = [&[D, D, D], &[DN, P, ND], &[N, D, P]];
    for (coarse, list) in [(24, &one[..]), (24, &two[..]), (8, &three[..])] {
        for boundaries in list {
            for (swing, reaction) in [(0.0, 0.5), (0.4, 0.5)] {
                let ratio = error(coarse, boundaries, swing, reaction)
                    / error(2 * coarse, boundaries, swing, reaction);
                assert!((3.3..4.9).contains(&ratio), "{boundaries:?} {swing}: {ratio}");
            }
        }
    }
}

#[test]
fn the_matrix_acts_as_the_operator_and_is_symmetric() {
    let grids: [&[usize]; 9] =
        [&[1], &[2], &[9], &[5, 7], &[1, 6], &[2, 2], &[4, 3, 5], &[3, 1, 2], &[2, 9, 1]];
    for points in grids {
        let count: usize = points.iter().product();
        for ends in [D, N, P, DN] {
            let mut boundaries = vec![ends; points.len()];
            boundaries[0] = if ends == P { D } else { P };
            let spacing: Vec<f64> = (0..points.len()).map(|a| 0.1 + 0.2 * a as f64).collect();
            let k: Vec<f64> = wave(count, 0.3).iter().map(|x| (2.0 * x).exp()).collect();
            let c: Vec<f64> = wave(count, 1.3).iter().map(|x| x * x).collect();
            for (k, c) in [
                (Field::Constant(2.0), Field::Constant(0.7)),
                (Field::Cells(k), Field::Cells(c.clone())),
                (Field::Constant(2.0), Field::Cells(c)),
            ] {
                let a = Diffusion::new(points, &spacing, &boundaries, k, c).unwrap();
                let matrix = a.to_sparse().unwrap();
                assert!(matrix.properties().symmetric, "{points:?} {boundaries:?}");
                let x = wave(count, 2.0);
                let (y, want) = (a.apply(&x).unwrap(), matrix.apply(&x).unwrap());
                assert!(distance(&y, &want) < 1e-9, "{points:?} {boundaries:?}");
                assert!(a.properties().symmetric);
            }
        }
    }
}

#[test]
fn constant_fields_cells_and_faces_are_the_same_operator() {
    for boundaries in [[D, N, P], [P, DN, N]] {
        let (points, spacing) = ([4, 5, 3], [0.2, 0.3, 0.7]);
        let new = |k, c| Diffusion::new(&points, &spacing, &boundaries, k, c).unwrap();
        let faces = vec![vec![3.0; 5 * 5 * 3], vec![3.0; 4 * 6 * 3], vec![3.0; 4 * 5 * 4]];
        let all = [
            new(Field::Constant(3.0), Field::Constant(0.5)),
            new(Field::Cells(vec![3.0; 60]), Field::Constant(0.5)),
            new(Field::Faces(faces), Field::Cells(vec![0.5; 60])),
        ];
        let x = wave(60, 0.1);
        let y = all[0].apply(&x).unwrap();
        for a in &all[1..] {
            assert!(distance(&a.apply(&x).unwrap(), &y) < 1e-11);
        }
        let mut walls = [vec![0.0; 60], vec![0.0; 60], vec![0.0; 60]];
        for (a, f) in all.iter().zip(&mut walls) {
            for axis in (0..3).filter(|axis| boundaries[*axis] != P) {
                a.add_wall(f, axis, End::Upper, |x| 1.0 + x.iter().sum::<f64>()).unwrap();
            }
        }
        assert!(distance(&walls[0], &walls[1]) < 1e-12 && distance(&walls[0], &walls[2]) < 1e-12);
    }
}

#[test]
fn large_grids_are_shared_between_threads_without_a_change_of_bits() {
    let points = [70, 30, 41];
    let count: usize = points.iter().product();
    let k: Vec<f64> = wave(count, 0.3).iter().map(|x| x.exp()).collect();
    for k in [Field::Constant(1.0), Field::Cells(k)] {
        let a = Diffusion::new(&points, &[0.1; 3], &[D, P, N], k, Field::Constant(0.0)).unwrap();
        let x = wave(count, 0.7);
        let with = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| a.apply(&x).unwrap())
        };
        let (one, four) = (with(1), with(4));
        assert!(one.iter().zip(&four).all(|(a, b)| a.to_bits() == b.to_bits()));
        assert!(distance(&one, &a.to_sparse().unwrap().apply(&x).unwrap()) < 1e-9);
    }
}

#[test]
fn definite_unless_nothing_holds_the_constants() {
    let new = |b: [Boundary; 2], c| {
        Diffusion::new(&[6, 4], &[0.5, 0.5], &b, Field::Constant(1.0), c).unwrap()
    };
    for (boundaries, c, singular) in [
        ([D, N], 0.0, false),
        ([DN, P], 0.0, false),
        ([N, P], 0.1, false),
        ([N, P], 0.0, true),
        ([P, P], 0.0, true),
    ] {
        for c in [Field::Constant(c), Field::Cells(vec![c; 24])] {
            let a = new(boundaries, c);
            assert_eq!(a.is_singular(), singular);
            assert_eq!(a.properties().positive_definite, !singular);
            let constant = a.apply(&vec![1.0; 24]).unwrap();
            assert_eq!(constant.norm2().unwrap() < 1e-12, singular);
        }
    }
}

#[test]
fn what_makes_no_sense_is_an_error() {
    let new = |points: &[usize], k, c| {
        Diffusion::new(points, &vec![1.0; points.len()], &vec![N; points.len()], k, c)
    };
    let one = || Field::Constant(1.0);
    let invalid = |r: Result<Diffusion, Error>| matches!(r, Err(Error::InvalidArgument { .. }));
    let size = |r: Result<Diffusion, Error>| matches!(r, Err(Error::Size { .. }));
    assert!(invalid(new(&[], one(), one())));
    assert!(invalid(new(&[2, 2, 2, 2], one(), one())));
    assert!(invalid(new(&[3, 0], one(), one())));
    for bad in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(invalid(new(&[2, 2], Field::Constant(bad), one())), "{bad}");
        assert!(invalid(new(&[2], Field::Cells(vec![1.0, bad]), one())), "{bad}");
        assert!(invalid(new(&[1], Field::Faces(vec![vec![1.0, bad]]), one())), "{bad}");
        assert!(invalid(Diffusion::laplacian(&[2], &[bad], &[N])), "{bad}");
    }
    for bad in [-1.0, f64::NAN, f64::INFINITY] {
        assert!(invalid(new(&[2], one(), Field::Constant(bad))), "{bad}");
        assert!(invalid(new(&[2], one(), Field::Cells(vec![1.0, bad]))), "{bad}");
    }
    assert!(invalid(new(&[2], one(), Field::Faces(vec![vec![1.0; 3]]))));
    assert!(size(new(&[2], Field::Cells(vec![1.0; 3]), one())));
    assert!(size(new(&[2], one(), Field::Cells(vec![1.0; 3]))));
    assert!(size(new(&[2], Field::Faces(vec![vec![1.0; 2]]), one())));
    assert!(size(new(&[2], Field::Faces(vec![vec![1.0; 3]; 2]), one())));
    assert!(size(Diffusion::laplacian(&[2], &[1.0, 1.0], &[N])));
    assert!(size(Diffusion::laplacian(&[2], &[1.0], &[N, N])));
    let turned = Field::Faces(vec![vec![1.0, 1.0, 2.0]]);
    assert!(invalid(Diffusion::new(&[2], &[1.0], &[P], turned, one())));
    let a = Diffusion::laplacian(&[2, 2], &[1.0, 1.0], &[N, P]).unwrap();
    assert!(matches!(a.apply(&vec![0.0; 3]), Err(Error::Size { .. })));
    assert!(matches!(a.add_wall(&mut [0.0; 3], 0, End::Lower, |_| 1.0), Err(Error::Size { .. })));
    for axis in [1, 2] {
        let wall = a.add_wall(&mut [0.0; 4], axis, End::Lower, |_| 1.0);
        assert!(matches!(wall, Err(Error::InvalidArgument { .. })));
    }
}
