"""What waits to be sent to one client: bounded, so that a slow reader costs only itself."""

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import Final

from gateway.protocol import ErrorCode, WireError
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


class Outbox:
    """A queue from the event loop's callbacks to the one task that sends."""

    def __init__(self) -> None:
        self._queue: deque[Message] = deque()
        self._bytes = 0
        self.closed = asyncio.Event()
        self._filled = asyncio.Event()

    def put(self, message: bytes | str) -> None:
        """Queue a message. Raises WireError when the client is 5 s of audio behind."""
        if self.closed.is_set():
            return
        if self._bytes + len(message) > MAX_BEHIND_BYTES:
            raise WireError(
                ErrorCode.TOO_SLOW,
                f"Expected a client that reads in real time, got one {MAX_BEHIND_S} s behind",
            )
        self._queue.append(message)
        self._bytes += len(message)
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
        """The next message, when there is one."""
        while not self._queue:
            self._filled.clear()
            await self._filled.wait()
        message = self._queue.popleft()
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
