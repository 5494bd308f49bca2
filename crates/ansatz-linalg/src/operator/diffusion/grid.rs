//! Where the cells of a grid lie in memory: [`Grid`].

/// Three axes, the last one along memory. A grid of one or two axes has axes of length 1 in between:
/// `[1, 1, n]`, `[n₀, 1, n₁]`. A plane is what shares the index of the first axis, a line what
/// shares those of the first two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Grid {
    pub(crate) n: [usize; 3],
    pub(crate) periodic: [bool; 3],
    /// How many axes the caller has: 1, 2 or 3.
    pub(crate) axes: usize,
}

/// Grids of fewer cells are not shared between threads.
const PARALLEL_FROM: usize = 1 << 13;
/// Groups of planes that are shared between threads: so many for each, of at least so many planes.
const GROUPS: usize = 4;
const PLANES: usize = 8;

impl Grid {
    pub(crate) fn new(points: &[usize], periodic: &[bool]) -> Self {
        let axes = points.len();
        let (mut n, mut wraps) = ([1; 3], [false; 3]);
        for axis in 0..axes {
            n[Self::place(axes, axis)] = points[axis];
            wraps[Self::place(axes, axis)] = periodic[axis];
        }
        Self { n, periodic: wraps, axes }
    }

    /// Which of the three axes is the caller's `axis`.
    pub(crate) fn place(axes: usize, axis: usize) -> usize {
        match axes {
            1 => 2,
            2 => 2 * axis,
            _ => axis,
        }
    }

    /// The places of the caller's axes.
    pub(crate) fn places(&self) -> impl Iterator<Item = usize> + use<> {
        let axes = self.axes;
        (0..axes).map(move |axis| Self::place(axes, axis))
    }

    pub(crate) fn len(&self) -> usize {
        self.n.iter().product()
    }

    pub(crate) fn plane(&self) -> usize {
        self.n[1] * self.n[2]
    }

    pub(crate) fn at(&self, [i, l, j]: [usize; 3]) -> usize {
        (i * self.n[1] + l) * self.n[2] + j
    }

    /// The index `step` away from `i`, around the end if there is none: coefficients across an end
    /// that is not periodic are zero.
    pub(crate) fn step(&self, axis: usize, i: usize, step: isize) -> usize {
        let n = self.n[axis];
        match step {
            -1 if i == 0 => n - 1,
            1 if i + 1 == n => 0,
            _ => i.saturating_add_signed(step),
        }
    }

    /// The index `step` away from `i`, where there is one.
    pub(crate) fn reach(&self, axis: usize, i: usize, step: isize) -> Option<usize> {
        let inside = i.checked_add_signed(step).is_some_and(|k| k < self.n[axis]);
        (inside || self.periodic[axis]).then(|| self.step(axis, i, step))
    }

    /// The line `l` of an array of planes, `plane` of them before it.
    pub(crate) fn line<'a>(&self, x: &'a [f64], plane: usize, l: usize) -> &'a [f64] {
        let start = (plane * self.n[1] + l) * self.n[2];
        &x[start..start + self.n[2]]
    }

    /// Planes in a group that one thread works on. No result depends on it.
    pub(crate) fn group(&self) -> usize {
        if self.len() < PARALLEL_FROM {
            return self.n[0];
        }
        let groups = GROUPS * rayon::current_num_threads();
        self.n[0].div_ceil(groups).max(PLANES).min(self.n[0])
    }

    pub(crate) fn parallel(&self) -> bool {
        self.group() < self.n[0]
    }

    /// Every cell in the order of memory.
    pub(crate) fn cells(&self) -> impl Iterator<Item = [usize; 3]> + use<> {
        let n = self.n;
        (0..n[0]).flat_map(move |i| (0..n[1]).flat_map(move |l| (0..n[2]).map(move |j| [i, l, j])))
    }
}
