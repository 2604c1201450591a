"""One slot's context as the model sees it: what is put on its next positions, and what was said.

Live steps and rebuilds go through the same three calls, so that both see the same history:
`hear` states, `plan` positions, then `say` what was generated (or what the log holds).

In front of the present turn may lie the one before, as the samples of training have it: there two
turns were put one behind the other, and what an interruption cut off was not in the first.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np

from shared.voices import UNCHOSEN, Persona
from workers.engines.base import Past, Speak
from workers.models.speech_to_speech.vocabulary import EOS, GO, PAD

# Heard positions that a turn keeps: 12.8 s. Longer turns were never trained.
MAX_HEARD: Final = 160
# Of a turn that is still being heard, what is read in one go: BEGIN finds fewer left to read.
AHEAD: Final = 8
# Positions that training showed at once; a turn before that leaves no room is forgotten whole.
LONGEST: Final = 250
ROOM_REPLY: Final = 60  # kept free for the reply, 4.8 s; a longer one lets the window slide
ROOM_QUESTION: Final = 40  # ... and for a question that is read as it is heard: stream mode
AFTER_REPLY: Final = 4  # stream mode: positions behind a reply's end, as training has them ...
TAIL: Final = 8  # ... which hear again what was heard last, since the listener has stopped


class GeneratedStep(NamedTuple):
    """One generated step."""

    text: int
    codes: tuple[int, ...]

    def to_bytes(self) -> bytes:
        """What the log carries: the numbers as little-endian uint16, the text first."""
        return np.array([self.text, *self.codes], dtype="<u2").tobytes()

    @classmethod
    def from_bytes(cls, logged: bytes) -> "GeneratedStep":
        """The reverse."""
        text, *codes = np.frombuffer(logged, dtype="<u2").tolist()
        return cls(text, tuple(codes))


class Position(NamedTuple):
    """What one position of the model takes in; `heard` None: it hears nothing."""

    heard: bytes | None  # a state as it is logged
    text: int
    codes: tuple[int, ...]


@dataclass(slots=True)
class SlotContext:
    """The present turn: what waits to be read, and how far a reply is."""

    seed: int
    quiet: tuple[int, ...]  # the input codes of a step without sound
    persona: Persona = UNCHOSEN
    earlier: tuple[Position, ...] = ()  # the turn before
    longest: int = LONGEST  # positions that this turn and the one before may take
    pending: list[bytes] = field(default_factory=list)  # heard, not yet read by the model
    last: GeneratedStep | None = None  # the step before, where it made something
    replying: bool = False
    spoken: int = 0  # steps of sound in the present reply
    unsounded: list[tuple[int, ...]] = field(default_factory=list)  # codes yet to be said aloud
    letter: int = 0  # the class that what was heard last ended with
    count: int = 0  # positions of this turn so far: with the seed it fixes every draw

    def hear(self, states: Sequence[bytes]) -> None:
        """States of the chunks just heard as they are logged, oldest first."""
        self.pending.extend(states)
        del self.pending[:-MAX_HEARD]

    def ahead(self) -> list[Position]:
        """What BEGIN would have read by now, the turn before first; it may be read before it.

        Of more than a turn keeps nothing: what is read would begin too early.
        """
        if self._crowded(Speak.BEGIN):  # and so it will be when the turn has ended
            self.earlier = ()
        pending = self.pending if len(self.pending) < MAX_HEARD else []
        return [*self.earlier, *(Position(state, PAD, self.quiet) for state in pending)]

    def plan(self, speak: Speak) -> list[Position]:
        """The positions that this step adds; what is generated comes from the last of them."""
        if speak is Speak.NONE or (speak is Speak.DUPLEX and not self.pending):
            return []
        if self.count == 0 and self._crowded(speak):
            self.earlier = ()
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

    def _crowded(self, speak: Speak) -> bool:
        """Whether the turn before leaves too little room for this one, which is to be read."""
        room = ROOM_REPLY + (ROOM_QUESTION if speak is Speak.DUPLEX else 0)
        return len(self.earlier) + len(self.pending) + room > self.longest

    def _duplex(self) -> list[Position]:
        """In a reply only the newest chunk counts: one step of speech takes one position."""
        if self.replying:
            return [self._position(self.pending[-1])]
        first, *others = self.pending
        return [self._position(first), *(Position(s, PAD, self.quiet) for s in others)]

    def _position(self, heard: bytes | None) -> Position:
        text = self.last.text if self.last else PAD
        return Position(heard, text, self.last.codes if self.last else self.quiet)

    def say(self, said: GeneratedStep) -> None:
        """What the step just planned made."""
        if self.replying and said.text != EOS:
            self.spoken += 1
        if said.text == GO:
            self.replying, self.spoken = True, 0
        elif said.text == EOS:
            self.replying = False
        self.last = said


def remembered(turn: Sequence[Past], quiet: tuple[int, ...]) -> tuple[Position, ...]:
    """The positions of a whole turn, or of one as far as its reply was heard, for the next one."""
    context = SlotContext(0, quiet)
    positions: list[Position] = []
    for past in turn:
        context.hear(past.heard)
        positions += context.plan(past.speak)
        if past.said is not None:
            context.say(GeneratedStep.from_bytes(past.said))
    ended = context.last is not None and context.last.text == EOS
    if ended and turn[-1].speak is Speak.DUPLEX:
        positions += _silence(positions, quiet)
    return tuple(positions)


def _silence(positions: Sequence[Position], quiet: tuple[int, ...]) -> list[Position]:
    """Behind a stream's reply: its end is read, then nothing more."""
    cue = next(at for at in reversed(range(len(positions))) if positions[at].text == GO) - 1
    tail = positions[cue:][-TAIL:]
    texts = [EOS, *[PAD] * (AFTER_REPLY - 1)]
    return [Position(tail[at % len(tail)].heard, text, quiet) for at, text in enumerate(texts)]
