"""Notes when records pass through the session log, in a process that traces its turns."""

import time
from collections.abc import Sequence
from typing import Any

from redis.asyncio import Redis

from shared import tracing
from shared.log.records import InputRecord, OutputRecord, ReplyStarted, SpeechStopped
from shared.log.session_log import READ_COUNT, SessionLog
from shared.log.writes import Append, Receipt, StepCommit


def open_log(redis: Redis, **options: Any) -> SessionLog:
    """A log on this Redis, traced if this process traces its turns."""
    if tracing.turns is None:
        return SessionLog(redis, **options)
    return TracedLog(redis, tracing.turns, **options)


class TracedLog(SessionLog):
    """Does what `SessionLog` does, and records times for the spans."""

    def __init__(self, redis: Redis, turns: tracing.TurnSpans, **options: Any) -> None:
        super().__init__(redis, **options)
        self._turns = turns

    async def append(self, batch: Sequence[Append]) -> list[Receipt | Exception]:
        """At a gateway: note when the log took each record."""
        begun = time.monotonic()
        receipts = await super().append(batch)
        span = begun, time.monotonic()
        for append in batch:
            last = append.first + len(append.records) - 1
            self._turns.call(append.sid).appended.append((last, span))
        return receipts

    async def read_outputs(
        self, wants: Sequence[tuple[str, int]], count: int | None = READ_COUNT
    ) -> list[list[tuple[int, OutputRecord]]]:
        """At a gateway: note the end of a turn and the beginning of its reply."""
        found = await super().read_outputs(wants, count)
        now = time.monotonic()
        for (sid, _), records in zip(wants, found, strict=True):
            self._note(sid, [record for _, record in records], now)
        return found

    async def read_inputs(
        self, wants: Sequence[tuple[str, int]], count: int | None = READ_COUNT
    ) -> list[list[tuple[int, InputRecord]]]:
        """At a worker: note when it took each record."""
        begun = time.monotonic()
        found = await super().read_inputs(wants, count)
        span = begun, time.monotonic()
        for (sid, _), records in zip(wants, found, strict=True):
            if records:
                self._turns.call(sid).read.append((records[-1][0], span))
        return found

    async def commit(self, batch: Sequence[StepCommit]) -> list[Receipt | Exception]:
        """At a worker: emit the spans of a turn when its reply begins."""
        begun = time.monotonic()
        receipts = await super().commit(batch)
        span = begun, time.monotonic()
        for commit in batch:
            if self._note(commit.sid, commit.outputs, begun):
                self._turns.committed(commit.sid, span)
        return receipts

    def _note(self, sid: str, records: Sequence[OutputRecord], now: float) -> bool:
        """Note what ends a turn; whether a reply begins."""
        begins = False
        for record in records:
            if isinstance(record, SpeechStopped):
                self._turns.call(sid).ended_by = record.n
            elif isinstance(record, ReplyStarted):
                self._turns.call(sid).reply_read_at = now
                begins = True
        return begins
