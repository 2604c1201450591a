"""Chooses tokens: greedily, or with numbers that the call's seed and the step's place determine.

A step's nine numbers are drawn before it and sent to the GPU at once, so that one graph can hold
the whole step. They depend neither on the batch nor on how often a call was rebuilt.

Another batch sums in another order, so its logits differ by rounding. A draw must not depend on
that. So each token races with a time of its own, a hash of the step's number and the token. The
earliest wins (an exponential race). A small change of the logits seldom changes the winner. One
number against sums of sorted probabilities would pick another token wherever two nearly equal
ones swap places.
"""

import hashlib
from collections.abc import Callable
from typing import Final

import numpy as np
import torch
from torch import Tensor

from shared.audio import Floats
from workers.models.moshi.config import CODES, Sampling

# Logits (N, S) of part 0 (text) or q + 1 (code q) -> tokens (N,).
Choice = Callable[[Tensor, int], Tensor]
PARTS = 1 + CODES

# Odd factors of a 32-bit integer hash, as int32 (0x9E3779B1; Wellons' 0x7FEB352D and 0x846CA68B).
_SPREAD: Final = -0x61C8864F
_MIXERS: Final = (0x7FEB352D, -0x7B935975)
_BITS: Final = 23  # a float32 holds so many, and a half


def draws(seed: int, step: int) -> Floats:
    """Nine uniform numbers in [0, 1), float32, for step `step` of a context with this seed."""
    key = hashlib.blake2b(f"{seed}/{step}".encode(), digest_size=4 * PARTS).digest()
    return np.frombuffer(key, "<u4").astype(np.float32) / np.float32(2**32 + 512)


def greedy(logits: Tensor, part: int) -> Tensor:
    """The likeliest token of each row."""
    del part
    return logits.argmax(-1)


def sampler(sampling: Sampling, numbers: Tensor) -> Choice:
    """Samples with the numbers (N, 9) among the likeliest tokens."""

    def choose(logits: Tensor, part: int) -> Tensor:
        code = part > 0
        temperature = sampling.code_temperature if code else sampling.text_temperature
        if temperature <= 0:
            return greedy(logits, part)
        top = min(sampling.code_top if code else sampling.text_top, logits.shape[-1])
        kept, token = logits.topk(top, dim=-1)
        times = waits(numbers[:, part, None], token).log_()
        first = (kept / temperature - times).argmax(-1, keepdim=True)
        return token.gather(-1, first)[:, 0]

    return choose


def waits(number: Tensor, token: Tensor) -> Tensor:
    """Exponentially distributed numbers above 0, one for each number (N, 1) and token (N, S)."""
    x = number.contiguous().view(torch.int32) ^ (token.to(torch.int32) * _SPREAD)
    for factor in _MIXERS:
        x = (x ^ (x >> 16)) * factor
    x = (x ^ (x >> 16)) & ((1 << _BITS) - 1)
    return (x.float() + 0.5).mul_(0.5**_BITS).log_().neg_()
