"""Parses Redis' answers to reads of a session's log: records, metas and whole sessions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from redis.exceptions import RedisError, ResponseError

from shared.errors import SchemaError
from shared.log.meta import Meta, parse_meta
from shared.log.records import InputRecord, OutputRecord, Record, StepRecord, decode

# One entry: its stream id, and its one field as a dict (redis-py) or as a list (XRANGE).
Entry = tuple[bytes, list[bytes] | dict[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class StoredSession:
    """Everything that a session's log holds: its meta, and its records with their numbers."""

    meta: Meta
    inputs: list[tuple[int, InputRecord]]
    steps: list[tuple[int, StepRecord]]
    outputs: list[tuple[int, OutputRecord]]


def numbered_record(entry: Entry) -> tuple[int, Record]:
    """A stream's entry -> its record and number. Raises SchemaError."""
    stream_id, pair = entry
    try:
        ((name, value),) = pair.items() if isinstance(pair, dict) else (pair,)
        return int(stream_id[: stream_id.index(b"-")]), decode(name.decode(), value)
    except ValueError as error:  # more than one field, or a name that is not UTF-8
        raise SchemaError(f"Expected one named record, got {pair!r:.80}") from error


def numbered_records(entries: Sequence[Entry] | RedisError) -> list[tuple[int, Record]]:
    """A stream's entries -> records. Raises SchemaError, or the RedisError that Redis answered."""
    if isinstance(entries, RedisError):
        raise entries
    return [numbered_record(entry) for entry in entries]


def hash_fields(raw: list[bytes] | dict[bytes, bytes] | RedisError) -> dict[bytes, bytes]:
    """A hash as HGETALL or redis-py returns it. Raises the RedisError that Redis answered."""
    if isinstance(raw, RedisError):
        raise raw
    return raw if isinstance(raw, dict) else dict(zip(raw[::2], raw[1::2], strict=True))


def stored_session(sid: str, raw: Any, *streams: Any) -> StoredSession | SchemaError | None:
    """A session's log; None when it is gone, SchemaError when it breaks the schema.

    Raises any other error that Redis answered, since that is not the session's fault.
    """
    for item in (raw, *streams):
        if isinstance(item, ResponseError) and "WRONGTYPE" in str(item):
            return SchemaError(f"Expected a hash and streams of {sid}, got {item}")
        if isinstance(item, Exception):
            raise item
    meta = parse_meta(sid, raw)
    if meta is None:
        return None
    try:
        inputs, steps, outputs = (numbered_records(entries) for entries in streams)
    except SchemaError as error:
        return error
    return StoredSession(meta, cast(Any, inputs), cast(Any, steps), cast(Any, outputs))
