"""A caller without a gateway: appends to a session's input log and reads its output log."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress

from redis.asyncio import Redis
from redis.exceptions import RedisError

from shared.audio import Pcm16
from shared.log.records import Audio, InputRecord, OutputRecord, Played, Speech
from shared.log.registry import Registry
from shared.log.session_log import SessionLog
from shared.log.writes import Answer, Append, Receipt
from tests.patience import PATIENCE_S


class Caller:
    """The caller's side of one session."""

    def __init__(self, redis: Redis, sid: str = "caller", backlog: int = 50) -> None:
        self.log = SessionLog(redis, ttl_s=60, backlog=backlog)
        self.registry = Registry(redis, ttl_s=60)
        self.sid = sid
        self.conn = ""
        self.n = 0  # the last record that the log holds
        self._said: list[InputRecord] = []
        self.outputs: list[tuple[int, OutputRecord]] = []

    async def call(self, mode: str, options: str = "") -> None:
        """Open the session and ask for a worker."""
        fields: dict[str, str | int] = {"mode": mode, "seed": 1, "options": options}
        _, self.conn = await self.log.open(self.sid, "test", "nonce", "hash", fields)
        await self.registry.announce(self.sid)

    async def say(self, *records: InputRecord) -> None:
        """Append records; wait while the log is full or away, and repair what it lost."""
        self._said += records
        deadline = time.monotonic() + PATIENCE_S
        while self.n < len(self._said):
            piece = tuple(self._said[self.n : self.n + 20])
            try:
                (receipt,) = await self.log.append(
                    [Append(sid=self.sid, conn=self.conn, first=self.n + 1, records=piece)]
                )
            except RedisError as error:
                receipt = error
            if isinstance(receipt, Receipt):
                assert receipt.answer not in (Answer.FENCED, Answer.GONE), receipt
                self.n = receipt.last
            assert time.monotonic() < deadline, f"{len(self._said) - self.n} are left: {receipt}"
            if not isinstance(receipt, Receipt) or receipt.answer is Answer.BUSY:
                await asyncio.sleep(0.01)

    async def speak(self, chunks: Sequence[Pcm16]) -> None:
        """Append audio."""
        await self.say(*(Audio(chunk.tobytes()) for chunk in chunks))

    async def listen(self, frames: int = 0, *kinds: type[OutputRecord]) -> None:
        """Read until this many frames and one record of each kind have arrived."""
        deadline = time.monotonic() + PATIENCE_S
        while self.frame < frames or not all(self.got(kind) for kind in kinds):
            last = self.outputs[-1][0] if self.outputs else 0
            with suppress(RedisError):
                self.outputs += (await self.log.read_outputs([(self.sid, last)]))[0]
            assert time.monotonic() < deadline, f"{self.frame} frames of {frames}; {self.events}"
            await asyncio.sleep(0.005)

    async def play(self) -> None:
        """Report that all frames were played."""
        await self.say(Played(self.frame))

    def got(self, kind: type[OutputRecord]) -> list[OutputRecord]:
        """The records of one kind."""
        return [record for _, record in self.outputs if isinstance(record, kind)]

    @property
    def speech(self) -> list[Speech]:
        """The assistant's speech records."""
        return [record for _, record in self.outputs if isinstance(record, Speech)]

    @property
    def events(self) -> list[OutputRecord]:
        """All records but speech."""
        return [record for _, record in self.outputs if not isinstance(record, Speech)]

    @property
    def frame(self) -> int:
        """The number of the last frame."""
        return self.speech[-1].frame + self.speech[-1].frames - 1 if self.speech else 0

    @property
    def pcm(self) -> bytes:
        """The assistant's side; fails when a frame or a record is missing, doubled or foreign."""
        numbers = [m for m, _ in self.outputs]
        assert numbers == list(range(1, len(numbers) + 1)), numbers
        expected = 1
        for record in self.speech:
            assert record.frame == expected, f"frame {record.frame} came, {expected} was next"
            expected += record.frames
        return b"".join(record.pcm for record in self.speech)
