"""K2: y + sum of seven terms, f32, in PyTorch; see workflows/src/bench/kernels/combine.rs."""
from common import THREADS, np, timed, emit, main


def wave(n, k):
    i = np.arange(n)
    return np.sin(0.1 + 0.05 * (i % 1000) + 1.3 * k)


FACTORS = [0.1 * j - 0.35 for j in range(7)]


def run(n, compiled):
    import torch
    torch.set_num_threads(THREADS)
    y = torch.tensor(wave(n, 0), dtype=torch.float32)
    ks = [torch.tensor(wave(n, k), dtype=torch.float32) for k in range(1, 8)]
    calls = max(1, min(2000, 4_000_000 // n))

    def one():
        out = torch.add(y, ks[0], alpha=FACTORS[0])
        for c, k in zip(FACTORS[1:], ks[1:]):
            out.add_(k, alpha=c)  # in place: one allocation
        return out

    if compiled:
        one = torch.compile(one)
        one()

    def work():
        for _ in range(calls - 1):
            one()
        return one()

    out, t = timed(work)
    for key in ("median_s", "min_s", "compile_s"):
        t[key] /= calls
    total = float(out.double().sum())
    exact = wave(n, 0).sum() + sum(c * wave(n, k).sum() for c, k in zip(FACTORS, range(1, 8)))
    scale = np.abs(wave(n, 0)).sum()
    emit(f"K2.combine.{n}", "torch-compile" if compiled else "torch", t, steps=1, sum=total,
         gb_per_s=4 * 9 * n / t["median_s"] / 1e9, error_vs_reference=abs(total - exact) / scale)


def eager():
    for n in (512, 16384, 1_000_000):
        run(n, False)


def compiled():
    for n in (512, 16384, 1_000_000):
        run(n, True)


if __name__ == "__main__":
    main(dict(torch=eager, compiled=compiled))
