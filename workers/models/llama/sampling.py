"""Draws a reply's next token from logits, in pure numpy. A draw depends on its counters alone.

Each draw uses a uniform number, a function of the session's seed, the turn and the token's number.
It depends neither on the batch nor on how often a row was rebuilt.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

CANDIDATES: Final = 64  # the most tokens that a draw chooses among
# Tokens less likely than the likeliest by e^-9, after the temperature, are never drawn.
FAR: Final = 9.0


@dataclass(frozen=True, slots=True)
class Sampling:
    """The settings of sampling."""

    temperature: float = 0.7  # 0: always the likeliest
    top_p: float = 0.9  # the likeliest tokens that together have this share
    repetition: float = 0.6  # subtracted from the logits of the reply's recent tokens
    window: int = 40  # tokens that count as recent


@dataclass(frozen=True, slots=True)
class Draw:
    """The counters that identify a draw."""

    seed: int  # of the session
    turn: int
    number: int  # of the token in the reply

    @property
    def uniform(self) -> float:
        """The draw's uniform number, in [0, 1)."""
        key = f"{self.seed}/{self.turn}/{self.number}".encode()
        word = int.from_bytes(hashlib.blake2b(key, digest_size=8).digest(), "little")
        return (word >> 11) / (1 << 53)


def choose(logits: NDArray[np.float32], said: Sequence[int], sampling: Sampling, draw: Draw) -> int:
    """A token from logits (vocab,), after the reply's tokens so far. Does not change logits."""
    lately = sorted(set(said[-sampling.window :])) if sampling.repetition else []
    if lately:
        logits = logits.copy()
        logits[lately] -= sampling.repetition
    if sampling.temperature <= 0:
        return int(logits.argmax())
    top = logits.max()
    near = np.flatnonzero(logits >= top - FAR * sampling.temperature)
    order = near[np.argsort(-logits[near], kind="stable")][:CANDIDATES]
    shares = np.exp((logits[order].astype(np.float64) - float(top)) / sampling.temperature)
    shares /= shares.sum()
    before = np.cumsum(shares) - shares
    kept = shares[before < sampling.top_p]
    edges = np.cumsum(kept)
    return int(order[np.searchsorted(edges, draw.uniform * edges[-1], side="right")])
