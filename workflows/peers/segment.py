"""G1: K5: sums over the edges of a graph and their gradient, softmax by edge, in PyTorch; the workloads are those of
workflows/src/bench/kernels/segment.rs. `reference` prints the f64 values that file compares with."""
import sys

from common import THREADS, emit, np, timed

N, E, F, HEADS = 100_000, 1_000_000, 64, 8


def edges():
    """s <- a s + c (mod 2^64), s_0 = 42; draws are (s >> 33) mod N; source and target alternate."""
    a, c, s = 6364136223846793005, 1442695040888963407, 42
    draws = np.empty(2 * E, np.int64)
    for m in range(2 * E):
        s = (a * s + c) % 2**64
        draws[m] = (s >> 33) % N
    src, dst = draws[0::2].copy(), draws[1::2].copy()
    dst[src == dst] = (dst[src == dst] + 1) % N
    return src, dst


def features():
    return np.sin(0.1 + 0.05 * np.arange(N)[:, None] + 1.3 * np.arange(F)[None, :])


def logits():
    return 3 * np.sin(0.37 * np.arange(E)[:, None] + 0.73 * np.arange(HEADS)[None, :])


def checks(o):
    o = np.asarray(o, np.float64)
    return np.r_[np.sqrt((o**2).mean()), o.reshape(-1)[[0, 100, 1000, -1]]]


def reference():
    """By float64 matrices of SciPy and sorted reductions of NumPy, without PyTorch."""
    import scipy.sparse as sp
    src, dst = edges()
    A = sp.csr_matrix((np.ones(E), (dst, src)), (N, N))
    y = A @ features()
    out = {"SUMS": checks(y), "SUMS_GRADIENT": checks(A.T @ (2 * y / y.size))}
    order = np.argsort(dst, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(dst[order]) > 0])
    total = np.zeros((N, HEADS))
    exp = np.exp(logits())
    total[dst[order][starts]] = np.add.reduceat(exp[order], starts)
    p = exp / total[dst]
    out["SOFTMAX"] = checks(p)
    square = np.zeros((N, HEADS))
    square[dst[order][starts]] = np.add.reduceat((2 * p * p)[order], starts)
    out["SOFTMAX_GRADIENT"] = checks(p * (2 * p - square[dst]))
    return out


def error(got, want):
    return float(np.abs(checks(got) - want).max() / np.abs(want).max())


def torch_setup():
    import torch
    torch.set_num_threads(THREADS)
    src, dst = edges()
    return torch, torch.tensor(src), torch.tensor(dst)


def scatter():
    torch, src, dst = torch_setup()
    x = torch.tensor(features(), dtype=torch.float32)
    want = reference()
    msg = x[src]
    sums = lambda m: torch.zeros(N, F).index_add_(0, dst, m)
    y, st = timed(lambda: sums(msg), max_runs=20)
    _, both = timed(lambda: sums(x[src]), max_runs=20)
    emit("G1.scatter", "torch-index_add", st, gather_scatter_median_s=both["median_s"],
         gb_read_per_s=E * F * 4 / st["median_s"] / 1e9, error_vs_reference=error(y, want["SUMS"]))
    x.requires_grad_(True)

    def step():
        x.grad = None
        (torch.zeros(N, F).index_add(0, dst, x.index_select(0, src)) ** 2).mean().backward()
        return x.grad
    g, st = timed(step, max_runs=20)
    emit("G1.scatter-grad", "torch-index_add", st, error_vs_reference=error(g, want["SUMS_GRADIENT"]))


def sparse():
    """The same as a product with a CSR matrix, sorted before timing."""
    torch, src, dst = torch_setup()
    x = torch.tensor(features(), dtype=torch.float32)
    want = reference()
    A = torch.sparse_coo_tensor(torch.stack([dst, src]), torch.ones(E), (N, N)).coalesce().to_sparse_csr()
    y, st = timed(lambda: A @ x, max_runs=20)
    emit("G1.scatter", "torch-sparse_csr", {**st}, gather_scatter_median_s=st["median_s"],
         error_vs_reference=error(y, want["SUMS"]))
    x.requires_grad_(True)

    def step():
        x.grad = None
        ((A @ x) ** 2).mean().backward()
        return x.grad
    g, st = timed(step, max_runs=20)
    emit("G1.scatter-grad", "torch-sparse_csr", st, error_vs_reference=error(g, want["SUMS_GRADIENT"]))


def softmax():
    torch, _, dst = torch_setup()
    x = torch.tensor(logits(), dtype=torch.float32)
    want = reference()
    index = dst[:, None].expand(E, HEADS)

    def plain(x):
        top = torch.zeros(N, HEADS).scatter_reduce(0, index, x.detach(), "amax", include_self=False)
        exp = (x - top[dst]).exp()
        return exp / torch.zeros(N, HEADS).index_add(0, dst, exp)[dst]
    forms = {"torch-scatter_reduce": plain}
    try:
        from torch_geometric.utils import softmax as pyg
        forms["pyg-softmax"] = lambda x: pyg(x, dst, num_nodes=N)
    except ImportError:
        pass
    for name, f in forms.items():
        with torch.no_grad():
            y, st = timed(lambda: f(x), max_runs=20)
        tracked = x.clone().requires_grad_(True)

        def step():
            tracked.grad = None
            (f(tracked) ** 2).sum().backward()
            return tracked.grad
        g, both = timed(step, max_runs=20)
        emit("K5.softmax", name, st, grad_median_s=both["median_s"],
             error_vs_reference=error(y, want["SOFTMAX"]), grad_error=error(g, want["SOFTMAX_GRADIENT"]))


if __name__ == "__main__":
    if sys.argv[1:] == ["reference"]:
        for name, values in reference().items():
            print(f"const {name}: [f64; 5] =", [float(v) for v in values])
    else:
        for run in (scatter, sparse, softmax):
            if not sys.argv[1:] or run.__name__ in sys.argv[1:]:
                run()
