"""K2: dense layer with tanh, 256 x 64 -> 64, f32, forwards and backwards, in PyTorch.

y = tanh(x W' + b); gradients of <c, y> in x, W and b; inputs by the formulas of the bench. Error: of the 2-norm of all
gradients, relative to that in f64."""
from common import THREADS, emit, np, timed_repeated


def weight(out, inp, layer):
    i, j = np.arange(out)[:, None], np.arange(inp)[None, :]
    return np.sin(1.0 + 0.37 * i + 0.73 * j + 0.29 * i * j + 1.7 * layer) * np.sqrt(2.0 / inp)


def grid(n, d, f):
    return f(np.arange(n)[:, None], np.arange(d)[None, :])


X = grid(256, 64, lambda n, d: np.sin(0.1 + 0.05 * n + 1.3 * d))
C = grid(256, 64, lambda n, d: np.cos(0.2 + 0.03 * n + 0.7 * d))
W, B = weight(64, 64, 0), 0.1 * np.cos(0.9 * np.arange(64))


def reference():
    g = C * (1 - np.tanh(X @ W.T + B) ** 2)
    return np.sqrt(sum((v ** 2).sum() for v in (g @ W, g.T @ X, g.sum(0))))


if __name__ == "__main__":
    import torch
    torch.set_num_threads(THREADS)
    x, w, b = (torch.tensor(v, dtype=torch.float32, requires_grad=True) for v in (X, W, B))
    c = torch.tensor(C, dtype=torch.float32)

    def step():
        y = torch.tanh(torch.nn.functional.linear(x, w, b))
        return torch.autograd.grad(y, (x, w, b), c)

    grads, stats = timed_repeated(100, step)
    norm = float(np.sqrt(sum((g.double().numpy() ** 2).sum() for g in grads)))
    emit("K2", "torch", stats, grad_norm=norm, error_vs_reference=abs(norm / reference() - 1))
