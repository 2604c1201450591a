"""Gives back what it hears: no model, no torch. The oracle of every transport test.

Stream mode: each chunk comes back as it came. Turn mode: the reply is the turn, chunk by chunk.
"""

from collections import deque
from collections.abc import Iterator, Sequence

from shared.audio import Pcm16
from shared.voices import Offer
from workers.engines.base import Opening, Output, Past, Speak, Traits, Work

_SAID = b""  # there is nothing to remember of a step but that it was


class EchoEngine:
    """Engine whose every frame is a function of the input alone."""

    traits = Traits(gated=False)
    offer = Offer()

    def __init__(self, slots: int) -> None:
        self.slots = slots
        self._heard: list[deque[Pcm16]] = [deque() for _ in range(slots)]

    def open(self, slot: int, opening: Opening) -> None:
        """Forget the slot's past, then hear and say the history again."""
        self._heard[slot].clear()
        for _ in self.replay(slot, opening.history):
            pass

    def replay(self, slot: int, history: Sequence[Past]) -> Iterator[None]:
        """Hear and say it again, a position a piece."""
        for past in history:
            self._advance(slot, past)
            yield

    def close(self, slot: int) -> None:
        """Forget the slot."""
        self._heard[slot].clear()

    def fold(self, memory: bytes, turn: Sequence[Past], frames: int | None) -> bytes:
        """Nothing: it remembers one turn at most, step by step."""
        return b""

    def step(self, batch: Sequence[Work]) -> list[Output]:
        """One output a work; see the module."""
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
