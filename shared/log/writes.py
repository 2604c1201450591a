"""What processes write to the log, and the log's answers to it."""

from enum import StrEnum
from typing import NamedTuple

from shared.log.records import InputRecord, OutputRecord, StepRecord


class Answer(StrEnum):
    """What a script says."""

    STORED = "stored"
    DUPLICATE = "duplicate"  # was stored before: success
    GAP = "gap"  # records before this one are missing: send again from `last` + 1
    FENCED = "fenced"  # somebody newer writes here
    BUSY = "busy"  # full: stored up to `last`, the rest was refused
    GONE = "gone"  # no such session
    POISONED = "poisoned"  # the session was given up, or must be by its new owner


# Named tuples where thousands are made a second: a frozen dataclass takes three times as long.
class Receipt(NamedTuple):
    """A script's answer to one write."""

    answer: Answer
    last: int  # the last record number (n of an append, k of a commit) that the log holds

    @property
    def ok(self) -> bool:
        """Whether the log holds the records."""
        return self.answer in (Answer.STORED, Answer.DUPLICATE)


class Append(NamedTuple):
    """Input records of one session, the first numbered `first`."""

    sid: str
    conn: str
    first: int
    records: tuple[InputRecord, ...]


class StepCommit(NamedTuple):
    """One step of one session: what was consumed, done and said."""

    sid: str
    owner: str
    first_step: int
    steps: tuple[StepRecord, ...]  # at least one
    first_output: int  # the next free number even when `outputs` is empty
    outputs: tuple[OutputRecord, ...]
    cursor: int  # last input record consumed
    frame: int  # last frame said
    generation: int
    mode: str
    keep_inputs: int  # older records of each stream are trimmed
    keep_steps: int
    keep_outputs: int
    drop_step: int = 0  # one behind those, of which nothing is needed any more; 0: none
