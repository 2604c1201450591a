"""Cross entropy through a frozen head, without keeping logits: the gradient is made on the way."""

from typing import Any, Final

import torch
import torch.nn.functional as F
from torch import Tensor

ROWS: Final = 64  # at a time: their float32 logits stay near the processor


class _Losses(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, head: Tensor, targets: Tensor) -> Tensor:
        """x (N, D), head (vocab, D) bfloat16, targets (N,) -> losses (N,) float32."""
        losses = torch.empty(len(x))
        slopes = torch.empty_like(x)
        for at in range(0, len(x), ROWS):
            part, wanted = x[at : at + ROWS], targets[at : at + ROWS, None]
            logits = F.linear(part, head).float()
            shares = logits.log_softmax(-1)
            losses[at : at + ROWS] = -shares.gather(1, wanted)[:, 0]
            shares.exp_()
            shares.scatter_add_(1, wanted, -torch.ones_like(wanted, dtype=torch.float32))
            slopes[at : at + ROWS] = shares.to(x.dtype) @ head
        ctx.save_for_backward(slopes)
        return losses

    @staticmethod
    def backward(ctx: Any, *slopes: Any) -> tuple[Tensor, None, None]:
        (own,) = ctx.saved_tensors
        return (own.float() * slopes[0][:, None]).to(own.dtype), None, None


def losses_of(x: Tensor, head: Tensor, targets: Tensor) -> Tensor:
    """Cross entropy (N,) of targets (N,) after states x (N, D), with a head (vocab, D)."""
    found: Tensor = _Losses.apply(x, head, targets)  # type: ignore[no-untyped-call]
    return found
