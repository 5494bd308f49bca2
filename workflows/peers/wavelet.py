"""K4: a filter bank over several levels in PyTorch; see bench/kernels/wavelet.rs.

Convolutions of stride two with both (four) filters at once, zeros beyond the ends.
"""
from common import THREADS, emit, inputs, main, np, timed

import torch
import torch.nn.functional as F

torch.set_num_threads(THREADS)
SIGNAL = [362.03871778552406, 512.0000000000007]
IMAGE = [724.0779477144368, 1023.9999999999943]

# Daubechies' reconstruction low-pass filters with 4 and 2 vanishing moments.
DB4 = [0.2303778133088965, 0.7148465705529157, 0.6308807679298589, -0.027983769416859854, -0.18703481171909309, 0.030841381835560764, 0.0328830116668852, -0.010597401785069032]
DB2 = [0.48296291314453416, 0.8365163037378079, 0.2241438680420134, -0.12940952255126037]


def kernels(rec_lo):
    """Both decomposition filters, backwards, as convolutions take them."""
    h = np.array(rec_lo)
    low = h
    high = (np.where(np.arange(len(h)) % 2 == 0, -1.0, 1.0) * h)[::-1]
    return np.stack([low, high])


def measure(workload, shape, levels, expected, kernel, conv):
    n = shape[-1]
    x = torch.tensor(inputs(int(np.prod(shape)) // n, n).astype(np.float32).reshape(shape), requires_grad=True)
    taps = kernel.shape[-1]
    weight = torch.tensor(kernel.astype(np.float32))
    pad = [taps - 2, taps - 1] * (len(shape) - 2)

    def run():
        x.grad = None
        y, all_bands = x, []
        for _ in range(levels):
            bands = conv(F.pad(y, pad), weight, stride=2)
            all_bands.append(bands[:, 1:])
            y = bands[:, :1]
        all_bands.append(y)
        torch.autograd.backward(all_bands, [torch.ones_like(b) for b in all_bands])
        return all_bands

    bands, stats = timed(run)
    value = sum(b.detach().double().square().sum().item() for b in bands) ** 0.5
    norm = x.grad.double().norm().item()
    emit(workload, "torch", stats, steps=1, error_vs_reference=abs(value / expected[0] - 1),
         norm=value, grad_norm=norm, grad_norm_error=abs(norm / expected[1] - 1))


def signal():
    measure("K4.dwt.1d", (64, 1, 4096), 5, SIGNAL, kernels(DB4)[:, None], F.conv1d)


def image():
    k = kernels(DB2)
    measure("K4.dwt.2d", (16, 1, 256, 256), 3, IMAGE, np.einsum("ai,bj->abij", k, k).reshape(4, 1, 4, 4), F.conv2d)


if __name__ == "__main__":
    main({"signal": signal, "image": image})
