"""One slot's context as the model sees it: what is put on its next positions, and what was said.

Live steps and rebuilds go through the same three calls, so that both see the same history:
`hear` states, `plan` positions, then `say` what was generated (or what the log holds).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np
from torch import Tensor

from shared.offer import UNCHOSEN, Persona
from workers.engines.base import Speak
from workers.models.vocabulary import EOS, GO, PAD

# Heard positions that a turn keeps: 12.8 s. Longer turns were never trained.
MAX_HEARD: Final = 160


class Said(NamedTuple):
    """One generated step."""

    text: int
    codes: tuple[int, ...]

    def to_bytes(self) -> bytes:
        """What the log carries: the numbers as little-endian uint16, the text first."""
        return np.array([self.text, *self.codes], dtype="<u2").tobytes()

    @classmethod
    def from_bytes(cls, logged: bytes) -> "Said":
        """The reverse."""
        text, *codes = np.frombuffer(logged, dtype="<u2").tolist()
        return cls(text, tuple(codes))


class Position(NamedTuple):
    """What one position of the model takes in; `heard` None: it hears nothing."""

    heard: Tensor | None  # (W,)
    text: int
    codes: tuple[int, ...]


@dataclass(slots=True)
class Context:
    """Since the context base: what waits to be read, and how far a reply is."""

    seed: int
    quiet: tuple[int, ...]  # the input codes of a step without sound
    persona: Persona = UNCHOSEN
    pending: list[Tensor] = field(default_factory=list)  # heard, not yet read by the model
    last: Said | None = None  # the step before, where it made something
    replying: bool = False
    spoken: int = 0  # steps of sound in the present reply
    count: int = 0  # positions so far: with the seed it fixes every draw

    def hear(self, states: Sequence[Tensor]) -> None:
        """States of the chunks just heard, oldest first."""
        self.pending.extend(states)
        del self.pending[:-MAX_HEARD]

    def plan(self, speak: Speak) -> list[Position]:
        """The positions that this step adds; what is generated comes from the last of them."""
        if speak is Speak.NONE or (speak is Speak.DUPLEX and not self.pending):
            return []
        if speak is Speak.CONTINUE:
            positions = [self._position(None)]
        elif speak is Speak.BEGIN:
            positions = [Position(state, PAD, self.quiet) for state in self.pending]
            positions.append(Position(None, GO, self.quiet))
            self.replying, self.spoken = True, 0
        else:
            positions = self._duplex()
        self.pending.clear()
        self.count += len(positions)
        return positions

    def _duplex(self) -> list[Position]:
        """In a reply only the newest chunk counts: one step of speech takes one position."""
        if self.replying:
            return [self._position(self.pending[-1])]
        first, *others = self.pending
        return [self._position(first), *(Position(s, PAD, self.quiet) for s in others)]

    def _position(self, heard: Tensor | None) -> Position:
        text = self.last.text if self.last else PAD
        return Position(heard, text, self.last.codes if self.last else self.quiet)

    def say(self, said: Said) -> None:
        """What the step just planned made."""
        if self.replying and said.text != EOS:
            self.spoken += 1
        if said.text == GO:
            self.replying, self.spoken = True, 0
        elif said.text == EOS:
            self.replying = False
        self.last = said
