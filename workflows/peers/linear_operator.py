"""L1: the matrix of a Laplacian on a grid times a vector, and an inner product, in SciPy and NumPy; see
bench/kernels/linear_operator.rs. SciPy's product runs on one thread."""
from common import emit, np, timed_repeated

import scipy.sparse as sp

N = 1024
WAVES = (3.0, 5.0)


if __name__ == "__main__":
    line = sp.diags([-1.0, 2.0, -1.0], [-1, 0, 1], shape=(N, N))
    matrix = sp.csr_matrix(sp.kron(line, sp.eye(N)) + sp.kron(sp.eye(N), line))
    angles = [np.pi * w / (N + 1) for w in WAVES]
    waves = [np.sin(a * np.arange(1, N + 1)) for a in angles]
    x = np.outer(*waves).ravel()
    eigenvalue = 4.0 - 2.0 * np.cos(angles[0]) - 2.0 * np.cos(angles[1])

    y, times = timed_repeated(10, lambda: matrix @ x)
    error = float(np.abs(y - eigenvalue * x).max() / eigenvalue)
    # Indices of 4 bytes.
    gb = 1e-9 * (12 * matrix.nnz + 20 * N * N) / times["median_s"]
    emit("L1.sparse.1024", "scipy-csr", times, error_vs_reference=error, gb_per_s=gb)

    z = x.copy()
    product, times = timed_repeated(10, lambda: x @ z)
    error = abs(float(product) / ((N + 1) / 2) ** 2 - 1)
    emit("L1.inner.1m", "numpy", times, error_vs_reference=error, gb_per_s=16e-9 * N * N / times["median_s"])
