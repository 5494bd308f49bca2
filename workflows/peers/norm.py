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
        exact = [torch.tensor(d) for d in data]
        exact = float((op(*exact[:3]) * exact[3]).sum())
        x, w, b_, t_ = [torch.tensor(d, dtype=torch.float32) for d in data]
        leaves = [v.requires_grad_() for v in (x, w, b_)]

        def work():
            for v in leaves:
                v.grad = None
            loss = (op(*leaves) * t_).sum()
            loss.backward()
            return loss

        loss, t = timed(work)
        loss = float(loss)
        emit(f"K9.{name}", "torch", t, steps=1, loss=loss,
             grad_norm=float(x.grad.double().norm()), error_vs_reference=abs(loss / exact - 1))


if __name__ == "__main__":
    main(dict(torch=run))
