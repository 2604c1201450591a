"""Sends the caller's audio back, without a model or torch. Every transport test relies on it.

Stream mode: each chunk comes back as it came. Turn mode: the reply is the turn, chunk by chunk.
"""

from collections import deque
from collections.abc import Iterator, Sequence

from shared.audio import Pcm16
from shared.voices import Offer
from workers.engines.base import Opening, Output, Past, Speak, Traits, Work

_SAID = b""  # the log needs no more of a step than that it took place


class EchoEngine:
    """Engine that makes each frame from the input alone."""

    traits = Traits(gated=False)
    offer = Offer()

    def __init__(self, slots: int) -> None:
        self.slots = slots
        self._heard: list[deque[Pcm16]] = [deque() for _ in range(slots)]

    def open(self, slot: int, opening: Opening) -> None:
        """Clear the slot, then replay the history."""
        self._heard[slot].clear()
        for _ in self.replay(slot, opening.history):
            pass

    def replay(self, slot: int, history: Sequence[Past]) -> Iterator[None]:
        """Replay the history, one position at a time."""
        for past in history:
            self._advance(slot, past)
            yield

    def close(self, slot: int) -> None:
        """Clear the slot."""
        self._heard[slot].clear()

    def fold(self, memory: bytes, turn: Sequence[Past], frames: int | None) -> bytes:
        """Return b"": this engine folds no turns."""
        return b""

    def step(self, batch: Sequence[Work]) -> list[Output]:
        """One output for each work, as the module describes."""
        return [self._output(work) for work in batch]

    def _output(self, work: Work) -> Output:
        pcm = self._advance(work.slot, work)
        heard = (b"",) * len(work.hear)
        if work.speak in (Speak.NONE, Speak.DUPLEX):
            return Output(work.slot, heard, pcm=pcm)
        return Output(
            work.slot,
            heard,
            said=_SAID,
            pcm=pcm,
            began=work.speak is Speak.BEGIN,
            ended=not self._heard[work.slot],
        )

    def _advance(self, slot: int, work: Work | Past) -> Pcm16 | None:
        waiting = self._heard[slot]
        if work.speak is Speak.DUPLEX:
            return work.hear[-1] if work.hear else None
        waiting.extend(work.hear)
        return waiting.popleft() if work.speak is not Speak.NONE and waiting else None
