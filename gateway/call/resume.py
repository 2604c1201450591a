"""Finds what a resumed caller missed, sans I/O: the log's records after their last frame."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from gateway.call.playout import Event, TextAt
from shared.audio import FRAME_BYTES
from shared.log.records import Clear, OutputRecord, ReplyStarted, Skip, Speech, Text


class Outcome(StrEnum):
    """How a session goes on, as `ready` reports it."""

    NEW = "new"
    RECOVERED = "recovered"  # every later frame comes, once and in order
    SKIPPED = "skipped"  # some later frames are gone; a `skip` names them, the rest comes
    NOT_RECOVERED = "not_recovered"  # the log ends before the caller's last frame: go on after it


@dataclass(frozen=True, slots=True)
class Missed:
    """What to send first. `next_frame`: the number of the caller's next frame."""

    outcome: Outcome
    next_frame: int
    records: tuple[OutputRecord, ...]

    @property
    def has_frame(self) -> int:
        """The frame before the first that comes: the caller's last one, or one that is gone."""
        first = self.records[0] if self.outcome is Outcome.SKIPPED else None
        return first.last if isinstance(first, Skip) else self.next_frame - 1


def missed(records: Sequence[OutputRecord], frame: int, last: int) -> Missed:
    """What follows `frame`, the caller's last one, in a log that ends with frame `last`."""
    if frame > last:
        return Missed(Outcome.NOT_RECOVERED, last + 1, ())
    later = _later(records, frame)
    start = _start(later, last + 1)
    if start <= frame + 1:
        return Missed(Outcome.RECOVERED, frame + 1, later)
    gap = Skip(frame + 1, start - 1, "trimmed")
    return Missed(Outcome.SKIPPED, frame + 1, (gap, *later))


def delivered(
    entries: Sequence[tuple[int, OutputRecord]], frame: int
) -> tuple[tuple[int, Event], ...]:
    """The numbered events that came before `frame`, the caller's last one: the caller has them."""
    end = _last_of([record for _, record in entries], frame) + 1
    found: list[tuple[int, Event]] = []
    following = 0  # the next frame; 0: no record has named one yet
    for number, record in entries[:end]:
        match record:
            case Speech():
                following = record.frame + record.frames
            case Text():
                if following:
                    found.append((number, TextAt(record.generation, following, record.text)))
            case ReplyStarted():
                following = record.frame
                found.append((number, record))
            case _:
                found.append((number, record))
    return tuple(found)


def _last_of(records: Sequence[OutputRecord], frame: int) -> int:
    """The place of the last record of speech that begins with `frame` at the latest; -1: none."""
    for index in range(len(records) - 1, -1, -1):
        record = records[index]
        if isinstance(record, Speech) and record.frame <= frame:
            return index
    return -1


def _later(records: Sequence[OutputRecord], frame: int) -> tuple[OutputRecord, ...]:
    """What follows `frame`: the rest of its own record, then the records after that one.

    The records before it were sent before it, so the old connection delivered their words.
    """
    index = _last_of(records, frame)
    last = records[index] if index >= 0 else None
    if not isinstance(last, Speech):
        return tuple(records)
    received = (frame + 1 - last.frame) * FRAME_BYTES
    if received >= len(last.pcm):
        return tuple(records[index + 1 :])
    rest = Speech(frame + 1, last.generation, last.pcm[received:])
    return (rest, *records[index + 1 :])


def _start(records: Sequence[OutputRecord], default: int) -> int:
    """The first frame that these records account for."""
    for record in records:
        match record:
            case Speech():
                return record.frame
            case Skip():
                return record.first
            case Clear():
                return 0  # the client drops all frames before it
    return default
