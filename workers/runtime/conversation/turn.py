"""What goes into and comes out of one turn of a conversation."""

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

from shared.audio import Pcm16
from shared.log.records import Options, OutputRecord, StepRecord, Truncate, fields_of
from shared.log.writes import StepCommit
from shared.modes import ReplyMode, VadName
from workers.engines.base import Opening, Speak, Work

if TYPE_CHECKING:
    from shared.settings import Settings


class Chunk(NamedTuple):
    """80 ms of the caller, and the input record that brought them."""

    n: int
    pcm: Pcm16


@dataclass(frozen=True, slots=True)
class Tuning:
    """How one session's turns are found."""

    vad_threshold: float = 0.001  # RMS of full scale
    silence_ms: int = 600
    min_speech_ms: int = 120
    manual: bool = False
    vad: VadName = VadName.ENERGY  # of a new session; one that is taken over keeps its own

    def with_options(self, options: Options) -> "Tuning":
        """These options laid over it; None leaves one as it is."""
        given = {name: value for name, value in fields_of(options).items() if value is not None}
        return replace(self, **given)

    @classmethod
    def of_session(cls, settings: "Settings", options: str) -> "Tuning":
        """The worker's settings, and over them the session's first options (JSON or "")."""
        base = cls(
            settings.vad_threshold,
            settings.turn_silence_ms,
            settings.turn_min_speech_ms,
            vad=settings.vad,
        )
        return base.with_options(Options(**json.loads(options or "{}")))


@dataclass(frozen=True, slots=True)
class Plan:
    """What a conversation wants of the engine in this turn."""

    opening: Opening | None  # open the slot anew before the work
    hear: tuple[Pcm16, ...]
    speak: Speak

    @property
    def idle(self) -> bool:
        """Whether the engine has nothing to do: settle with None."""
        return not self.hear and self.speak is Speak.NONE

    def work(self, slot: int) -> Work:
        """The plan as a slot's share of a batch."""
        return Work(slot, self.hear, self.speak)


@dataclass(slots=True)
class Draft:
    """A turn in the making: what the records that it consumed have asked for."""

    hear: list[Chunk] = field(default_factory=list)
    speak: Speak = Speak.NONE
    reset: bool = False  # a new context begins: `hear` starts with its pre-roll
    truncates: list[Truncate] = field(default_factory=list)
    events: list[OutputRecord] = field(default_factory=list)
    consumed: bool = False
    full: bool = False  # the engine must do its part before another record is consumed

    def drop_work(self) -> None:
        """The engine has nothing to do after all."""
        self.hear.clear()
        self.speak = Speak.NONE
        self.reset = self.full = False


class Turn(NamedTuple):
    """What one turn writes into the log: a commit but for the session and its owner."""

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
        """The turn as a write to a session's log."""
        return StepCommit(sid, owner, *self)
