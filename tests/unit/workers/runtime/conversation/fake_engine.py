"""An engine whose replies are a script, or a digest of all that its slot knows."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from msgspec import structs

from shared.audio import FRAME_SAMPLES
from shared.voices import Offer
from workers.engines.base import Opening, Output, Past, Speak, Traits, Work

REPLY_STEPS = 6


@dataclass
class _Slot:
    """What the slot's context holds, as a digest, and the reply's steps so far."""

    known: bytes = b""
    chunks: int = 0
    spoken: int | None = None  # None: it does not reply
    words: list[str] = field(default_factory=list)


class FakeEngine:
    """One slot. It notes its openings and its works."""

    slots = 1
    offer = Offer()

    def __init__(self, traits: Traits, script: Sequence[Output] = ()) -> None:
        self.traits = traits
        self.script = script  # a reply's outputs; empty: REPLY_STEPS bursts made from the context
        self.finished: float | None = None  # its opinion in every pause
        self.aside = ""  # the words of all short speech over replies
        self.keeps: int | None = None  # chunks of a turn that are not settled; None: all
        self.openings: list[Opening] = []
        self.works: list[Work] = []
        self.folds: list[tuple[bytes, Sequence[Past], int | None]] = []
        self._slot = _Slot()

    def spoken(self, speak: Speak) -> list[Work]:
        """The works of this kind."""
        return [work for work in self.works if work.speak is speak]

    def open(self, slot: int, opening: Opening) -> None:
        """Know what the opening says."""
        self.openings.append(opening)
        earlier = [(past.heard, past.said) for past in opening.earlier]
        self._slot = _Slot(_digest(opening.memory, opening.seed, earlier, opening.instructions))
        for _ in self.replay(slot, opening.history):
            pass

    def replay(self, slot: int, history: Sequence[Past]) -> Iterator[None]:
        """Take each logged step."""
        for past in history:
            assert past.said == self._advance(past)
            yield

    def close(self, slot: int) -> None:
        """Forget the slot."""
        self._slot = _Slot()

    def fold(self, memory: bytes, turn: Sequence[Past], frames: int | None) -> bytes:
        """A digest of everything that there was."""
        if not self.traits.folds:
            return b""
        self.folds.append((memory, turn, frames))
        steps = [(past.heard, past.said, past.speak, past.began, past.ended) for past in turn]
        return _digest(memory, steps, frames)

    def step(self, batch: Sequence[Work]) -> list[Output]:
        """One output for the one slot."""
        (work,) = batch
        self.works.append(work)
        said = self._advance(work)
        heard = tuple(chunk.tobytes()[:4] for chunk in work.hear)
        words = f"{self._slot.chunks // 10} tens of chunks {work.typed}".rstrip()
        finished = self.finished if work.paused else None
        aside = self.aside if work.aside else ""
        settled = 0 if self.keeps is None else max(0, self._slot.chunks - self.keeps)
        output = Output(
            0, heard, said, words=words, aside=aside, finished=finished, settled=settled
        )
        if said is None:
            return [output]
        spoken = self._slot.spoken or 0
        if self.script:
            return [structs.replace(self.script[spoken - 1], heard=heard, said=said, aside=aside)]
        pcm = np.frombuffer(said * 30 * self.traits.burst_frames, np.int16) // 512
        pcm = pcm.astype(np.int16)[: FRAME_SAMPLES * self.traits.burst_frames]
        began, ended = spoken == 1, spoken == REPLY_STEPS
        return [
            structs.replace(
                output, pcm=pcm, words_at=((0, f"word{spoken}"),), began=began, ended=ended
            )
        ]

    def _advance(self, work: Work | Past) -> bytes | None:
        slot = self._slot
        states = [chunk.tobytes()[:4] for chunk in work.hear]
        if isinstance(work, Past):
            # Of a settled chunk there is only the state.
            assert states == list(work.heard[len(work.heard) - len(states) :])
            states = list(work.heard)
        for state in states:
            slot.chunks += 1
            slot.known = _digest(slot.known, state)
        if work.speak is Speak.NONE:
            return None
        slot.spoken = 1 if work.speak is Speak.BEGIN else (slot.spoken or 0) + 1
        slot.known = _digest(slot.known, slot.spoken)
        return slot.known


def _digest(*parts: object) -> bytes:
    return hashlib.sha256(repr(parts).encode()).digest()
