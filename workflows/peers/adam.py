"""K8: one step of AdamW on fixed gradients, f32; see workflows/src/bench/kernels/adam.rs."""
from common import THREADS, np, timed, emit, main

SHAPES = dict(mlp=[(64, 2), (1, 64), (64, 64), (1, 64), (2, 64), (1, 2)], wide=[(1024, 1024)] * 4)


def wave(n, k):
    i = np.arange(n)
    return np.sin(0.1 + 0.05 * (i % 1000) + 1.3 * k)


def reference(n):
    x, g = wave(n, 0), wave(n, 1)
    m, v = np.zeros(n), np.zeros(n)
    for t in range(1, 11):
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + 0.001 * g * g
        step = m / (1 - 0.9**t) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
        x = x * (1 - 1e-5) - 1e-3 * step
    return x.sum()


def run(peer, **options):
    import torch
    torch.set_num_threads(THREADS)
    for name, shapes in SHAPES.items():
        params = []
        for i, s in enumerate(shapes):
            n = s[0] * s[1]
            p = torch.tensor(wave(n, 2 * i).reshape(s), dtype=torch.float32, requires_grad=True)
            p.grad = torch.tensor(wave(n, 2 * i + 1).reshape(s), dtype=torch.float32)
            params.append(p)
        opt = torch.optim.AdamW(params, lr=1e-3, weight_decay=0.01, **options)
        for _ in range(10):
            opt.step()
        n = shapes[0][0] * shapes[0][1]
        total = float(params[0].detach().double().sum())
        elements = sum(a * b for a, b in shapes)
        calls = max(1, min(500, 4_000_000 // elements))

        def work():
            for _ in range(calls):
                opt.step()

        _, t = timed(work)
        for key in ("median_s", "min_s", "compile_s"):
            t[key] /= calls
        emit(f"K8.adam.{name}", peer, t, steps=1, sum=total,
             gb_per_s=28 * elements / t["median_s"] / 1e9,
             error_vs_reference=abs(total - reference(n)) / np.abs(wave(n, 0)).sum())


if __name__ == "__main__":
    main({"torch-foreach": lambda: run("torch-foreach", foreach=True),
          "torch-fused": lambda: run("torch-fused", fused=True)})
