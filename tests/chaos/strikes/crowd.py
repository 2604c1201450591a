"""Many callers at once: fifty who stop reading, two hundred who come back in one moment."""

import asyncio
import itertools
import json
import random
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException
from websockets.typing import Subprotocol

from tests.chaos.caller import CHUNK_S, Caller
from tests.chaos.cluster import Cluster
from tests.chaos.island import Island
from tests.chaos.oracle import Voice

STALLED: Final = 50
CLOSED_WITHIN_S: Final = 20.0
CROWD: Final = 200
AT_ONCE: Final = 20  # of the crowd, when it comes for the first time
BACK_WITHIN_S: Final = 15.0
RETRY_S: Final = 0.1
LOOK_S: Final = 0.1
MANY_SLOTS: Final = {"WORKER_SLOTS": "100"}
MB: Final = 1_000_000


class Quiet:
    """A caller who says little and judges nothing; `island` is where they call from."""

    def __init__(self, urls: Sequence[str], number: int, island: Island | None = None) -> None:
        self.url = urls[number % len(urls)]
        self.voice = Voice(0, 7_000 + number)
        self.island = island
        self.ready: dict[str, Any] = {}
        self.socket: ClientConnection | None = None

    async def begin(self, mode: str = "stream") -> None:
        """Start a call, or go on with it. Raises ConnectionError when that is refused."""
        start: dict[str, Any] = {"type": "start", "mode": mode}
        if self.ready:
            resume = {"session": self.ready["session"], "token": self.ready["token"], "frame": 0}
            start = {"type": "start", "resume": resume}
        self.socket = await connect(
            self.url,
            sock=self.island.connect(int(self.url.split(":")[2].split("/")[0]))
            if self.island
            else None,
            subprotocols=[Subprotocol("antiphon.v1")],
            compression=None,
            ping_interval=None,
            max_queue=None,
        )
        await self.socket.send(json.dumps(start))
        answer = json.loads(await self.socket.recv())
        if answer["type"] != "ready":
            raise ConnectionError(f"Expected ready, got {answer}")
        self.ready = answer

    async def speak(self) -> None:
        """Until the socket is closed."""
        with suppress(OSError, WebSocketException):
            for chunk in itertools.count():
                await self.say(chunk)
                await asyncio.sleep(CHUNK_S)

    async def come_back(self) -> float:
        """Resume, again and again until it works; seconds from now."""
        since = time.monotonic()
        while time.monotonic() - since < BACK_WITHIN_S:
            with suppress(OSError, WebSocketException):
                await self.begin()
                break
            await asyncio.sleep(RETRY_S)
        return time.monotonic() - since

    async def say(self, chunk: int) -> None:
        """One chunk. Raises ConnectionClosed."""
        assert self.socket is not None
        await self.socket.send(self.voice.chunk(chunk))

    async def closed(self) -> None:
        """Wait until the socket is lost."""
        assert self.socket is not None
        await self.socket.wait_closed()

    def leave(self) -> None:
        """With a reset."""
        if self.socket is not None:
            self.socket.transport.abort()

    async def end(self) -> None:
        """Hang up."""
        with suppress(OSError, WebSocketException, TimeoutError):
            assert self.socket is not None
            await self.socket.send('{"type":"end"}')
            await asyncio.wait_for(self.socket.wait_closed(), 2)


async def stall(cluster: Cluster, callers: Sequence[Caller], _: random.Random) -> dict[str, float]:
    """Fifty callers speak on and stop reading: each costs only itself, and not for long."""
    before = cluster.gateway_bytes()
    people = [Quiet(cluster.urls, number) for number in range(STALLED)]
    for group in _groups(people):
        await asyncio.gather(*(person.begin() for person in group))
    since = time.monotonic()
    for person in people:
        assert person.socket is not None
        person.socket.transport.pause_reading()
    speaking = [asyncio.create_task(person.speak()) for person in people]
    most = before
    try:
        while (here := await _here(cluster)) > len(callers):
            most = max(most, cluster.gateway_bytes())
            if time.monotonic() - since > CLOSED_WITHIN_S:
                raise RuntimeError(f"Expected stalled readers closed, got {here} sessions")
            await asyncio.sleep(LOOK_S)
        closed_s = time.monotonic() - since
        stats = await asyncio.to_thread(cluster.stats)
    finally:
        for person in people:
            person.leave()
        await asyncio.gather(*speaking, return_exceptions=True)
    late_ms = max(s["lateness_ms"]["p99"] or 0.0 for s in stats)
    return {"closed s": closed_s, "MB each": (most - before) / STALLED / MB, "late p99 ms": late_ms}


async def come_back(cluster: Cluster, _: Sequence[Caller], __: random.Random) -> dict[str, float]:
    """Two hundred callers lose their sockets in one moment and come back in the next."""
    people = [Quiet(cluster.urls, number) for number in range(CROWD)]
    for group in _groups(people):
        await asyncio.gather(*(person.begin("turn") for person in group))
        # One who has said nothing has no call to come back to.
        for person in group:
            await person.say(0)
    await asyncio.sleep(0.5)
    for person in people:
        person.leave()
    took = sorted(await asyncio.gather(*(person.come_back() for person in people)))
    lost = sum(person.ready.get("outcome") != "recovered" for person in people)
    for group in _groups(people):
        await asyncio.gather(*(person.end() for person in group))
    return {"95 % back s": took[int(0.95 * CROWD)], "not recovered": lost}


def _groups(people: Sequence[Quiet]) -> list[Sequence[Quiet]]:
    return [people[at : at + AT_ONCE] for at in range(0, len(people), AT_ONCE)]


async def _here(cluster: Cluster) -> int:
    return sum(s["sessions"] for s in await asyncio.to_thread(cluster.stats))
