"""Batches of utterances of one length, engines mixed by a fixed share, short ones first."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from workers.training.augment import SILENCE
from workers.training.callers import FLITE_SHARE, Heard
from workers.training.words import characters, phones

# Mel frames of speech a batch, at the start and at the end. CTC first sits on a plateau of blanks;
# many small batches of short, nearly clean speech leave it sooner than few large ones.
BATCH_FRAMES: Final = (2_000, 4_000)
GROWTH: Final = (0.08, 0.35)  # of the budget: when utterances and batches begin and end to grow
SHORTEST_LIMIT: Final = 110  # frames, at the start
# Silence before and after speech, in frames: a turn has about 40 before and 60 after.
SHORT_LEAD: Final = (0, 10)
SHORT_TAIL: Final = (20, 30)
LONG_LEAD: Final = (20, 50)
LONG_TAIL: Final = (50, 75)


@dataclass(frozen=True, slots=True)
class Batch:
    """Padded mels (B, F, 80), and the CTC targets of all rows end to end."""

    mels: Tensor
    lengths: Tensor  # (B,) frames
    phones: Tensor
    phone_counts: Tensor  # (B,)
    characters: Tensor
    character_counts: Tensor  # (B,)


class Pool:
    """The utterances of one kind of engine, ordered by length."""

    def __init__(self, heard: Sequence[Heard]) -> None:
        self.heard = sorted(heard, key=lambda h: len(h.mels))

    def near(self, frames: int, count: int, rng: random.Random) -> list[Heard]:
        """`count` utterances about `frames` long, none longer than a tenth more."""
        middle = self.longest(frames)
        first = max(0, middle - max(4 * count, len(self.heard) // 25))
        return rng.choices(self.heard[first : middle + 1], k=count)

    def longest(self, frames: int) -> int:
        """Index of the last utterance of at most `frames` (0 where there is none)."""
        low, high = 0, len(self.heard)
        while low < high:
            middle = (low + high) // 2
            if len(self.heard[middle].mels) <= frames:
                low = middle + 1
            else:
                high = middle
        return max(0, low - 1)


class Corpus:
    """Draws batches; seeded."""

    def __init__(self, heard: Sequence[Heard], seed: int) -> None:
        self._rng = random.Random(seed)
        self._flite = Pool([h for h in heard if h.voice.startswith("flite")])
        self._espeak = Pool([h for h in heard if not h.voice.startswith("flite")])
        if not self._flite.heard or not self._espeak.heard:
            raise ValueError("Expected training shards with both engines: run the corpus stage")

    def draw(self, fraction: float) -> Batch:
        """A batch; at a small `fraction` of the budget of short utterances only."""
        begin, end = GROWTH
        growth = min(1.0, max(0.0, (fraction - begin) / (end - begin)))
        longest = len(self._espeak.heard[-1].mels)
        limit = SHORTEST_LIMIT + growth * (longest - SHORTEST_LIMIT)
        place = self._espeak.longest(round(limit))
        frames = len(self._espeak.heard[self._rng.randint(min(place, 200), place)].mels)
        small, large = BATCH_FRAMES
        count = max(8, round(small + growth * (large - small)) // frames)
        flite = round(count * FLITE_SHARE)
        chosen = self._flite.near(frames, flite, self._rng)
        chosen += self._espeak.near(frames, count - flite, self._rng)
        self._rng.shuffle(chosen)
        # Long silences cost as much as speech: two batches in three have short ones.
        short = self._rng.random() < 0.67
        lead, tail = (SHORT_LEAD, SHORT_TAIL) if short else (LONG_LEAD, LONG_TAIL)
        before = [self._rng.randint(*lead) for _ in chosen]
        after = [self._rng.randint(*tail) for _ in chosen]
        return collate(chosen, before, after)


def collate(heard: Sequence[Heard], before: Sequence[int], after: Sequence[int]) -> Batch:
    """Pad the utterances with their own silence before and after, and to one length."""
    lengths = [b + len(h.mels) + a for h, b, a in zip(heard, before, after, strict=True)]
    mels = torch.full((len(heard), max(lengths), heard[0].mels.shape[1]), SILENCE)
    for row, (h, start) in enumerate(zip(heard, before, strict=True)):
        mels[row, start : start + len(h.mels)] = torch.from_numpy(h.mels.astype("float32"))
    said = [phones(h.text) for h in heard]
    spelled = [characters(h.text) for h in heard]
    return Batch(
        mels,
        torch.tensor(lengths),
        torch.tensor([p for row in said for p in row]),
        torch.tensor([len(row) for row in said]),
        torch.tensor([c for row in spelled for c in row]),
        torch.tensor([len(row) for row in spelled]),
    )
