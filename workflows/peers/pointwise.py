"""K1: pointwise functions in PyTorch; see workflows/src/bench/kernels/pointwise.rs."""
from common import THREADS, emit, np, timed_repeated

import torch

torch.set_num_threads(THREADS)
FUNCTIONS = {"tanh": torch.tanh, "sin": torch.sin, "exp": torch.exp, "gelu": torch.nn.functional.gelu}
SIZES = {"16k": (16_384, 500), "1m": (1_000_000, 10)}


def error(got, want):
    return float((got.double() - want).abs().max() / want.abs().max())


for size, (n, calls) in SIZES.items():
    x = torch.tensor(4 * np.sin(1 + 0.37 * np.arange(n)), dtype=torch.float32)
    with torch.no_grad():
        for name, f in FUNCTIONS.items():
            y, times = timed_repeated(calls, lambda: f(x), budget=2)
            emit(f"K1.{name}.{size}", "torch", times, error_vs_reference=error(y, f(x.double())),
                 gb_per_s=8e-9 * n / times["median_s"])
    for name in ("tanh", "gelu"):
        f, ones = FUNCTIONS[name], torch.ones(n)
        leaf, wide = x.clone().requires_grad_(), x.double().requires_grad_()
        f(wide).sum().backward()

        def step():
            leaf.grad = None
            f(leaf).backward(ones)
            return leaf.grad

        g, times = timed_repeated(calls, step, budget=2)
        emit(f"K1.{name}-grad.{size}", "torch", times, error_vs_reference=error(g, wide.grad))

y, times = timed_repeated(calls, x.clone, budget=2)
emit("K1.copy.1m", "torch", times, error_vs_reference=error(y, x.double()), gb_per_s=8e-3 / times["median_s"])
