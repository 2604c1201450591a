"""Declares the interface between the runtime and an engine: open, step and close slots.

The runtime decides what each session does: it owns the VAD, turns and interruptions. An engine
turns one batch of such work into listener states, codes, text and audio. It holds no session
identity beyond its slots and does no I/O. One thread calls it.

A slot's context is a list of positions of one turn, of two kinds.
- A listening position belongs to one chunk and has the listener's state.
- A speaking position belongs to one generated step and has what the engine logs of that step.
In turn mode the listening positions come first. In stream mode one position holds both sides.
Earlier turns come in front: the last one step by step, or all of them folded into bytes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Protocol

import msgspec

from shared.audio import FRAMES_PER_CHUNK, Floats, Pcm16
from shared.modes import ReplyMode
from shared.voices import UNCHOSEN, Offer, Persona


class Speak(IntEnum):
    """What an engine does for one slot in this step."""

    NONE = 0  # listen only; a model may read ahead, some chunks at a time
    BEGIN = 1  # turn mode: the turn has ended; read the rest of it and begin the reply
    CONTINUE = 2  # turn mode: the reply's next step
    DUPLEX = 3  # stream mode: one step for the newest chunk; the model decides when to speak


@dataclass(frozen=True, slots=True)
class Traits:
    """The properties of an engine that the runtime needs for a conversation."""

    # False: in stream mode the engine steps with every chunk and nothing interrupts it (echo).
    # True: the runtime wakes the slot when the VAD detects speech.
    gated: bool = True
    # True: in stream mode the model decides when to speak (Speak.DUPLEX). False: the runtime ends
    # turns in stream mode too, after less silence than in turn mode.
    duplex: bool = True
    burst_frames: int = FRAMES_PER_CHUNK  # the most frames that one step returns
    # Replies that are all so far ahead of their playheads wait until one of them is less far ahead;
    # then they go on together. For an engine whose steps cost hardly more for many slots than for
    # one. None: a reply goes on until it is as far ahead as any may be.
    enough_frames: int | None = None
    max_reply_steps: int = 128  # of 80 ms each: 10.2 s; the runtime ends a longer reply
    # After this many steps without a new word the runtime ends a reply. None: it does not, because
    # the engine gives no words or cannot go on without them.
    max_wordless_steps: int | None = None
    # How long a step may take before callers notice. An engine that makes 80 ms of sound a step has
    # 80 ms. An engine that makes seconds of sound at once has more.
    step_limit_ms: float = 80.0
    # The engine transcribes a turn when the caller pauses and says how finished it sounds.
    prepares: bool = False
    # The engine reads words: it takes typed turns, and says what short speech over a reply was.
    reads: bool = False
    # Each new turn's context begins with all earlier turns, folded by `Engine.fold`.
    folds: bool = False
    # The modes that the engine has. A session in another one runs in the first of them.
    modes: tuple[ReplyMode, ...] = (ReplyMode.TURN, ReplyMode.STREAM)
    # The chunks that a context may hold; it bounds what a rebuild costs. 250: 20 s of hearing.
    context_chunks: int = 250
    # Above 0: the engine hears and speaks from the call's first chunk to its last. When its context
    # is full, only the newest `carry_chunks` steps stay, of one chunk each.
    carry_chunks: int = 0
    # How many of the newest chunks' audio a rebuild needs. None: the whole context's.
    rehear_chunks: int | None = None
    # What a turn of the loop may spend on a replay while other sessions wait for their steps.
    replay_ms: float = 10.0


# Structs, since each step of each session makes one: a frozen dataclass takes ten times as long.
class Work(msgspec.Struct, frozen=True):
    """One slot's share of a batched step."""

    slot: int
    # Chunks to listen to in this step, oldest first, int16 of shape (1920,) each. Usually there is
    # none or one. A turn starts with several (the pre-roll before speech).
    hear: tuple[Pcm16, ...] = ()
    speak: Speak = Speak.NONE
    lead: int = 0  # frames of the reply that the caller has yet to hear, about; 0 without a reply
    # The caller has paused since the last speech: an engine that `prepares` may get the answer
    # ready and reports `finished`. If the caller goes on, it discards the preparation.
    paused: bool = False
    # Short speech over a reply, at most 4 s. An engine that `reads` reports its words as `aside`.
    # The turn and its reply do not depend on it.
    aside: tuple[Pcm16, ...] = ()
    # The aside follows the turn that is being answered, so read it together with that turn.
    aside_joins: bool = False
    # Words that the caller typed, with `Speak.BEGIN`, for an engine that `reads`. They follow the
    # turn's speech.
    typed: str = ""


class Output(msgspec.Struct, frozen=True):
    """The result of one slot's work."""

    slot: int
    heard: tuple[bytes, ...] = ()  # one opaque listener state for each chunk, logged with the step
    said: bytes | None = None  # one opaque generated step, logged; None: nothing was generated
    # The assistant's voice, int16 or float32 of full scale 1. The limiter acts on float32 before it
    # clips. Shape (1920,), or any up to the engine's `burst_frames`. None: no sound in this step.
    # An engine whose vocoder looks ahead returns its last audio with `ended` (any shape there).
    pcm: Pcm16 | Floats | None = None
    text: str = ""  # words of the reply that begin in this step
    # The same words one by one, in order, each with the frame of `pcm` in which it begins. An
    # engine that fills this leaves `text` empty.
    words_at: tuple[tuple[int, str], ...] = ()
    rough: str = ""  # a rough transcript, in letters, of this step's chunks
    # From models that recognise words: the transcript of the whole turn so far. It comes at the
    # turn's end, in a pause or while the caller speaks; in stream mode with every step outside a
    # reply.
    words: str = ""
    aside: str = ""  # the words of `Work.aside`; "" for noise
    finished: float | None = None  # probability that the turn is over after `words`
    began: bool = False  # this step is a reply's first
    ended: bool = False  # this step is a reply's last
    # How many of the turn's oldest chunks are settled: the log holds their result, so a rebuilt
    # slot does not need their audio. It grows during a long turn.
    settled: int = 0


class Past(msgspec.Struct, frozen=True):
    """One logged step of a turn, as `Engine.replay` takes it."""

    # The audio, from the input log, of the chunks that are not settled. Empty for a step that only
    # spoke, and in a turn that is over.
    hear: tuple[Pcm16, ...] = ()
    heard: tuple[bytes, ...] = ()
    said: bytes | None = None
    speak: Speak = Speak.NONE
    began: bool = False
    ended: bool = False


@dataclass(frozen=True, slots=True)
class Opening:
    """Everything that an engine needs to build a slot's state, at the start of a turn or in it."""

    seed: int  # of the turn's sampling; seed and step count determine every draw
    history: Sequence[Past] = field(default=())  # the turn's logged steps, oldest first
    earlier: Sequence[Past] = field(default=())  # the remembered part of the previous turn
    persona: Persona = UNCHOSEN
    memory: bytes = b""  # all earlier turns, as `Engine.fold` returned them
    instructions: str = ""  # the caller's own system prompt; "": the engine's
    # With `Traits.rehear_chunks`: the steps before the history whose audio still matters.
    reheard: Sequence[Past] = field(default=())
    # The slot continues its call, and only the start of its context has moved. The history then has
    # the steps that stay, without audio. State outside of the context, such as a codec's, stays.
    moved: bool = False


class Engine(Protocol):
    """A batch of slots. Rows are independent: no slot's output depends on the other slots."""

    slots: int
    traits: Traits
    offer: Offer  # the voices and styles of its replies

    def open(self, slot: int, opening: Opening) -> None:
        """Begin a turn in a slot: keep only the earlier turns, then replay the history.

        The engine may reuse what the slot already holds of the earlier turns.
        """

    def replay(self, slot: int, history: Sequence[Past]) -> Iterator[None]:
        """Teacher-force more of an open slot's history, without sampling, in bounded pieces.

        Nothing happens before the first `next`. Each `next` takes about as long as a step, so that
        the runtime can step other slots in between. The caller must exhaust the iterator.
        """

    def step(self, batch: Sequence[Work]) -> list[Output]:
        """Advance the slots of the batch, each at most once. Return one output a work, in order."""

    def close(self, slot: int) -> None:
        """Free a slot. Its row may hold garbage until the next `open`."""

    def fold(self, memory: bytes, turn: Sequence[Past], frames: int | None) -> bytes:
        """Fold the turn just answered into the earlier ones, for the next turn's context.

        Pure, bounded in size and called on the event loop. `frames`: how many frames of the reply
        were played; None: all of them. Engines without `Traits.folds` return b"".
        """
