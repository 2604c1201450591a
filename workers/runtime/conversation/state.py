"""Declares the state of one session's conversation: everything that its decisions depend on.

`snapshot.py` writes this value into the log and reads it back.
"""

from collections import deque
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from shared.log.records import Brief
from shared.modes import ReplyMode
from workers.runtime.conversation.memory import Memory
from workers.runtime.conversation.reply import Reply
from workers.runtime.conversation.speech_detector import VADS, SpeechDetector
from workers.runtime.conversation.step import Chunk
from workers.runtime.conversation.transcript import Transcript
from workers.runtime.conversation.tuning import Tuning

MAX_RING_CHUNKS: Final = 50  # 4 s: the audio with which a reopened turn continues


class Phase(IntEnum):
    """What a session is doing."""

    ASLEEP = 0  # the engine does nothing; only the VAD listens
    HEARING = 1  # the caller speaks, the engine hears
    REPLYING = 2  # the engine makes the assistant's reply
    PLAYING = 3  # the reply is made, but not yet played to its end


@dataclass(slots=True)
class Context:
    """What the engine has heard since the turn's first step."""

    first: int  # the first input record that a rebuild must hear
    chunks: int  # heard from there on
    base: int = 0  # the step at which it starts
    moved: int = 0  # how many of the chunks lie before that step
    # (input record, step) of every 64th chunk, as far back as a rebuild needs audio, oldest first.
    places: list[tuple[int, int]] = field(default_factory=list)
    spoke: bool = False  # real speech was in it
    started: int = 0  # the input record in which that speech began
    last: int = 0  # the last input record heard
    lasted: int = 0  # chunks since the turn began, withheld silence included
    settled: int = 0  # the oldest chunks heard; no rebuild needs their audio again
    finished: float | None = None  # the engine's opinion when the turn ended
    typed: bool = False  # the turn has words that the caller typed
    reopened: bool = False  # its first reply was withdrawn

    @property
    def oldest_step(self) -> int:
        """The first step that a rebuild needs."""
        return min(self.base, self.places[0][1]) if self.places else self.base

    def seed(self, *, endless: bool) -> int:
        """What to add to the session's seed, so that each context draws other numbers.

        In an endless context only chunks count. A step without audio, such as one for a report of
        the playhead, depends on when the report came; draws must not.
        """
        return self.moved if endless else self.base


@dataclass(slots=True)
class Aside:
    """Short speech over a reply, about which an engine that reads was asked."""

    n: int = 0  # the input record in which it began; 0: nothing was asked yet
    asked_ms: int = 0  # how much speech it had when the engine was asked last
    words: str = ""  # what the engine heard


def _ring() -> deque[Chunk]:
    return deque(maxlen=MAX_RING_CHUNKS)


@dataclass(slots=True)
class State:
    """One session; the numbers are those of the last record or frame written."""

    tuning: Tuning
    mode: ReplyMode
    detector: SpeechDetector
    cursor: int = 0  # last input record consumed
    step: int = 0
    output: int = 0
    frame: int = 0
    generation: int = 0
    played: int = 0  # last frame that the caller has heard
    phrase_played: int = 0  # the same when the current phrase began
    phase: Phase = Phase.ASLEEP
    context: Context | None = None  # of a turn that may still go on
    reply: Reply | None = None
    memory: Memory = field(default_factory=Memory)
    transcript: Transcript = field(default_factory=Transcript)
    ring: deque[Chunk] = field(default_factory=_ring)  # what a turn may begin with
    confirmed: bool = False  # the current sound is long enough to be speech
    paused: bool = False  # the caller has paused in a confirmed turn
    finished: float | None = None  # the engine's opinion in this pause: is the turn over?
    armed: bool = True  # speech may interrupt: the caller has paused since the reply began
    aside: Aside = field(default_factory=Aside)  # over the current reply
    waited: int = 0  # chunks since the reply was made
    ended: bool = False  # the caller hung up
    # Of the current turn and of the next; they override the session's first opening.
    brief: Brief = field(default_factory=Brief)
    next_brief: Brief = field(default_factory=Brief)

    @classmethod
    def new(cls, tuning: Tuning, mode: ReplyMode = ReplyMode.TURN) -> "State":
        """A session that has heard nothing yet."""
        return cls(tuning=tuning, mode=mode, detector=SpeechDetector(VADS[tuning.vad]()))
