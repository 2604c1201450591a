"""Chooses tokens from logits: greedily, or by draws that session, step and codebook determine.

A draw depends neither on the batch nor on how often the slot was rebuilt.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor


class TokenChoice(Protocol):
    """Chooses a token a row: logits (N, S) -> (N,) int64. `part` 0 is text, q + 1 is code q."""

    def __call__(self, logits: Tensor, part: int) -> Tensor: ...


def greedy(logits: Tensor, part: int) -> Tensor:
    """The likeliest token of each row."""
    del part
    return logits.argmax(-1)


def _uniform(seed: int, step: int, part: int, size: int) -> Tensor:
    """`size` uniform numbers in (0, 1), which the three counters alone determine."""
    key = hashlib.blake2b(f"{seed}/{step}/{part}".encode(), digest_size=8).digest()
    generator = torch.Generator().manual_seed(int.from_bytes(key, "little") >> 1)
    return torch.rand(size, generator=generator).clamp(1e-9, 1 - 1e-7)


@dataclass(frozen=True, slots=True)
class Draws:
    """Samples at a temperature among the `top` likeliest tokens, by the Gumbel-max trick."""

    seeds: Sequence[int]  # of the rows' sessions
    steps: Sequence[int]  # the number of positions in each row's context
    temperature: float
    top: int = 50

    def __call__(self, logits: Tensor, part: int) -> Tensor:
        """Logits (N, S) -> tokens (N,). Each row's draw depends on its own session and step."""
        kept, number = logits.float().topk(min(self.top, logits.shape[-1]), dim=-1)
        uniform = torch.stack(
            [
                _uniform(seed, step, part, kept.shape[-1])
                for seed, step in zip(self.seeds, self.steps, strict=True)
            ]
        ).to(logits.device)
        noisy = kept / self.temperature - torch.log(-torch.log(uniform))
        return number.gather(-1, noisy.argmax(-1, keepdim=True))[:, 0]
