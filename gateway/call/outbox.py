"""Queues the messages for one client. The bound makes a slow reader delay nobody else."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from gateway.protocol.errors import CallError, ErrorCode
from shared.audio import SAMPLE_BYTES, SAMPLE_RATE_HZ

MAX_BEHIND_S: Final = 5
MAX_BEHIND_BYTES: Final = MAX_BEHIND_S * SAMPLE_RATE_HZ * SAMPLE_BYTES  # 240,000
# Few: what a stuck client does not read then stays in this queue, which counts it.
MAX_MESSAGES_PER_WRITE: Final = 16


@dataclass(frozen=True, slots=True)
class Close:
    """Close the socket with this code and reason."""

    code: int
    reason: str = ""


Message = bytes | str | Close


class Writer(Protocol):
    """A socket that takes messages without waiting, as long as its client keeps up."""

    @property
    def ready(self) -> bool:
        """Whether it takes more now."""

    def send_now(self, messages: Sequence[bytes | str]) -> None:
        """Send messages in one write."""


class Outbox:
    """A queue from event loop callbacks to one socket.

    `flush` passes messages straight to an attached writer that is ready, which nearly all are.
    One task waits in `next` and sends the rest.
    """

    def __init__(self) -> None:
        self._queue: deque[Message] = deque()
        self._bytes = 0
        self.closed = asyncio.Event()
        self._filled = asyncio.Event()
        self._task_is_sending = False  # the task has a message that is not sent yet
        self._writer: Writer | None = None

    def attach(self, writer: Writer) -> None:
        """From now on `flush` writes to this socket."""
        self._writer = writer

    def put(self, message: bytes | str) -> None:
        """Queue a message. Raises CallError when the client is 5 s of audio behind."""
        if self.closed.is_set():
            return
        if self._bytes + len(message) > MAX_BEHIND_BYTES:
            raise CallError(
                ErrorCode.TOO_SLOW,
                f"Expected a client that reads in real time, got one {MAX_BEHIND_S} s behind",
            )
        self._queue.append(message)
        self._bytes += len(message)

    def flush(self) -> None:
        """Send what is queued; the task sends what the writer does not take."""
        writer = self._writer
        if writer is not None and not self._task_is_sending:
            while writer.ready and (messages := self.more()):
                writer.send_now(messages)
        if self._queue:
            self._filled.set()

    def close(self, code: int, reason: str = "", *, last_message: str = "") -> None:
        """Close the socket after a last message; a long queue is dropped for it."""
        if self.closed.is_set():
            return
        if self._bytes > MAX_BEHIND_BYTES // 2:
            self._queue.clear()
        self.closed.set()
        self._queue.extend([last_message] if last_message else [])
        self._queue.append(Close(code, reason))
        self._filled.set()

    async def next(self) -> Message:
        """Wait for the next message. Asking for it says that the previous one is sent."""
        self._task_is_sending = False
        while not self._queue:
            self._filled.clear()
            await self._filled.wait()
        message = self._queue.popleft()
        self._task_is_sending = True
        if not isinstance(message, Close):
            self._bytes -= len(message)
        return message

    def more(self) -> list[bytes | str]:
        """The messages that can leave in the same write, up to MAX_MESSAGES_PER_WRITE."""
        found: list[bytes | str] = []
        while self._queue and len(found) < MAX_MESSAGES_PER_WRITE:
            message = self._queue[0]
            if isinstance(message, Close):
                break
            found.append(message)
            self._queue.popleft()
            self._bytes -= len(message)
        return found
