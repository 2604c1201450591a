"""What the proofs in Python share: a microphone, and a log of what an SDK reported.

A proof runs in its SDK's environment, so this needs only Python.
"""

import asyncio
import wave
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any, Final

RATE_HZ: Final = 24_000
PIECE: Final = RATE_HZ // 25 * 2  # 40 ms
SECOND: Final = RATE_HZ * 2  # bytes
SILENCE: Final = bytes(SECOND)
WITHIN_S: Final = 60


def read(wav: str) -> bytes:
    """The samples of a recording at 24 kHz."""
    with wave.open(wav, "rb") as file:
        return file.readframes(file.getnframes())


async def spoken(pcm: bytes) -> AsyncIterator[bytes]:
    """Pieces of the sound, as fast as a microphone gives them."""
    for at in range(0, len(pcm), PIECE):
        yield pcm[at : at + PIECE]
        await asyncio.sleep(PIECE / 2 / RATE_HZ)


def has_type(event: Any, kind: str) -> bool:
    """Whether an event's `type` is this one."""
    return bool(event.type == kind)


class Log:
    """What came in one session. `is_a`: whether an event is of a kind."""

    def __init__(self, is_a: Callable[[Any, Any], bool] = has_type) -> None:
        self.events: list[Any] = []
        self.sound = 0  # bytes
        self._is_a = is_a
        self._news = asyncio.Condition()

    async def add(self, event: Any, sound: bytes = b"") -> None:
        """Keep an event, and count the sound in it."""
        async with self._news:
            self.events.append(event)
            self.sound += len(sound)
            self._news.notify_all()

    def got(self, kind: Any) -> list[Any]:
        """All events of this kind."""
        return [event for event in self.events if self._is_a(event, kind)]

    async def until(self, kind: Any, count: int = 1) -> Any:
        """Wait until so many events of this kind have come; returns the last of them."""
        await self.until_holds(lambda: len(self.got(kind)) >= count)
        return self.got(kind)[count - 1]

    async def until_sound(self, size: int) -> None:
        """Wait until this many bytes of sound have come."""
        await self.until_holds(lambda: self.sound >= size)

    async def until_holds(self, holds: Callable[[], bool]) -> None:
        """Wait for the event with which a condition holds."""
        async with asyncio.timeout(WITHIN_S), self._news:
            await self._news.wait_for(holds)


async def listening_meanwhile(
    listen: Coroutine[Any, Any, None], play: Coroutine[Any, Any, dict[str, Any]]
) -> dict[str, Any]:
    """What `play` returns; raises what `listen` raises."""
    listening, playing = asyncio.create_task(listen), asyncio.create_task(play)
    await asyncio.wait({listening, playing}, return_when=asyncio.FIRST_COMPLETED)
    if listening.done():
        listening.result()  # raises
    listening.cancel()
    return await playing
