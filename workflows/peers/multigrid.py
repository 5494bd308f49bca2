"""L3: the problems of bench/kernels/multigrid.rs with algebraic multigrid, PyAMG, as a preconditioner of
conjugate gradients; set-up included. Settings are PyAMG's own."""
import sys

from common import emit, np, timed

try:
    import pyamg
    import scipy.sparse as sp
except ImportError as error:
    sys.exit(f"L3 needs PyAMG and SciPy: {error}")

WAVES = (3.0, 5.0, 2.0)
TOLERANCE = 1e-10


def axis(n, k):
    """-d/dx (k d/dx) in the cells of one line, the value zero at both ends; k at its n + 1 faces, the
    first and the last half a cell away."""
    h = 1.0 / n
    t = k / h**2
    t[0] *= 2.0
    t[-1] *= 2.0
    return sp.diags([-t[1:-1], t[:-1] + t[1:], -t[1:-1]], [-1, 0, 1])


def laplacian(n, dimensions):
    line, one = axis(n, np.ones(n + 1)), sp.eye(n)
    total = sp.csr_matrix((n**dimensions,) * 2)
    for place in range(dimensions):
        product = sp.csr_matrix([[1.0]])
        for k in range(dimensions):
            product = sp.kron(product, line if k == place else one)
        total = total + product
    return sp.csr_matrix(total)


def chessboard(n):
    field = 7 * np.arange(n) // n
    k = np.where((field[:, None] + field[None, :]) % 2 == 0, 1.0, 1000.0)
    index = np.arange(n * n).reshape(n, n)
    rows, columns, values = [], [], []
    diagonal = np.zeros((n, n))
    for place in range(2):
        kk, at, d = (np.moveaxis(x, place, 0) for x in (k, index, diagonal))
        t = 2.0 / (1.0 / kk[1:] + 1.0 / kk[:-1]) * n**2
        d[1:] += t
        d[:-1] += t
        d[0] += 2.0 * kk[0] * n**2
        d[-1] += 2.0 * kk[-1] * n**2
        rows += [at[1:].ravel(), at[:-1].ravel()]
        columns += [at[:-1].ravel(), at[1:].ravel()]
        values += [-t.ravel()] * 2
    rows, columns = np.concatenate([index.ravel(), *rows]), np.concatenate([index.ravel(), *columns])
    values = np.concatenate([diagonal.ravel(), *values])
    return sp.csr_matrix((values, (rows, columns)), shape=(n * n,) * 2)


def run(workload, matrix, n, dimensions):
    x = (np.arange(n) + 0.5) / n
    u = np.ones(1)
    for w in WAVES[:dimensions]:
        u = np.multiply.outer(u, np.sin(w * np.pi * x))
    u = u.ravel()
    f = matrix @ u
    for name, setup in (
        ("ruge_stuben", pyamg.ruge_stuben_solver),
        ("smoothed_aggregation", pyamg.smoothed_aggregation_solver),
    ):

        def work():
            # PyAMG's tolerance is relative to the right-hand side.
            return setup(matrix).solve(f, tol=TOLERANCE, accel="cg", maxiter=200)

        found, times = timed(work, min_runs=2, max_runs=3)
        residual = np.linalg.norm(f - matrix @ found) / np.linalg.norm(f)
        error = float(np.abs(found - u).max() / np.abs(u).max())
        peer = f"pyamg-{name}-cg"
        emit(workload, peer, times, error_vs_reference=error, relative_residual=float(residual))


if __name__ == "__main__":
    run("L3.poisson2d.1024", laplacian(1024, 2), 1024, 2)
    run("L3.poisson3d.128", laplacian(128, 3), 128, 3)
    run("L3.jump2d.512", chessboard(512), 512, 2)
