"""K3: spectral convolution of a Fourier layer (forward and backward) and plain transforms, in PyTorch.

Same inputs as workflows/src/bench/kernels/spectral.rs. `reference` prints the norms in f64."""
from common import THREADS, np, timed, emit, main

CASES = {"n1": (20, 64, (1024,), 16), "n2": (16, 32, (64, 64), 12)}
NORMS = {"n1": [814.6419125561702, 811.0592158151918, 408487.89137799875, 408447.23700896214],
         "n2": [56.37411020809105, 49.16205018733042, 279.2666002376725, 184.5479517987607]}


def wave(dims, k, dtype=np.float32):
    i = np.arange(int(np.prod(dims)))
    return np.sin(0.1 + 0.05 * (i % 1000) + 1.3 * k).reshape(dims).astype(dtype)


def weights(width, dim, m, block=0):
    i, o = np.arange(width)[:, None], np.arange(width)[None, :]
    s = 1.0 + 0.37 * o + 0.73 * i + 0.29 * o * i + 0.85 * block
    for c in (1.1, 1.3)[:dim]:
        s = s[..., None] + c * np.arange(m)
    return (np.sin(s) + 1j * np.cos(s)) / np.sqrt(width)


def setup(name, double=False):
    import torch
    torch.set_num_threads(THREADS)
    batch, width, points, m = CASES[name]
    real, cplx = (np.float64, np.complex128) if double else (np.float32, np.complex64)
    x = torch.tensor(wave((batch, width, *points), 0, real), requires_grad=True)
    g = torch.tensor(wave((batch, width, *points), 1, real))
    ws = [torch.tensor(weights(width, len(points), m, b).astype(cplx), requires_grad=True) for b in range(len(points))]

    def spectral():
        f = torch.fft.rfft(x) if len(points) == 1 else torch.fft.rfft2(x)
        out = torch.zeros_like(f)
        if len(points) == 1:
            out[..., :m] = torch.einsum("bik,iok->bok", f[..., :m], ws[0])
            return torch.fft.irfft(out, n=points[0])
        out[:, :, :m, :m] = torch.einsum("bixy,ioxy->boxy", f[:, :, :m, :m], ws[0])
        out[:, :, -m:, :m] = torch.einsum("bixy,ioxy->boxy", f[:, :, -m:, :m], ws[1])
        return torch.fft.irfft2(out, s=points)

    def step():
        y = spectral()
        return y, torch.autograd.grad(y, [x, *ws], g)

    def norms(y, grads):
        n = lambda a: float(np.sqrt(sum((t.double() ** 2).sum().item() for t in a)))
        return [n([y.detach()]), n([grads[0]]), n([t.real for t in grads[1:]]), n([t.imag for t in grads[1:]])]
    return spectral, step, norms


def conv(name):
    spectral, step, norms = setup(name)
    (y, grads), stats = timed(step)
    _, forward = timed(spectral, budget=2)
    got = norms(y, grads)
    emit("K3." + name, "torch", stats, steps=1, error_vs_reference=max(abs(a / b - 1) for a, b in zip(got, NORMS[name])),
         forward_median_s=forward["median_s"])


def transform(name, dims, dim):
    import torch
    torch.set_num_threads(THREADS)
    x = torch.tensor(wave(dims, 0))
    f = torch.fft.rfft if dim == 1 else torch.fft.rfft2
    z, stats = timed(lambda: f(x))
    e = (z.abs().double() ** 2)
    n = int(np.prod(dims[-dim:]))
    total = 2 * e.sum() - e[..., 0].sum() - e[..., -1].sum()
    emit("K3.rfft." + name, "torch", stats, steps=1,
         error_vs_reference=abs(float(total) / n / float((x.double() ** 2).sum()) - 1),
         gflops=2.5 * x.numel() * np.log2(n) / stats["median_s"] / 1e9)


def reference():
    for name in CASES:
        _, step, norms = setup(name, double=True)
        print(name, norms(*step()))


if __name__ == "__main__":
    main({"K3.n1": lambda: conv("n1"), "K3.n2": lambda: conv("n2"),
          "K3.rfft.1d": lambda: transform("1d", (1280, 1024), 1),
          "K3.rfft.2d": lambda: transform("2d", (512, 64, 64), 2), "reference": reference})
