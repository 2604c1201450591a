"""Declares what gateways and workers write to a session's log, and what the log answers."""

from enum import StrEnum

import msgspec

from shared.log.records import InputRecord, OutputRecord, StepRecord


class Answer(StrEnum):
    """A script's verdict on one call."""

    STORED = "stored"
    DUPLICATE = "duplicate"  # the log held this already: success
    GAP = "gap"  # earlier records are missing: send again from `last` + 1
    FENCED = "fenced"  # a newer owner or connection writes here
    BUSY = "busy"  # the log is full: it stored up to `last` and refused the rest
    GONE = "gone"  # no such session
    POISONED = "poisoned"  # the session was given up, or its new owner must give it up


# Structs, since a process makes thousands a second: a frozen dataclass takes three times as long.
class Receipt(msgspec.Struct, frozen=True, gc=False):
    """A script's answer to one write."""

    answer: Answer
    last: int  # the last record number (n of an append, k of a commit) that the log holds

    @property
    def ok(self) -> bool:
        """Whether the log holds the records."""
        return self.answer in (Answer.STORED, Answer.DUPLICATE)


class Append(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Input records of one session, the first numbered `first`."""

    sid: str
    conn: str  # the writing gateway's connection
    first: int
    records: tuple[InputRecord, ...]
    client: bytes = b""  # the client's protocol state, for the connection after a lost one


class StepCommit(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What one turn of the worker's loop did in one session: all of it is stored, or nothing."""

    sid: str
    owner: str
    first_step: int
    steps: tuple[StepRecord, ...]  # at least one
    first_output: int  # the next free number, even when `outputs` is empty
    outputs: tuple[OutputRecord, ...]
    cursor: int  # the last input record that the worker consumed
    frame: int  # the last frame that the assistant has spoken
    generation: int
    mode: str
    keep_inputs: int  # the log may trim the older records of each stream
    keep_steps: int
    keep_outputs: int
    drop_step: int = 0  # one later step that the log deletes; 0: none
