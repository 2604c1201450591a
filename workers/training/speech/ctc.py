"""Connectionist temporal classification: targets, loss, greedy decoding. Class 0 is the blank.

Letters: B rows, T frames, C classes.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from workers.models.tokenizer.spelling import begun


def targets(texts: Sequence[str], spell: Callable[[str], list[int]]) -> tuple[Tensor, Tensor]:
    """The classes of all texts end to end, and how many each text has (B,)."""
    rows = [spell(text) for text in texts]
    classes, counts = [one for row in rows for one in row], [len(row) for row in rows]
    return torch.tensor(classes, dtype=torch.long), torch.tensor(counts, dtype=torch.long)


def ctc_loss(logits: Tensor, frames: Tensor, targets: Tensor, counts: Tensor) -> Tensor:
    """Nats per target symbol, from logits (B, T, C). `frames` (B,): how many steps are valid."""
    chances = logits.log_softmax(-1).transpose(0, 1)  # (B, T, C) -> (T, B, C)
    total = F.ctc_loss(
        chances, targets.to(logits.device), frames, counts, reduction="sum", zero_infinity=True
    )
    return total / counts.sum().clamp(min=1)  # a batch may contain no speech


def best_path(logits: Tensor, frames: int) -> list[int]:
    """The likeliest class of each frame of one row (T, C), without repeats and blanks."""
    return begun(logits[:frames].argmax(-1).tolist())
