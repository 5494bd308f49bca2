"""K2: dense layer with tanh, 256 x 64 -> 64, f32, forwards and backwards, in PyTorch.

y = tanh(x W' + b); gradients of <c, y> in x, W and b; inputs by the formulas of the bench. Error: of the 2-norm of all
gradients, relative to that in f64. K2.product.1024: the product of two square matrices; error: the largest difference
from f64, relative to the largest value."""
from common import THREADS, bias, emit, inputs, np, targets, timed, timed_repeated, weight

X, C = inputs(256, 64), targets(256, 64)
W, B = weight(64, 64, 0), bias(64, 0)


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

    a, b = inputs(1024, 1024), targets(1024, 1024)
    single = [torch.tensor(m, dtype=torch.float32) for m in (a, b)]
    product, stats = timed(lambda: single[0] @ single[1])
    exact = a @ b
    error = float(np.abs(product.double().numpy() - exact).max() / np.abs(exact).max())
    emit("K2.product.1024", "torch", stats, error_vs_reference=error, gflop_per_s=2e-9 * 1024**3 / stats["median_s"])
