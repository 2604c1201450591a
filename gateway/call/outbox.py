"""What waits to be sent to one client: bounded, so that a slow reader costs only itself."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from gateway.protocol.errors import CallError, ErrorCode
from shared.audio import SAMPLE_BYTES, SAMPLE_RATE_HZ

MAX_BEHIND_S: Final = 5
MAX_BEHIND_BYTES: Final = MAX_BEHIND_S * SAMPLE_RATE_HZ * SAMPLE_BYTES  # 240,000
# Few, so that what a stuck client does not read stays here, where it is counted.
AT_ONCE: Final = 16


@dataclass(frozen=True, slots=True)
class Close:
    """Close the socket with this code."""

    code: int


Message = bytes | str | Close


class Writer(Protocol):
    """A socket that takes messages without waiting, as long as its reader keeps up."""

    @property
    def ready(self) -> bool:
        """Whether it takes more now."""

    def send_now(self, messages: Sequence[bytes | str]) -> None:
        """Send messages in one write."""


class Outbox:
    """A queue from the event loop's callbacks to the socket, and to the one task that waits for it.

    What is put leaves with `flush`: straight into a writer that is ready, which nearly all are, and
    else through the task.
    """

    def __init__(self) -> None:
        self._queue: deque[Message] = deque()
        self._bytes = 0
        self.closed = asyncio.Event()
        self._filled = asyncio.Event()
        self._held = False  # the task has a message that is not yet sent
        self.writer: Writer | None = None

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
        """Send what was put; what the writer does not take, the task does."""
        writer = self.writer
        if writer is not None and not self._held:
            while writer.ready and (messages := self.more()):
                writer.send_now(messages)
        if self._queue:
            self._filled.set()

    def close(self, code: int, last_words: str = "") -> None:
        """Say the last words and close, in place of what waits when that is much."""
        if self.closed.is_set():
            return
        if self._bytes > MAX_BEHIND_BYTES // 2:
            self._queue.clear()
        self.closed.set()
        self._queue.extend([last_words] if last_words else [])
        self._queue.append(Close(code))
        self._filled.set()

    async def next(self) -> Message:
        """The next message, when there is one; the one before it has been sent."""
        self._held = False
        while not self._queue:
            self._filled.clear()
            await self._filled.wait()
        message = self._queue.popleft()
        self._held = True
        if not isinstance(message, Close):
            self._bytes -= len(message)
        return message

    def more(self) -> list[bytes | str]:
        """What waits behind it and can leave in the same write, up to AT_ONCE messages."""
        found: list[bytes | str] = []
        while self._queue and len(found) < AT_ONCE:
            message = self._queue[0]
            if isinstance(message, Close):
                break
            found.append(message)
            self._queue.popleft()
            self._bytes -= len(message)
        return found
