"""Lets two releases share a log: which format each process reads and which it writes. Pure.

A release reads its own format and the previous one. It writes the previous one as long as any live
process reads no other. So neither a roll-out nor a roll-back ends a call.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from shared.log import records
from shared.log.records import (
    Brief,
    Detach,
    Discard,
    History,
    InputRecord,
    NoReply,
    OutputRecord,
    Record,
    Text,
    Typed,
)

# The number of a release's records and snapshot together. All changes of one release share it.
CURRENT: Final = 12
PREVIOUS: Final = CURRENT - 1
READS: Final = (PREVIOUS, CURRENT)

# What the log holds in place of a record that the previous release does not know. The stand-in does
# nothing, but no record number may be missing.
STAND_INS: Final[Mapping[type[Record], InputRecord | OutputRecord]] = {
    Brief: Detach(),
    Discard: Detach(),
    Typed: Detach(),
    History: Detach(),
    NoReply: Text(0, ""),
}


def common(statuses: Iterable[Mapping[str, Any]]) -> int:
    """The newest format that all these processes read. `statuses`: what they publish.

    A process that publishes no `reads` is of the first release.
    """
    newest = [_newest(status.get("reads")) for status in statuses]
    return max(PREVIOUS, min([CURRENT, *newest]))


def _newest(reads: object) -> int:
    found = [n for n in reads if isinstance(n, int)] if isinstance(reads, list | tuple) else []
    return max(found, default=PREVIOUS)


def fields(record: Record, version: int) -> dict[str, Any]:
    """The record's fields by name, in this format."""
    found = records.fields_of(record)
    new = records.NEW_FIELDS.get(type(record), ()) if version < CURRENT else ()
    return {name: value for name, value in found.items() if name not in new}


def encode(record: Record, version: int) -> tuple[str, bytes]:
    """A record -> its entry's field name and msgpack value, in this format."""
    if version >= CURRENT:
        return records.encode(record)
    return records.encode(STAND_INS.get(type(record), record), leave_out_new=True)
