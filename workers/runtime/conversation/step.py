"""Declares the parts of one step of a conversation: plan, draft and log write.

They are structs, since each step makes one of each: a frozen dataclass takes many times as long.
"""

from typing import Final, NamedTuple

import msgspec
import numpy as np
from msgspec import field

from shared.audio import CHUNK_SAMPLES, Pcm16
from shared.log.records import OutputRecord, StepRecord, Truncate
from shared.log.writes import StepCommit
from shared.modes import ReplyMode
from workers.engines.base import Opening, Speak, Work

SILENCE: Final = np.zeros(CHUNK_SAMPLES, dtype=np.int16)  # replaces a muted chunk


class Chunk(NamedTuple):
    """80 ms of the caller's audio and the number of its input record."""

    n: int
    pcm: Pcm16


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What a conversation asks of the engine in this step."""

    opening: Opening | None = None  # open the slot again before the work
    hear: tuple[Pcm16, ...] = ()
    speak: Speak = Speak.NONE
    lead: int = 0  # frames of the reply that the caller has yet to hear, about
    paused: bool = False  # the caller is silent in the middle of a turn, or has just ended it
    aside: tuple[Pcm16, ...] = ()  # short speech over a reply, to be read
    aside_joins: bool = False  # it may go on with the turn
    typed: str = ""  # words that the caller typed, after what they said

    @property
    def idle(self) -> bool:
        """Whether the engine has nothing to do; then settle with None."""
        return not self.hear and not self.aside and self.speak is Speak.NONE

    def work(self, slot: int) -> Work:
        """The plan as one slot's share of a batch."""
        return Work(
            slot=slot,
            hear=self.hear,
            speak=self.speak,
            lead=self.lead,
            paused=self.paused,
            aside=self.aside,
            aside_joins=self.aside_joins,
            typed=self.typed,
        )


class Draft(msgspec.Struct, kw_only=True):
    """A step in the making: what the records consumed so far have asked for."""

    hear: list[Chunk] = field(default_factory=list)
    speak: Speak = Speak.NONE
    paused: bool = False
    aside: list[Chunk] = field(default_factory=list)  # short speech over a reply, to be read
    aside_joins: bool = False  # it may go on with the turn
    typed: str = ""  # words that the caller typed, after what they said
    reset: bool = False  # a new context begins; `hear` starts with its pre-roll
    reopened: bool = False  # the context goes on without its reply
    moved: bool = False  # only the context's newest steps stay
    muted: list[int] = field(default_factory=list)  # records of `hear` that became silence
    rebriefed: bool = False  # the context goes on with another brief
    rebased: bool = False  # the remembered turns were replaced
    truncates: list[Truncate] = field(default_factory=list)
    events: list[OutputRecord] = field(default_factory=list)
    consumed: bool = False  # a record was consumed
    full: bool = False  # the engine must step before another record is consumed

    def drop_work(self) -> None:
        """Ask nothing of the engine after all."""
        self.hear.clear()
        self.aside.clear()
        self.typed = ""
        self.speak = Speak.NONE
        self.paused = self.reset = self.reopened = self.rebriefed = self.full = False
        self.moved = False
        self.muted.clear()


class LogWrite(msgspec.Struct, frozen=True, kw_only=True):
    """What one step writes into the log: a `StepCommit` without its session and owner."""

    first_step: int
    steps: tuple[StepRecord, ...]
    first_output: int
    outputs: tuple[OutputRecord, ...]
    cursor: int
    frame: int
    generation: int
    mode: ReplyMode
    keep_inputs: int
    keep_steps: int
    keep_outputs: int
    drop_step: int

    def commit(self, sid: str, owner: str) -> StepCommit:
        """The write as its owner sends it."""
        return StepCommit(
            sid=sid,
            owner=owner,
            first_step=self.first_step,
            steps=self.steps,
            first_output=self.first_output,
            outputs=self.outputs,
            cursor=self.cursor,
            frame=self.frame,
            generation=self.generation,
            mode=self.mode,
            keep_inputs=self.keep_inputs,
            keep_steps=self.keep_steps,
            keep_outputs=self.keep_outputs,
            drop_step=self.drop_step,
        )
