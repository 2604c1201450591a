"""Chooses tokens: greedily, or with numbers that the call's seed and the step's place determine.

A step's nine numbers are drawn before it and sent to the GPU at once, so that one graph can hold
the whole step. They depend neither on the batch nor on how often a call was rebuilt.
"""

import hashlib
from collections.abc import Callable

import numpy as np
from torch import Tensor
from torch.nn import functional as F

from shared.audio import Floats
from workers.models.moshi.config import CODES, Sampling

# Logits (N, S) of part 0 (text) or q + 1 (code q) -> tokens (N,).
Choice = Callable[[Tensor, int], Tensor]
PARTS = 1 + CODES


def draws(seed: int, step: int) -> Floats:
    """Nine uniform numbers in [0, 1), float32, for step `step` of a context with this seed."""
    key = hashlib.blake2b(f"{seed}/{step}".encode(), digest_size=4 * PARTS).digest()
    return np.frombuffer(key, "<u4").astype(np.float32) / np.float32(2**32 + 512)


def greedy(logits: Tensor, part: int) -> Tensor:
    """The likeliest token of each row."""
    del part
    return logits.argmax(-1)


def sampler(sampling: Sampling, numbers: Tensor) -> Choice:
    """Samples with the numbers (N, 9), among the likeliest tokens by the inverse of their sums."""

    def choose(logits: Tensor, part: int) -> Tensor:
        code = part > 0
        temperature = sampling.code_temperature if code else sampling.text_temperature
        if temperature <= 0:
            return greedy(logits, part)
        top = min(sampling.code_top if code else sampling.text_top, logits.shape[-1])
        kept, number = logits.topk(top, dim=-1)
        shares = F.softmax(kept / temperature, dim=-1).cumsum(-1)  # (N, top)
        place = (shares < numbers[:, part, None] * shares[:, -1:]).sum(-1, keepdim=True)
        return number.gather(-1, place)[:, 0]

    return choose
