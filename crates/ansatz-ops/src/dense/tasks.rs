//! A chain of layers over all points: cut into tasks, and those into blocks.
//!
//! All limits depend on the shapes only, and the gradients of the parameters are added task by
//! task in order: the result has the same bits for any number of threads.

use std::mem::MaybeUninit;

use rayon::prelude::*;

use super::{
    Stack,
    chain::{Chain, Wanted},
};
use crate::{
    cpu::{collect, room},
    pointwise::Real,
};

/// Operations of one task, forwards.
const TASK: usize = 1 << 21;
/// Most tasks: each has its own sums of the gradients of the parameters.
const MOST_TASKS: usize = 16;
/// Bytes of the tape of one block, so that it stays in the second cache.
const BLOCK_BYTES: usize = 512 << 10;
/// Bytes of tape up to which it is kept from the forward pass to the backward pass; a longer one is
/// computed again, block by block, which is faster than reading it back from memory.
const KEPT_BYTES: usize = 1 << 20;

/// How the points are cut.
pub(super) struct Plan {
    points: usize,
    /// Points of a task, and of a block.
    task: usize,
    block: usize,
    parallel: bool,
}

/// Tapes of all blocks, task by task.
pub(super) type Tapes<T> = Vec<Vec<Vec<T>>>;

/// One task: its points, and its part of each row of a stack that is written.
struct Task<'a, T> {
    start: usize,
    points: usize,
    rows: Vec<&'a mut [MaybeUninit<T>]>,
}

impl Plan {
    pub(super) fn new<T: Real>(chain: &Chain<'_, T>, points: usize) -> Self {
        let rows = chain.stack.rows();
        let weights: usize = chain.layers.iter().map(|l| l.inputs * l.outputs).sum();
        let operations = 2 * rows * points * weights;
        let tasks = (operations / TASK).clamp(1, MOST_TASKS);
        let task = points.div_ceil(tasks).next_multiple_of(16).min(points).max(1);
        let per_point = rows * chain.layers.iter().map(|l| 2 * l.outputs).sum::<usize>();
        let bytes = per_point * size_of::<T>();
        let mut block = (BLOCK_BYTES / bytes.max(1)).max(1);
        if block > 16 {
            block -= block % 16;
        }
        let parallel = task < points && rayon::current_num_threads() > 1;
        Self { points, task, block: block.min(task), parallel }
    }

    /// Whether the tape is kept from the forward to the backward pass.
    pub(super) fn keeps<T: Real>(&self, chain: &Chain<'_, T>) -> bool {
        chain.tape_length(self.points) * size_of::<T>() <= KEPT_BYTES
    }

    /// Cuts a stack `[rows, points, width]` for the tasks.
    fn cut<'a, T>(
        &self,
        mut stack: &'a mut [MaybeUninit<T>],
        rows: usize,
        width: usize,
    ) -> Vec<Task<'a, T>> {
        let mut tasks: Vec<Task<'a, T>> = (0..self.points)
            .step_by(self.task)
            .map(|start| {
                let points = self.task.min(self.points - start);
                Task { start, points, rows: Vec::with_capacity(rows) }
            })
            .collect();
        for _ in 0..rows {
            for task in &mut tasks {
                // Nothing to write: an empty part.
                let length = (task.points * width).min(stack.len());
                let (part, rest) = stack.split_at_mut(length);
                task.rows.push(part);
                stack = rest;
            }
        }
        tasks
    }

    fn run<T, R, F>(&self, tasks: Vec<Task<'_, T>>, work: F) -> Vec<R>
    where
        T: Send,
        R: Send,
        F: Fn(Task<'_, T>) -> R + Sync + Send,
    {
        if self.parallel {
            tasks.into_par_iter().map(work).collect()
        } else {
            tasks.into_iter().map(work).collect()
        }
    }

    /// Start and number of points of the blocks of a task.
    fn blocks(&self, points: usize) -> impl Iterator<Item = (usize, usize)> + use<> {
        let block = self.block;
        (0..points).step_by(block).map(move |start| (start, block.min(points - start)))
    }

    /// The output `[rows, points, outputs]` and, if asked for, the tapes.
    pub(super) fn forward<T: Real>(
        &self,
        chain: &Chain<'_, T>,
        x: &[T],
        keep: bool,
    ) -> (Vec<T>, Option<Tapes<T>>) {
        let (rows, inputs, outputs) = (chain.stack.rows(), chain.inputs(), chain.outputs());
        let mut tapes = None;
        let fill = |out: &mut [MaybeUninit<T>]| {
            let tasks = self.cut(out, rows, outputs);
            let per_task = self.run(tasks, |mut task| {
                let mut scratch = chain.scratch(self.block.min(task.points));
                let mut gathered = Vec::new();
                let mut result = Vec::new();
                let mut kept = Vec::new();
                for (start, points) in self.blocks(task.points) {
                    let x = self.gather(
                        chain.stack,
                        x,
                        inputs,
                        task.start + start,
                        points,
                        &mut gathered,
                    );
                    let range = start * outputs..(start + points) * outputs;
                    let mut forward = |tape: Option<&mut [MaybeUninit<T>]>| {
                        if let [row] = &mut task.rows[..] {
                            let out = &mut row[range.clone()];
                            chain.forward(points, x, &mut scratch, out, tape);
                        } else {
                            result.resize(rows * points * outputs, T::zero());
                            chain.forward(points, x, &mut scratch, written(&mut result), tape);
                            scatter(&result, &mut task.rows, range.clone());
                        }
                    };
                    if !keep {
                        forward(None);
                        continue;
                    }
                    let record = |tape: &mut [MaybeUninit<T>]| forward(Some(tape));
                    // SAFETY: a forward pass with an output writes the whole tape.
                    #[allow(unsafe_code)]
                    let tape = unsafe { collect(chain.tape_length(points), record) };
                    kept.push(tape);
                }
                kept
            });
            tapes = keep.then_some(per_task);
        };
        // SAFETY: the tasks cover the output, and each writes all of its part.
        #[allow(unsafe_code)]
        let out = unsafe { collect(rows * self.points * outputs, fill) };
        (out, tapes)
    }

    /// The gradients of `x` (empty unless wanted) and of the parameters.
    pub(super) fn backward<T: Real>(
        &self,
        chain: &Chain<'_, T>,
        (x, y, tapes): (&[T], &[T], Option<&Tapes<T>>),
        g: &[T],
        wanted: &Wanted,
    ) -> (Vec<T>, Vec<T>) {
        let (rows, inputs, outputs) = (chain.stack.rows(), chain.inputs(), chain.outputs());
        let mut sums = Vec::new();
        let fill = |dx: &mut [MaybeUninit<T>]| {
            let tasks = self.cut(dx, rows, inputs);
            sums = self.run(tasks, |mut task| {
                let mut scratch = chain.scratch(self.block.min(task.points));
                let mut parameters = vec![T::zero(); wanted.parameters];
                let (mut x_block, mut g_block, mut tape) = (Vec::new(), Vec::new(), Vec::new());
                let mut result = Vec::new();
                for (i, (start, points)) in self.blocks(task.points).enumerate() {
                    let at = task.start + start;
                    let x = self.gather(chain.stack, x, inputs, at, points, &mut x_block);
                    let g = self.gather(chain.stack, g, outputs, at, points, &mut g_block);
                    let tape = if let Some(tapes) = tapes {
                        &tapes[task.start / self.task][i]
                    } else {
                        tape.resize(chain.tape_length(points), T::zero());
                        chain.replay(points, x, &mut tape);
                        &tape
                    };
                    // Read only where the stack is the value alone.
                    let y = &y[at * outputs..(at + points) * outputs];
                    let block = (x, y, &tape[..]);
                    let range = start * inputs..(start + points) * inputs;
                    let (scratch, sums) = (&mut scratch, &mut parameters[..]);
                    if !wanted.x {
                        chain.backward(points, block, g, wanted, scratch, sums, &mut []);
                    } else if let [row] = &mut task.rows[..] {
                        chain.backward(points, block, g, wanted, scratch, sums, &mut row[range]);
                    } else {
                        result.resize(rows * points * inputs, T::zero());
                        let dx = written(&mut result);
                        chain.backward(points, block, g, wanted, scratch, sums, dx);
                        scatter(&result, &mut task.rows, range);
                    }
                }
                parameters
            });
        };
        let length = if wanted.x { rows * self.points * inputs } else { 0 };
        // SAFETY: the tasks cover the gradient, and each writes all of its part.
        #[allow(unsafe_code)]
        let dx = unsafe { collect(length, fill) };
        let mut sums = sums.into_iter();
        let mut total = sums.next().unwrap_or_else(|| vec![T::zero(); wanted.parameters]);
        for part in sums {
            for (t, p) in total.iter_mut().zip(part) {
                *t += p;
            }
        }
        (dx, total)
    }

    /// The points `start..start + points` of all rows of `[rows, all points, width]`, one after the
    /// other; copied only if there are several rows.
    fn gather<'a, T: Real>(
        &self,
        stack: &Stack,
        all: &'a [T],
        width: usize,
        start: usize,
        points: usize,
        buffer: &'a mut Vec<T>,
    ) -> &'a [T] {
        let part = |row: usize| {
            let at = (row * self.points + start) * width;
            &all[at..at + points * width]
        };
        if stack.rows() == 1 {
            return part(0);
        }
        buffer.clear();
        for row in 0..stack.rows() {
            buffer.extend_from_slice(part(row));
        }
        buffer
    }
}

/// A buffer that a chain is to fill.
fn written<T: Real>(buffer: &mut [T]) -> &mut [MaybeUninit<T>] {
    // SAFETY: a chain writes nothing but numbers.
    #[allow(unsafe_code)]
    unsafe {
        room(buffer)
    }
}

/// Puts a block `[rows, points, width]` into the range `range` of each row.
fn scatter<T: Copy>(
    block: &[T],
    rows: &mut [&mut [MaybeUninit<T>]],
    range: std::ops::Range<usize>,
) {
    for (source, row) in block.chunks_exact(range.len().max(1)).zip(rows) {
        row[range.clone()].write_copy_of_slice(source);
    }
}
