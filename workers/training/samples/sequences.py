"""Training sequences: how a question and its reply lie on the model's positions, with the targets.

In turn mode the listening positions come first, then reply positions without listener states. In
stream mode every position has a listener state, and the model itself says GO. It does so a fixed
time after the end of speech, and later if the speech breaks off. The reply's positions follow GO.
The first has GO as its input; the last says EOS and makes no sound.

Letters: B rows, T positions, Q codebooks, W width of a listener state.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from shared.audio import Floats
from workers.models.speech_to_speech.hybrid_s2s import Inputs, S2SConfig
from workers.models.speech_to_speech.vocabulary import GO, MASK, PAD
from workers.training.samples.replies import TargetReply

Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]

# Turn mode: steps after the end of speech. The VAD needs 600 ms and may lag.
TURN_TAIL: Final = (5, 12)
GO_AFTER: Final = 7  # stream mode: steps from the end of speech to GO, 560 ms
GO_LATE: Final = 20  # the same after speech that breaks off: its caller may continue
AFTER_REPLY: Final = 4  # stream mode: silent positions trained after EOS
# Weight of a PAD while listening. With .05 the model said GO where GO was right once in twenty
# times. It then answered two in three callers too early when they paused in mid-question.
PAD_OUTSIDE: Final = 0.25
PAD_INSIDE: Final = 0.3  # weight of a PAD between the words of a reply
HIDE_TEXT: Final = 0.1  # share of the assistant's text inputs hidden in training
# Share of its code inputs hidden. A text that relies on codes goes astray at the first wrong code.
HIDE_CODES: Final = 0.25
HIDE_STATES: Final = 0.08  # share of the listener's states hidden
STUMBLE: Final = 0.05  # share of listening positions dropped, and the same share doubled
NOISE: Final = 0.15  # of the states' standard deviation


@dataclass(frozen=True, slots=True)
class Sample:
    """One training sequence of T positions."""

    states: Floats  # (T, W) of the listener
    has_states: Flags  # (T,)
    text: Integers  # (T,) inputs
    codes: Integers  # (T, Q) inputs
    next_text: Integers  # (T,) targets
    text_weight: Floats  # (T,) of the text's loss
    next_codes: Integers  # (T, Q) targets where `speaks`
    speaks: Flags  # (T,)
    listens: Flags  # (T,) before the reply: the caller's words are recognised here
    caller_words: Integers  # (T,) their numbers, from the turn's first position on; 0 elsewhere


def _reply_parts(
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


def _padded(words: Sequence[int], before: int, total: int) -> Integers:
    """The caller's words, at most as many as there are listening positions."""
    numbers = np.zeros(total, dtype=np.int64)
    numbers[: min(len(words), before)] = words[:before]
    return numbers


def _weights(next_text: Integers, before: int, steps: int) -> Floats:
    weight = np.where(next_text == PAD, PAD_INSIDE, 1.0).astype(np.float32)
    outside = np.ones(len(next_text), dtype=bool)
    outside[before : before + steps + 1] = False
    return np.where(outside & (next_text == PAD), np.float32(PAD_OUTSIDE), weight)


def turn_sample(
    states: Floats, reply: TargetReply, config: S2SConfig, words: Sequence[int] = ()
) -> Sample:
    """Turn mode: all listener states (n, W), then the reply, at positions without states.

    `words`: the numbers of the caller's words, if the model is to learn them.
    """
    before, steps = len(states), len(reply.codes)
    parts = _reply_parts(reply, before, 0, config)
    none = np.zeros((steps + 1, states.shape[1]), dtype=np.float32)
    place = np.arange(before + steps + 1)
    weight = _weights(parts["next_text"], before, steps)
    weight[:before] = 0.0  # in turn mode the VAD decides when the turn ends
    return Sample(
        np.concatenate([states, none]),
        place < before,
        text_weight=weight,
        speaks=(place >= before) & (place < before + steps),
        listens=place < before,
        caller_words=_padded(words, before, len(place)),
        **parts,
    )


def stream_sample(
    states: Floats, go: int, reply: TargetReply, config: S2SConfig, words: Sequence[int] = ()
) -> Sample:
    """Stream mode: the model says GO at position `go`; states (n, W) of question and quiet.

    Where the states end before the reply, the last ones repeat.
    """
    before, steps = go + 1, len(reply.codes)
    parts = _reply_parts(reply, before, AFTER_REPLY, config)
    total = before + steps + 1 + AFTER_REPLY
    parts["next_text"][go] = GO
    tail = max(1, min(8, len(states) - go))
    place = np.arange(total)
    beyond = len(states) - tail + (place - len(states)) % tail
    return Sample(
        states[np.where(place < len(states), place, beyond)],
        np.ones(total, dtype=bool),
        text_weight=_weights(parts["next_text"], before, steps),
        speaks=(place >= before) & (place < before + steps),
        listens=place < before,
        caller_words=_padded(words, before, total),
        **parts,
    )


def joined(first: Sample, second: Sample) -> Sample:
    """Two turns of one conversation, one after the other."""
    parts = {
        name: np.concatenate([getattr(first, name), getattr(second, name)])
        for name in Sample.__slots__
    }
    return Sample(**parts)


def interrupted(sample: Sample, rng: np.random.Generator) -> Sample:
    """The sample up to a place in its reply, where the caller interrupted."""
    spoken = np.flatnonzero(sample.speaks)
    if len(spoken) < 4:
        return sample
    cut = int(rng.integers(spoken[2], spoken[-1]))
    return Sample(**{name: getattr(sample, name)[:cut] for name in Sample.__slots__})


def stumbled(states: Floats, rng: np.random.Generator) -> Floats:
    """The states (n, W) with some steps dropped and some doubled: a new speed."""
    luck = rng.random(len(states))
    times = np.where(luck < STUMBLE, 0, np.where(luck > 1 - STUMBLE, 2, 1))
    return states[np.arange(len(states)).repeat(times)]


def disturbed(
    sample: Sample, config: S2SConfig, spread: Floats, rng: np.random.Generator
) -> Sample:
    """The sample with noise on its states, and with parts of its inputs hidden.

    `spread` is the standard deviation of the listener's states, (W,).
    """
    count = len(sample.text)
    noise = rng.standard_normal(sample.states.shape, dtype=np.float32)
    text_hidden = (rng.random(count) < HIDE_TEXT) & (sample.text != GO)
    codes_hidden = (rng.random(count) < HIDE_CODES) & (sample.text != GO)
    return replace(
        sample,
        states=sample.states + noise * spread * np.float32(NOISE * rng.random()),
        has_states=sample.has_states & (rng.random(count) >= HIDE_STATES),
        text=np.where(text_hidden, MASK, sample.text),
        codes=np.where(codes_hidden[:, None], config.hidden, sample.codes),
    )


@dataclass(frozen=True, slots=True)
class SampleBatch:
    """Samples padded on the right to one length, with no loss on the padding."""

    inputs: Inputs
    next_text: Tensor  # (B, T)
    text_weight: Tensor  # (B, T)
    next_codes: Tensor  # (B, T, Q)
    speaks: Tensor  # (B, T)
    listens: Tensor  # (B, T)
    caller_words: Tensor  # (B, T)

    def to(self, device: torch.device) -> "SampleBatch":
        """The batch on another device."""
        given = self.inputs
        moved = (p.to(device) for p in (given.heard, given.hears, given.text, given.codes))
        names = [name for name in self.__slots__ if name != "inputs"]
        return SampleBatch(Inputs(*moved), *(getattr(self, name).to(device) for name in names))


def _stack(parts: Sequence[NDArray[np.generic]], length: int) -> Tensor:
    first = parts[0]
    whole = np.zeros((len(parts), length, *first.shape[1:]), dtype=first.dtype)
    for row, part in zip(whole, parts, strict=True):
        row[: len(part)] = part
    return torch.from_numpy(whole)


def collate(samples: Sequence[Sample]) -> SampleBatch:
    """One batch of samples."""
    length = max(len(sample.text) for sample in samples)
    columns = {
        name: _stack([getattr(sample, name) for sample in samples], length)
        for name in Sample.__slots__
    }
    inputs = Inputs(*(columns.pop(name) for name in ("states", "has_states", "text", "codes")))
    return SampleBatch(inputs, **columns)
