//! Dense layers one after the other for a block of points, forwards and backwards, on one thread.

use std::{any::Any, cell::RefCell, mem::MaybeUninit};

use super::{Stack, activation};
use crate::{
    Pointwise,
    cpu::room,
    pointwise::{Real, needs_input},
    product::{Matrix, THIN, add_product, set_product, zeroed},
};

/// One layer, seen as slices.
pub(super) struct Layer<'a, T> {
    /// `[outputs, inputs]`.
    pub(super) weight: &'a [T],
    /// The transposed weight, where that serves a thin product.
    turned: Option<Vec<T>>,
    pub(super) bias: Option<&'a [T]>,
    pub(super) inputs: usize,
    pub(super) outputs: usize,
    pub(super) activation: Option<Pointwise>,
}

impl<'a, T: Real> Layer<'a, T> {
    pub(super) fn new(
        (weight, outputs, inputs): (&'a [T], usize, usize),
        bias: Option<&'a [T]>,
        activation: Option<Pointwise>,
    ) -> Self {
        let turned = (inputs <= THIN && outputs > THIN)
            .then(|| Matrix::new(weight, outputs, inputs).transposed().copied());
        Self { weight, turned, bias, inputs, outputs, activation }
    }

    /// `Wᵀ`, `[inputs, outputs]`.
    fn transposed(&self) -> Matrix<'_, T> {
        match &self.turned {
            Some(turned) => Matrix::new(turned, self.inputs, self.outputs),
            None => Matrix::new(self.weight, self.outputs, self.inputs).transposed(),
        }
    }

    /// `W`, `[outputs, inputs]`.
    fn matrix(&self) -> Matrix<'_, T> {
        match &self.turned {
            Some(turned) => Matrix::new(turned, self.inputs, self.outputs).transposed(),
            None => Matrix::new(self.weight, self.outputs, self.inputs),
        }
    }
}

/// Layers for stacks of one kind.
pub(super) struct Chain<'a, T> {
    pub(super) stack: &'a Stack,
    pub(super) layers: Vec<Layer<'a, T>>,
}

/// Where a layer keeps what its backward pass reads, as ranges of the tape of a block.
struct Kept {
    /// The argument of the activation.
    argument: Option<std::ops::Range<usize>>,
    /// The output of the layer, unless it is the last.
    output: Option<std::ops::Range<usize>>,
}

/// Which gradients are wanted, and where those of the parameters go in one vector.
#[derive(Debug, Clone, Default)]
pub(super) struct Wanted {
    pub(super) x: bool,
    /// Start of the gradient of each weight.
    pub(super) weights: Vec<Option<usize>>,
    /// Start of the gradient of each bias.
    pub(super) biases: Vec<Option<usize>>,
    /// Length of that vector.
    pub(super) parameters: usize,
}

/// Room for the pieces of one block that are not kept. This thread uses it again.
pub(super) struct Scratch<T: Real> {
    buffers: [Vec<T>; 2],
}

/// Elements up to which a buffer stays with its thread.
const MOST_SPARE: usize = 1 << 18;

thread_local! {
    /// At most one pair of buffers for each type.
    static SPARE: RefCell<Vec<Box<dyn Any>>> = const { RefCell::new(Vec::new()) };
}

impl<T: Real> Scratch<T> {
    fn new(room: usize) -> Self {
        let spare = SPARE.with_borrow_mut(|all| {
            let i = all.iter().position(|b| b.is::<[Vec<T>; 2]>())?;
            all.swap_remove(i).downcast::<[Vec<T>; 2]>().ok()
        });
        let mut buffers = spare.map_or_else(|| [Vec::new(), Vec::new()], |b| *b);
        for buffer in &mut buffers {
            if buffer.len() < room {
                buffer.resize(room, T::zero());
            }
        }
        Self { buffers }
    }
}

impl<T: Real> Drop for Scratch<T> {
    fn drop(&mut self) {
        let buffers = std::mem::take(&mut self.buffers);
        if buffers.iter().all(|b| b.len() <= MOST_SPARE) {
            // While a thread ends, there is nowhere to put them.
            let _ = SPARE.try_with(|all| {
                let mut all = all.borrow_mut();
                if all.iter().all(|b| !b.is::<[Vec<T>; 2]>()) {
                    all.push(Box::new(buffers));
                }
            });
        }
    }
}

/// The start of a buffer, to be written.
fn scratch_room<T: Real>(buffer: &mut [T], length: usize) -> &mut [MaybeUninit<T>] {
    // SAFETY: products and activations write nothing but numbers.
    #[allow(unsafe_code)]
    unsafe {
        room(&mut buffer[..length])
    }
}

impl<T: Real> Chain<'_, T> {
    pub(super) fn inputs(&self) -> usize {
        self.layers[0].inputs
    }

    pub(super) fn outputs(&self) -> usize {
        self.layers[self.layers.len() - 1].outputs
    }

    /// Room for blocks of `points`.
    pub(super) fn scratch(&self, points: usize) -> Scratch<T> {
        let widest = self.layers.iter().map(|l| l.outputs.max(l.inputs)).max().unwrap_or(0);
        let room = self.stack.rows() * points * widest;
        Scratch::new(room)
    }

    /// Whether the derivative of the activation is computed from its argument.
    fn keeps_argument(&self, function: Pointwise) -> bool {
        *self.stack != Stack::Value || needs_input(function)
    }

    /// The tape of a block of `points`, and its length.
    fn kept(&self, points: usize) -> (Vec<Kept>, usize) {
        let mut end = 0;
        let mut take = |length: usize| {
            end += length;
            Some(end - length..end)
        };
        let count = self.layers.len();
        let kept = self
            .layers
            .iter()
            .enumerate()
            .map(|(l, layer)| {
                let length = self.stack.rows() * points * layer.outputs;
                let argument = match layer.activation {
                    Some(f) if self.keeps_argument(f) => take(length),
                    _ => None,
                };
                let output = if l + 1 < count { take(length) } else { None };
                Kept { argument, output }
            })
            .collect();
        (kept, end)
    }

    /// Length of the tape of a block of `points`.
    pub(super) fn tape_length(&self, points: usize) -> usize {
        self.kept(points).1
    }

    /// `out = a Wᵀ + b`, the bias for row 0 of the stack only. Returns `out`, all written.
    fn affine<'o>(
        &self,
        layer: &Layer<'_, T>,
        points: usize,
        a: &[T],
        out: &'o mut [MaybeUninit<T>],
    ) -> &'o mut [T] {
        let rows = self.stack.rows() * points;
        let a = Matrix::new(a, rows, layer.inputs);
        let Some(bias) = layer.bias else { return set_product(a, layer.transposed(), out) };
        let (value, rest) = out.split_at_mut(points * layer.outputs);
        for row in value.chunks_mut(layer.outputs) {
            row.write_copy_of_slice(bias);
        }
        zeroed(rest);
        // SAFETY: the two calls above have written the two parts.
        #[allow(unsafe_code)]
        let out = unsafe { out.assume_init_mut() };
        add_product(a, layer.transposed(), out);
        out
    }

    /// Runs a block `x` `[rows of the stack · points, inputs]` through all layers into `out`, all
    /// of which is written, and all of `tape`.
    pub(super) fn forward(
        &self,
        points: usize,
        x: &[T],
        scratch: &mut Scratch<T>,
        out: &mut [MaybeUninit<T>],
        tape: Option<&mut [MaybeUninit<T>]>,
    ) {
        match tape {
            Some(tape) => self.record(points, x, tape, Some(out)),
            None => self.pass(points, x, scratch, out),
        }
    }

    /// Without a tape: two buffers take turns.
    fn pass(&self, points: usize, x: &[T], scratch: &mut Scratch<T>, out: &mut [MaybeUninit<T>]) {
        let [current, next] = &mut scratch.buffers;
        let elements = |width: usize| self.stack.rows() * points * width;
        for (l, layer) in self.layers.iter().enumerate() {
            let length = elements(layer.outputs);
            let last = l + 1 == self.layers.len();
            let source = if l == 0 { x } else { &current[..elements(layer.inputs)] };
            match (layer.activation, &self.stack) {
                (None, _) => {
                    let target = if last { &mut *out } else { scratch_room(next, length) };
                    self.affine(layer, points, source, target);
                }
                (Some(f), Stack::Value) => {
                    let target = if last { &mut *out } else { scratch_room(next, length) };
                    crate::pointwise::map_in_place(f, self.affine(layer, points, source, target));
                }
                (Some(f), stack) => {
                    let argument = self.affine(layer, points, source, scratch_room(next, length));
                    let target = if last { &mut *out } else { scratch_room(current, length) };
                    activation::apply(stack, f, points * layer.outputs, argument, target);
                    continue;
                }
            }
            std::mem::swap(current, next);
        }
    }

    /// With a tape; without `end`, only what the backward pass reads is computed.
    fn record(
        &self,
        points: usize,
        x: &[T],
        tape: &mut [MaybeUninit<T>],
        mut end: Option<&mut [MaybeUninit<T>]>,
    ) {
        let (kept, _) = self.kept(points);
        for (l, (layer, keep)) in self.layers.iter().zip(&kept).enumerate() {
            let length = self.stack.rows() * points * layer.outputs;
            // What was kept of earlier layers lies before what this one keeps.
            let start =
                keep.argument.as_ref().or(keep.output.as_ref()).map_or(tape.len(), |r| r.start);
            let (before, rest) = tape.split_at_mut(start);
            let source = match l.checked_sub(1).and_then(|p| kept[p].output.clone()) {
                // SAFETY: the layer before wrote all of its output.
                #[allow(unsafe_code)]
                Some(range) => unsafe { before[range].assume_init_ref() },
                None => x,
            };
            let (argument, rest) =
                rest.split_at_mut(if keep.argument.is_some() { length } else { 0 });
            let target = match (&keep.output, &mut end) {
                (Some(_), _) => &mut rest[..length],
                (None, Some(out)) => &mut **out,
                (None, None) => {
                    if keep.argument.is_some() {
                        self.affine(layer, points, source, argument);
                    }
                    return;
                }
            };
            match layer.activation {
                Some(f) if keep.argument.is_some() => {
                    let argument = self.affine(layer, points, source, argument);
                    activation::apply(self.stack, f, points * layer.outputs, argument, target);
                }
                Some(f) => {
                    crate::pointwise::map_in_place(f, self.affine(layer, points, source, target));
                }
                None => {
                    self.affine(layer, points, source, target);
                }
            }
        }
    }

    /// Fills the tape of a block from its input.
    pub(super) fn replay(&self, points: usize, x: &[T], tape: &mut [T]) {
        // SAFETY: nothing but numbers is written.
        #[allow(unsafe_code)]
        let tape = unsafe { room(tape) };
        self.record(points, x, tape, None);
    }

    /// Pulls the cotangent `g` of the output back through all layers: adds the gradients of the
    /// parameters to `parameters`, writes that of `x` to all of `dx` if it is wanted. `y` is the output,
    /// read only for a plain value whose last activation keeps no argument.
    #[allow(clippy::too_many_arguments)] // one call site; a struct would only rename them
    pub(super) fn backward(
        &self,
        points: usize,
        (x, y, tape): (&[T], &[T], &[T]),
        g: &[T],
        wanted: &Wanted,
        scratch: &mut Scratch<T>,
        parameters: &mut [T],
        dx: &mut [MaybeUninit<T>],
    ) {
        let (kept, _) = self.kept(points);
        let rows = self.stack.rows() * points;
        let [current, other] = &mut scratch.buffers;
        let mut from_outside = true;
        for (l, layer) in self.layers.iter().enumerate().rev() {
            let n = rows * layer.outputs;
            if let Some(f) = layer.activation {
                let output = kept[l].output.clone().map_or(y, |r| &tape[r]);
                let argument = kept[l].argument.clone().map_or(output, |r| &tape[r]);
                let source = if from_outside { g } else { &current[..n] };
                let per_row = points * layer.outputs;
                activation::pull(
                    self.stack,
                    f,
                    per_row,
                    (argument, output),
                    source,
                    &mut other[..n],
                );
                std::mem::swap(current, other);
                from_outside = false;
            }
            let g = if from_outside { g } else { &current[..n] };
            if let Some(start) = wanted.biases[l] {
                let sum = &mut parameters[start..start + layer.outputs];
                for row in g[..points * layer.outputs].chunks_exact(layer.outputs) {
                    for (s, g) in sum.iter_mut().zip(row) {
                        *s += *g;
                    }
                }
            }
            let g = Matrix::new(g, rows, layer.outputs);
            if let Some(start) = wanted.weights[l] {
                let input = match l.checked_sub(1).and_then(|p| kept[p].output.clone()) {
                    Some(range) => &tape[range],
                    None => x,
                };
                let input = Matrix::new(input, rows, layer.inputs);
                let sum = &mut parameters[start..start + layer.outputs * layer.inputs];
                add_product(g.transposed(), input, sum);
            }
            if l == 0 {
                if wanted.x {
                    set_product(g, layer.matrix(), dx);
                }
            } else {
                set_product(g, layer.matrix(), scratch_room(other, rows * layer.inputs));
                std::mem::swap(current, other);
                from_outside = false;
            }
        }
    }
}
