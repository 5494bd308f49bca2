"""K6: convolutions in PyTorch; see workflows/src/bench/kernels/conv.rs."""
from common import THREADS, emit, np, timed

import torch

torch.set_num_threads(THREADS)
F = torch.nn.functional


def wave(dims, phase, frequency, scale=1.0):
    n = int(np.prod(dims))
    return torch.tensor(scale * np.sin(phase + frequency * np.arange(n)), dtype=torch.float32).reshape(dims)


def circular(f, axes, **options):
    return lambda x, k: f(F.pad(x, (1, 1) * axes, mode="circular"), k, **options)


CASES = {
    "conv1d": ((20, 64, 1024), (64, 64, 3), 1024, circular(F.conv1d, 1)),
    "conv2d": ((8, 16, 64, 64), (16, 16, 3, 3), 4096, circular(F.conv2d, 2)),
    "depthwise2d": ((8, 64, 64, 64), (64, 1, 3, 3), 4096, circular(F.conv2d, 2, groups=64)),
    "conv3d": ((2, 8, 32, 32, 32), (8, 8, 3, 3, 3), 32768, circular(F.conv3d, 3)),
    "transposed2d": ((8, 24, 32, 32), (24, 24, 4, 4), 1024, lambda x, k: F.conv_transpose2d(x, k, stride=2, padding=1)),
}

for name, (x_dims, k_dims, places, f) in CASES.items():
    x = wave(x_dims, 1.0, 0.37).requires_grad_()
    k = wave(k_dims, 0.5, 0.73, (1.0 / np.prod(k_dims[1:])) ** 0.5).requires_grad_()
    weights = wave(f(x, k).shape, 0.3, 0.11)

    def step():
        x.grad = k.grad = None
        y = f(x, k)
        y.backward(weights)
        return y.detach()

    y, times = timed(step, budget=2)
    with torch.no_grad():
        _, forward = timed(lambda: f(x, k), budget=1)
    terms = y.double() * weights.double()
    by_kernel = float((k.grad.double() * k.detach().double()).sum())
    emit(f"K6.{name}", "torch", times, steps=1, value=float(terms.sum()),
         error_vs_reference=abs(by_kernel - float(terms.sum())) / float((terms**2).sum() ** 0.5),
         forward_median_s=forward["median_s"],
         gflop_per_s=6e-9 * x_dims[0] * places * float(np.prod(k_dims)) / times["median_s"])
