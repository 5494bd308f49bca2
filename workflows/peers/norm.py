"""K9: layer norm and softmax of [4096, 256], f32, forward and backward; see
workflows/src/bench/kernels/norm.rs."""
from common import THREADS, np, timed, emit, main, bias, inputs, targets


def run():
    import torch
    import torch.nn.functional as F
    torch.set_num_threads(THREADS)
    b = bias(256, 0)
    data = [2 * inputs(4096, 256), 1 + b, b, targets(4096, 256)]
    ops = dict(layer_norm=lambda x, w, b: F.layer_norm(x, (256,), w, b, 1e-5),
               softmax=lambda x, w, b: torch.softmax(x, 1))
    for name, op in ops.items():
        def gradient(dtype):
            x, w, b, t = [torch.tensor(d, dtype=dtype) for d in data]
            leaves = [v.requires_grad_() for v in (x, w, b)]

            def work():
                for v in leaves:
                    v.grad = None
                op(*leaves).backward(t)
                return x.grad

            return work, lambda: op(*leaves)

        exact = float(gradient(torch.float64)[0]().norm())
        work, forward = gradient(torch.float32)
        grad, t = timed(work)
        _, f = timed(forward, budget=2.0)
        norm = float(grad.double().norm())
        emit(f"K9.{name}", "torch", t, steps=1, grad_norm=norm, forward_median_s=f["median_s"],
             forward_min_s=f["min_s"], error_vs_reference=abs(norm / exact - 1))


if __name__ == "__main__":
    main(dict(torch=run))
