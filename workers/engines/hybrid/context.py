"""Holds one slot's context as the model reads it: the positions to read and the generated steps.

Live steps and rebuilds make the same three calls, so that both give the model the same history:
`hear` states, `plan` positions, then `say` what the model generated (or what the log holds).

The previous turn may precede the current one, as in the training samples. Those concatenate two
turns, and the first lacks what an interruption cut off.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np

from shared.voices import UNCHOSEN, Persona
from workers.engines.base import Past, Speak
from workers.models.speech_to_speech.vocabulary import EOS, GO, PAD

# Listening positions that a turn keeps: 12.8 s. Training had no longer turns.
MAX_HEARD: Final = 160
# How many chunks back a listener's state depends on the audio: 6 layers of 40 steps, and the
# convolutions.
HEARS_BACK: Final = 240
SETTLE_STEP: Final = 5  # chunks: the audio of a long turn is dropped in such pieces
# Positions that the model reads at once while the caller still speaks, so that BEGIN reads fewer.
AHEAD: Final = 8
# Positions of a training sample. A previous turn that leaves too little room is dropped whole.
LONGEST: Final = 250
ROOM_REPLY: Final = 60  # positions kept free for the reply, 4.8 s; a longer one slides the window
ROOM_QUESTION: Final = 40  # kept free in stream mode for the question, which is read as it comes
AFTER_REPLY: Final = 4  # stream mode: positions after a reply's end, as in training
TAIL: Final = 8  # the last states, which these positions repeat, since the listener has stopped


class GeneratedStep(NamedTuple):
    """One generated step."""

    text: int
    codes: tuple[int, ...]

    def to_bytes(self) -> bytes:
        """The bytes for the log: the numbers as little-endian uint16, the text first."""
        return np.array([self.text, *self.codes], dtype="<u2").tobytes()

    @classmethod
    def from_bytes(cls, logged: bytes) -> "GeneratedStep":
        """A step from its logged bytes."""
        text, *codes = np.frombuffer(logged, dtype="<u2").tolist()
        return cls(text, tuple(codes))


class Position(NamedTuple):
    """The input of one position of the model; `heard` None: a position without a state."""

    heard: bytes | None  # a logged listener state
    text: int
    codes: tuple[int, ...]


@dataclass(slots=True)
class SlotContext:
    """The current turn: the states to read, and the progress of a reply."""

    seed: int
    quiet: tuple[int, ...]  # the input codes of a step without sound
    persona: Persona = UNCHOSEN
    earlier: tuple[Position, ...] = ()  # the previous turn
    longest: int = LONGEST  # the most positions of this turn and the previous one
    pending: list[bytes] = field(default_factory=list)  # states that the model has not read yet
    last: GeneratedStep | None = None  # the last generated step
    replying: bool = False
    spoken: int = 0  # steps of sound in the current reply
    # Codes that the voice has not spoken yet.
    unsounded: list[tuple[int, ...]] = field(default_factory=list)
    letter: int = 0  # the last CTC class of the rough transcript
    chunks: int = 0  # heard in this turn, those that `pending` dropped included
    count: int = 0  # positions of this turn so far; seed and count determine every draw

    def hear(self, states: Sequence[bytes]) -> None:
        """Add the logged states of new chunks, oldest first."""
        self.chunks += len(states)
        self.pending.extend(states)
        del self.pending[:-MAX_HEARD]

    @property
    def settled(self) -> int:
        """The turn's oldest chunks that a rebuilt listener need not hear again."""
        return max(0, self.chunks - HEARS_BACK) // SETTLE_STEP * SETTLE_STEP

    def ahead(self) -> list[Position]:
        """The positions that BEGIN would read, the previous turn first. They may be read early.

        For a turn at its maximal length there are none: its first positions will be dropped.
        """
        if self._crowded(Speak.BEGIN):  # it will still be when the turn has ended
            self.earlier = ()
        pending = self.pending if len(self.pending) < MAX_HEARD else []
        return [*self.earlier, *(Position(state, PAD, self.quiet) for state in pending)]

    def plan(self, speak: Speak) -> list[Position]:
        """The positions that this step adds. The step is generated from the last of them."""
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
        """Whether the previous turn leaves too little room for this one."""
        room = ROOM_REPLY + (ROOM_QUESTION if speak is Speak.DUPLEX else 0)
        return len(self.earlier) + len(self.pending) + room > self.longest

    def _duplex(self) -> list[Position]:
        """Positions in stream mode. A reply takes one position a step, with the newest chunk."""
        if self.replying:
            return [self._position(self.pending[-1])]
        first, *others = self.pending
        return [self._position(first), *(Position(s, PAD, self.quiet) for s in others)]

    def _position(self, heard: bytes | None) -> Position:
        text = self.last.text if self.last else PAD
        return Position(heard, text, self.last.codes if self.last else self.quiet)

    def say(self, said: GeneratedStep) -> None:
        """Record what the planned step generated."""
        if self.replying and said.text != EOS:
            self.spoken += 1
        if said.text == GO:
            self.replying, self.spoken = True, 0
        elif said.text == EOS:
            self.replying = False
        self.last = said


def remembered(turn: Sequence[Past], quiet: tuple[int, ...]) -> tuple[Position, ...]:
    """A turn's positions for the next turn, as far as the caller played the reply."""
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
    """The positions after a reply in stream mode: its end, then silence."""
    cue = next(at for at in reversed(range(len(positions))) if positions[at].text == GO) - 1
    tail = positions[cue:][-TAIL:]
    texts = [EOS, *[PAD] * (AFTER_REPLY - 1)]
    return [Position(tail[at % len(tail)].heard, text, quiet) for at, text in enumerate(texts)]
