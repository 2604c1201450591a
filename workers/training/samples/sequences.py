"""How a heard question and its reply lie on the model's positions, and what is to be learned there.

Letters: B rows, T positions, Q codebooks, W width of a heard state, R steps of a reply.
Turn mode: heard positions, then reply positions that hear nothing. Stream mode: every position
hears; the model itself says GO at a fixed time after the end of speech, later where that breaks
off. The reply's positions are those after GO: the first has GO as its input, the last says EOS and
makes no sound.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from workers.models.s2s import Inputs, S2SConfig
from workers.models.vocabulary import GO, MASK, PAD
from workers.training.samples.replies import TargetReply

Floats = NDArray[np.float32]
Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]

# Turn mode: steps heard after the end of speech; the VAD needs 600 ms and may lag.
TURN_TAIL: Final = (5, 12)
# Stream mode: GO comes this many steps (560 ms) after the end of speech.
GO_AFTER: Final = 7
GO_LATE: Final = 20  # ... where what was said breaks off: its caller may go on
AFTER_REPLY: Final = 4  # stream mode: silent positions trained behind EOS
# Weight of a PAD while listening. With .05 a GO was said where it was likely once in twenty times:
# two in three callers who paused in mid-question were answered too early.
PAD_OUTSIDE: Final = 0.25
PAD_INSIDE: Final = 0.3  # weight of a PAD between the words of a reply
HIDE_TEXT: Final = 0.1  # share of the assistant's own text inputs hidden in training
# ... and of its codes: a text that leans on codes goes astray with the first wrong one.
HIDE_CODES: Final = 0.25
HIDE_HEARD: Final = 0.08
STUMBLE: Final = 0.05  # share of heard positions dropped, and as many doubled
NOISE: Final = 0.15  # of the states' own spread


@dataclass(frozen=True, slots=True)
class Sample:
    """One training sequence of T positions."""

    heard: Floats  # (T, W)
    hears: Flags  # (T,)
    text: Integers  # (T,) inputs
    codes: Integers  # (T, Q) inputs
    next_text: Integers  # (T,) targets
    weight: Floats  # (T,) of the text's loss
    next_codes: Integers  # (T, Q) targets where `speaks`
    speaks: Flags  # (T,)
    listens: Flags  # (T,) where the caller's words are heard: before the reply
    asked: Integers  # (T,) their numbers, one a position from the turn's first on; 0 beyond


def _said(
    reply: TargetReply, before: int, after: int, config: S2SConfig
) -> dict[str, NDArray[np.int64]]:
    """Inputs and targets of `before` listening positions, the reply, and `after` silent ones."""
    steps = len(reply.codes)
    quiet = np.full((1, config.codebooks), config.quiet, dtype=np.int64)
    none = np.zeros((1, config.codebooks), dtype=np.int64)
    silence = np.zeros(before, dtype=np.int64)
    rest = np.zeros(after, dtype=np.int64)
    return {
        "text": np.concatenate([silence, [GO], reply.tokens, rest])[: before + steps + 1 + after],
        "next_text": np.concatenate([silence, reply.tokens, rest]),
        "codes": np.concatenate([quiet.repeat(before + 1, 0), reply.codes, quiet.repeat(after, 0)]),
        "next_codes": np.concatenate(
            [none.repeat(before, 0), reply.codes, none.repeat(1 + after, 0)]
        ),
    }


def _asked(asked: Sequence[int], before: int, total: int) -> Integers:
    """The caller's words, so many as there are positions that listen."""
    numbers = np.zeros(total, dtype=np.int64)
    numbers[: min(len(asked), before)] = asked[:before]
    return numbers


def _weights(next_text: Integers, before: int, steps: int) -> Floats:
    weight = np.where(next_text == PAD, PAD_INSIDE, 1.0).astype(np.float32)
    outside = np.ones(len(next_text), dtype=bool)
    outside[before : before + steps + 1] = False
    return np.where(outside & (next_text == PAD), np.float32(PAD_OUTSIDE), weight)


def turn_sample(
    heard: Floats, reply: TargetReply, config: S2SConfig, asked: Sequence[int] = ()
) -> Sample:
    """Turn mode: all of `heard` (n, W), then the reply behind it, hearing nothing.

    `asked`: the numbers of the caller's words, where they are to be learned.
    """
    before, steps = len(heard), len(reply.codes)
    said = _said(reply, before, 0, config)
    unheard = np.zeros((steps + 1, heard.shape[1]), dtype=np.float32)
    place = np.arange(before + steps + 1)
    weight = _weights(said["next_text"], before, steps)
    weight[:before] = 0.0  # when the turn ends is not the model's to say
    return Sample(
        np.concatenate([heard, unheard]),
        place < before,
        weight=weight,
        speaks=(place >= before) & (place < before + steps),
        listens=place < before,
        asked=_asked(asked, before, len(place)),
        **said,
    )


def stream_sample(
    heard: Floats, go: int, reply: TargetReply, config: S2SConfig, asked: Sequence[int] = ()
) -> Sample:
    """Stream mode: GO is said at position `go`; `heard` is the question and the quiet after it.

    Where `heard` ends before the reply does, its last states go on.
    """
    before, steps = go + 1, len(reply.codes)
    said = _said(reply, before, AFTER_REPLY, config)
    total = before + steps + 1 + AFTER_REPLY
    said["next_text"][go] = GO
    tail = max(1, min(8, len(heard) - go))
    place = np.arange(total)
    beyond = len(heard) - tail + (place - len(heard)) % tail
    return Sample(
        heard[np.where(place < len(heard), place, beyond)],
        np.ones(total, dtype=bool),
        weight=_weights(said["next_text"], before, steps),
        speaks=(place >= before) & (place < before + steps),
        listens=place < before,
        asked=_asked(asked, before, total),
        **said,
    )


def joined(first: Sample, second: Sample) -> Sample:
    """Two turns of one conversation, one behind the other."""
    parts = {
        name: np.concatenate([getattr(first, name), getattr(second, name)])
        for name in Sample.__slots__
    }
    return Sample(**parts)


def interrupted(sample: Sample, rng: np.random.Generator) -> Sample:
    """The sample up to a place in its reply: the caller spoke over the rest."""
    said = np.flatnonzero(sample.speaks)
    if len(said) < 4:
        return sample
    cut = int(rng.integers(said[2], said[-1]))
    return Sample(**{name: getattr(sample, name)[:cut] for name in Sample.__slots__})


def stumbled(heard: Floats, rng: np.random.Generator) -> Floats:
    """Some positions dropped, some doubled: a speed no rendition has."""
    luck = rng.random(len(heard))
    times = np.where(luck < STUMBLE, 0, np.where(luck > 1 - STUMBLE, 2, 1))
    return heard[np.arange(len(heard)).repeat(times)]


def disturbed(
    sample: Sample, config: S2SConfig, spread: Floats, rng: np.random.Generator
) -> Sample:
    """The sample with noise on what was heard, and parts of its inputs hidden."""
    count = len(sample.text)
    noise = rng.standard_normal(sample.heard.shape, dtype=np.float32)
    text_hidden = (rng.random(count) < HIDE_TEXT) & (sample.text != GO)
    codes_hidden = (rng.random(count) < HIDE_CODES) & (sample.text != GO)
    return replace(
        sample,
        heard=sample.heard + noise * spread * np.float32(NOISE * rng.random()),
        hears=sample.hears & (rng.random(count) >= HIDE_HEARD),
        text=np.where(text_hidden, MASK, sample.text),
        codes=np.where(codes_hidden[:, None], config.hidden, sample.codes),
    )


@dataclass(frozen=True, slots=True)
class SampleBatch:
    """Samples padded on the right to one length: their losses weigh nothing there."""

    inputs: Inputs
    next_text: Tensor  # (B, T)
    weight: Tensor  # (B, T)
    next_codes: Tensor  # (B, T, Q)
    speaks: Tensor  # (B, T)
    listens: Tensor  # (B, T)
    asked: Tensor  # (B, T)

    def to(self, device: torch.device) -> "SampleBatch":
        """The batch on another device."""
        given = self.inputs
        moved = (p.to(device) for p in (given.heard, given.hears, given.text, given.codes))
        rest = (self.next_text, self.weight, self.next_codes, self.speaks, self.listens, self.asked)
        return SampleBatch(Inputs(*moved), *(part.to(device) for part in rest))


def _stack(parts: Sequence[NDArray[np.generic]], length: int) -> Tensor:
    first = parts[0]
    whole = np.zeros((len(parts), length, *first.shape[1:]), dtype=first.dtype)
    for row, part in zip(whole, parts, strict=True):
        row[: len(part)] = part
    return torch.from_numpy(whole)


def collate(samples: Sequence[Sample]) -> SampleBatch:
    """Samples -> one batch."""
    length = max(len(sample.text) for sample in samples)
    columns = {
        name: _stack([getattr(sample, name) for sample in samples], length)
        for name in Sample.__slots__
    }
    inputs = Inputs(*(columns.pop(name) for name in ("heard", "hears", "text", "codes")))
    return SampleBatch(inputs, **columns)
