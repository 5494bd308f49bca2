"""K7: cumulative sums and linear recurrences in PyTorch; see bench/kernels/scan.rs.

A loop over 4,096 steps in Python would be unfair: the recurrence is the same associative scan
over pairs that the candle variant uses (log depth, linear work), from torch operations.
"""
from common import THREADS, emit, inputs, main, np, targets, timed

import torch

torch.set_num_threads(THREADS)
ROWS = [423.9424579408731, 664.5251362284113]
LONG = [937.054511840146, 1797.2127345395302]
RECURRENCE = [22595.81614195251, 255377.11443141472]


def scan(op, elements):
    """All prefixes along axis 1 of a tuple of tensors."""
    n = elements[0].shape[1]
    if n < 2:
        return elements
    reduced = op([e[:, : n - 1 : 2] for e in elements], [e[:, 1::2] for e in elements])
    odd = scan(op, reduced)
    rest = [e[:, 2::2] for e in elements]
    even = op([o[:, : rest[0].shape[1]] for o in odd], rest)
    out = []
    for e, o, v in zip(elements, odd, even):
        y = torch.empty_like(e)
        y[:, 0] = e[:, 0]
        y[:, 1::2] = o
        y[:, 2::2] = v
        out.append(y)
    return out


def recurrence(a, b):
    return scan(lambda x, y: [x[0] * y[0], x[1] * y[0] + y[1]], [a, b])[1]


def measure(workload, peer, variables, weights, steps, expected, f):
    def run():
        for x in variables:
            x.grad = None
        y = f(*variables)
        y.backward(weights)
        return y

    y, stats = timed(run)
    norms = [y.detach().double().norm().item(),
             sum(x.grad.double().square().sum().item() for x in variables) ** 0.5]
    emit(workload, peer, stats, steps=steps, error_vs_reference=abs(norms[0] / expected[0] - 1),
         norm=norms[0], grad_norm=norms[1], grad_norm_error=abs(norms[1] / expected[1] - 1))


def tensor(x, shape, grad=False):
    return torch.tensor(np.asarray(x, np.float32).reshape(shape), requires_grad=grad)


def sums(workload, rows, n, expected):
    x = tensor(inputs(rows, n), (rows, n), True)
    w = tensor(targets(rows, n), (rows, n))
    measure(workload, "torch", [x], w, n, expected, lambda x: torch.cumsum(x, 1))


def rows():
    sums("K7.cumsum.rows", 64, 4096, ROWS)


def long():
    sums("K7.cumsum.long", 1, 1 << 20, LONG)


def log_depth():
    shape = (16, 4096, 64)
    rows = shape[0] * shape[1]
    a = tensor(0.9 + 0.09 * inputs(rows, 64), shape, True)
    b = tensor(targets(rows, 64), shape, True)
    w = tensor(inputs(rows, 64), shape)
    measure("K7.recurrence", "torch-log-depth", [a, b], w, 4096, RECURRENCE, recurrence)


if __name__ == "__main__":
    main({"rows": rows, "long": long, "log-depth": log_depth})
