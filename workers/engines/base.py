"""The interface between the runtime and an engine: open a slot, step a batch, close a slot.

The runtime decides what each session does (it owns VAD, turns and interruption); an engine turns
one batch of such work into heard states, codes, text and audio. An engine holds no session
identity beyond its slots and does no I/O. One thread calls it.

A slot's context is a list of positions of one turn:
- heard positions: one a chunk, the listener's state;
- said positions: one a generated step, text token and codes of the assistant.
In turn mode heard positions come first, then said ones. In stream mode one position holds both.
In front of them may lie the positions of the turn before, which the model is to remember.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Protocol

from shared.audio import Floats, Pcm16
from shared.voices import UNCHOSEN, Offer, Persona


class Speak(IntEnum):
    """What the language model does for one slot in this step."""

    NONE = 0  # listen only: a model reads it ahead, some chunks at a time
    BEGIN = 1  # turn mode: the turn has ended; prefill what was heard, force the start of a reply
    CONTINUE = 2  # turn mode: the reply's next step
    DUPLEX = 3  # stream mode: one step for the chunk just heard; the model decides when to speak


@dataclass(frozen=True, slots=True)
class Work:
    """One slot's share of a batched step."""

    slot: int
    # Chunks to hear in this step, oldest first, int16 of shape (1920,) each: usually none or one;
    # several at the start of a turn (the pre-roll before speech).
    hear: tuple[Pcm16, ...] = ()
    speak: Speak = Speak.NONE


@dataclass(frozen=True, slots=True)
class Output:
    """What one slot's work gave."""

    slot: int
    heard: tuple[bytes, ...] = ()  # one opaque listener state a chunk heard, logged with the step
    said: bytes | None = None  # opaque generated step (text token and codes), logged; None: none
    # 80 ms of the assistant's voice, shape (1920,), int16 or (better: the guard then limits it
    # before it clips) float32 of full scale 1; None: no reply is going on.
    # An engine whose vocoder looks ahead gives its last audio with `ended` (shape (any,) there).
    pcm: Pcm16 | Floats | None = None
    text: str = ""  # words of the reply that begin in this step
    rough: str = ""  # letters that the caller seems to have said in the chunks heard
    # From models that know words, all that the caller said: with a turn's end; in stream mode so
    # far, with every step that is none of a reply.
    words: str = ""
    began: bool = False  # this step is a reply's first
    ended: bool = False  # this step is a reply's last


@dataclass(frozen=True, slots=True)
class Past:
    """One logged step of a turn, as `Engine.replay` takes it."""

    # The audio, from the input log; empty for a step that only said, and in a turn that is over.
    hear: tuple[Pcm16, ...] = ()
    heard: tuple[bytes, ...] = ()
    said: bytes | None = None
    speak: Speak = Speak.NONE
    began: bool = False
    ended: bool = False


@dataclass(frozen=True, slots=True)
class Opening:
    """All an engine needs to make a slot's state as a turn begins, or within it."""

    seed: int  # of the turn's sampling; with the step count it fixes every draw
    history: Sequence[Past] = field(default=())  # what was logged of the turn, oldest first
    earlier: Sequence[Past] = field(default=())  # the turn before, as far as it is remembered
    persona: Persona = UNCHOSEN


class Engine(Protocol):
    """A batch of slots. Rows are independent: no slot's output depends on its neighbours."""

    slots: int
    # False: in stream mode every chunk is stepped and nothing counts as an interruption (echo).
    # True: the runtime wakes the slot when the VAD hears speech.
    gated: bool
    offer: Offer  # what its replies can sound like

    def open(self, slot: int, opening: Opening) -> None:
        """Begin a turn in a slot: forget all but `earlier`, then `replay` the history to its end.

        What of `earlier` the slot's state already has need not be computed anew.
        """

    def replay(self, slot: int, history: Sequence[Past]) -> Iterator[None]:
        """Teacher-force more of an open slot's history, never sampling, in bounded pieces.

        Nothing is done before the first `next`; each does about as much as a step costs, so that
        the neighbours can be stepped between one and the next. To be gone through to its end.
        """

    def step(self, batch: Sequence[Work]) -> list[Output]:
        """Advance the slots named in the batch (each at most once); one output a work, in order."""

    def close(self, slot: int) -> None:
        """Free a slot. Its row may hold garbage until the next `open`."""
