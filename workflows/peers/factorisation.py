"""L2: sparse factorisations and exponentials in SciPy (SuperLU, expm_multiply), and CHOLMOD where
scikit-sparse is installed; see bench/kernels/factorisation.rs. SuperLU and SciPy's products run on one
thread. SuperLU with SymmetricMode and pivots from the diagonal stands in for Cholesky."""
import sys

from common import emit, np, timed

import scipy.sparse as sp
from scipy.sparse.linalg import expm_multiply, splu

WAVES = (3.0, 5.0)
POINTS = 256
TIME = 1e-3
# NATURAL is left out: it takes minutes.
ORDERS = ("COLAMD", "MMD_AT_PLUS_A", "MMD_ATA")
SHIFT = 0.5


def laplacian(n):
    line = sp.diags([-1.0, 2.0, -1.0], [-1, 0, 1], shape=(n, n))
    return sp.csc_matrix(sp.kron(line, sp.eye(n)) + sp.kron(sp.eye(n), line))


def solved(workload, peer, n, solve, shift=0.0):
    angles = [np.pi * w / (n + 1) for w in WAVES]
    want = np.outer(*[np.sin(a * np.arange(1, n + 1)) for a in angles]).ravel()
    b = (4.0 - shift - 2.0 * np.cos(angles[0]) - 2.0 * np.cos(angles[1])) * want
    matrix = sp.csc_matrix(laplacian(n) - shift * sp.eye(n * n))
    got, times = timed(lambda: solve(matrix, b))
    emit(workload, peer, times, error_vs_reference=float(np.abs(got - want).max()))


def later(f):
    n = len(f)
    k = np.arange(1, n + 1)
    sines = np.sin(np.pi * np.outer(k, k) / (n + 1))
    rates = (2.0 * (n + 1) * np.sin(0.5 * np.pi * k / (n + 1))) ** 2
    return sines @ (2.0 / (n + 1) * (sines @ f) * np.exp(-TIME * rates))


def exponential():
    n = POINTS
    i = np.arange(n)
    f, g = np.sin(0.1 + 0.05 * i), np.cos(0.2 + 0.03 * i)
    v, want = np.outer(f, g).ravel(), np.outer(later(f), later(g)).ravel()
    operator = sp.csr_matrix(-TIME * (n + 1) ** 2 * laplacian(n))
    trace = operator.trace()
    got, times = timed(lambda: expm_multiply(operator, v, traceA=trace))
    error = np.linalg.norm(got - want) / np.linalg.norm(v)
    emit("L2.expm.256", "scipy-expm_multiply", times, error_vs_reference=float(error))


if __name__ == "__main__":
    try:
        from sksparse.cholmod import cholesky
    except ImportError as absent:
        cholesky = None
        print(f"L2: CHOLMOD is left out: {absent}", file=sys.stderr)
    for n in (256, 512):
        for order in ORDERS:
            solved(f"L2.lu.{n}", f"scipy-splu-{order}", n, lambda a, b: splu(a, permc_spec=order).solve(b))
        # With rows exchanged MMD_AT_PLUS_A takes minutes, and MMD_ATA no less than COLAMD.
        solved(f"L2.helmholtz.{n}", "scipy-splu-COLAMD", n, lambda a, b: splu(a).solve(b), SHIFT)
        symmetric = dict(permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options=dict(SymmetricMode=True))
        solved(f"L2.cholesky.{n}", "scipy-splu-symmetric", n, lambda a, b: splu(a, **symmetric).solve(b))
        if cholesky is not None:
            solved(f"L2.cholesky.{n}", "cholmod", n, lambda a, b: cholesky(a)(b))
    exponential()
