"""`python -m tests.load.crowd`: many callers of one echo server, in one process on one core.

The callers' phases are spread over the 80 ms of a chunk and every deadline is absolute, so the load
neither bunches up nor slows down when the server does. Prints `begin` and `end` around the measured
time, then one JSON line.
"""

import argparse
import asyncio
import gc
import json
import resource
import sys
import time
from dataclasses import asdict, dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import uvloop

from shared.audio import CHUNK_MS
from tests.load.echo import Echo
from tests.load.wire import BINARY, CLOSE, TEXT, Line

CHUNK_S: Final = CHUNK_MS / 1_000
SUBPROTOCOL: Final = "antiphon.v1"
NORMAL: Final = (1000).to_bytes(2, "big")  # why a plain caller leaves
HEADER_BYTES: Final = 12  # of a frame in antiphon.v1
AT_ONCE: Final = 8  # calls that begin at a time
BEGINS_WITHIN_S: Final = 20.0
ALL_BEGIN_WITHIN_S: Final = 45.0  # else the server does not hold so many
ATTEMPTS: Final = 50  # of one call to begin: a server that says "no capacity" is asked again
RETRY_S: Final = 0.2
WARM_UP_S: Final = 2.0
DRAIN_S: Final = 1.5  # for the echo of what was said last
PLAYED_EVERY: Final = 3  # chunks between two reports of the playhead


@dataclass(frozen=True, slots=True)
class Harvest:
    """What the crowd saw; times in ms."""

    callers: int
    seconds: float
    latency_ms: list[float]
    lateness_ms: list[float]
    lost: int
    wrong: int
    closed: int
    behind_p99_ms: float  # how late this generator itself sent


class Caller:
    """One call, and its echo."""

    def __init__(self, number: int, url: str, *, native: bool) -> None:
        parts = urlsplit(url)
        self.host, self.port = parts.hostname or "", parts.port or 80
        self.path = parts.path + (f"?{parts.query}" if parts.query else "")
        self.native = native
        self.echo = Echo(number)
        self.line: Line | None = None
        self.begun = False
        self._ready: asyncio.Future[bool] | None = None
        self._frame = 0

    async def begin(self) -> None:
        """Be connected and let in. Raises ConnectionError."""
        for _ in range(ATTEMPTS):
            self.begun = await asyncio.wait_for(self._try(), BEGINS_WITHIN_S)
            if self.begun:
                return
            await asyncio.sleep(RETRY_S)
        raise ConnectionError(f"Expected {self.path} to take call {self.echo.caller}, was refused")

    async def _try(self) -> bool:
        loop = asyncio.get_running_loop()
        subprotocol = SUBPROTOCOL if self.native else ""
        _, self.line = await loop.create_connection(
            lambda: Line(self.path, subprotocol, self._take), self.host, self.port
        )
        await self.line.opened
        if not self.native:
            return True
        self._ready = loop.create_future()
        self._send(type="start", mode="stream")
        return await self._ready

    def speak(self, now: float) -> None:
        """Send the next chunk."""
        if self.line is not None:
            self.line.send(BINARY, self.echo.say(now))
            if self.native and self._frame and len(self.echo.sent_at) % PLAYED_EVERY == 0:
                self._send(type="played", frame=self._frame)

    def hang_up(self) -> None:
        """Leave."""
        if self.native:
            self._send(type="end")
        elif self.line is not None:
            self.line.send(CLOSE, NORMAL)

    def _send(self, **message: object) -> None:
        if self.line is not None:
            self.line.send(TEXT, json.dumps(message).encode())

    def _take(self, opcode: int, payload: bytes) -> None:
        now = time.monotonic()
        if opcode == TEXT:
            if self._ready is not None and not self._ready.done():
                self._ready.set_result(json.loads(payload)["type"] == "ready")
        elif self.native:
            self._frame = int.from_bytes(payload[:4], "little")
            self.echo.take(payload[HEADER_BYTES:], now)
        else:
            self.echo.take(payload, now)


class Crowd:
    """All callers, driven by one loop over their phases."""

    def __init__(self, callers: list[Caller]) -> None:
        self.callers = callers
        self.behind_s: list[float] = []

    async def gather(self) -> None:
        """Let all in, a few at a time. Raises TimeoutError when that takes too long."""
        async with asyncio.timeout(ALL_BEGIN_WITHIN_S):
            for at in range(0, len(self.callers), AT_ONCE):
                await asyncio.gather(*(c.begin() for c in self.callers[at : at + AT_ONCE]))

    async def speak(self, seconds: float) -> None:
        """Speak for so long, whatever comes back; a chunk of each caller every 80 ms."""
        start, count = time.monotonic(), len(self.callers)
        for turn in range(round(seconds / CHUNK_S)):
            for index, caller in enumerate(self.callers):
                due = start + (turn + index / count) * CHUNK_S
                # The loop's timers have a grain of a millisecond: who is due within it goes along.
                if due - time.monotonic() > 0.001:
                    await asyncio.sleep(due - time.monotonic())
                now = time.monotonic()
                self.behind_s.append(max(0.0, now - due))
                caller.speak(now)
            await asyncio.sleep(0)

    async def measure(self, seconds: float) -> Harvest:
        """Warm up, measure, and wait for the last echo."""
        await self.speak(WARM_UP_S)
        self.behind_s.clear()
        for caller in self.callers:
            caller.echo.begin()
        _say("begin")
        await self.speak(seconds)
        _say("end")
        for caller in self.callers:
            caller.echo.end()
        await asyncio.sleep(DRAIN_S)
        found = self._harvest(seconds)
        for caller in self.callers:
            caller.hang_up()
        return found

    def _harvest(self, seconds: float) -> Harvest:
        echoes = [caller.echo for caller in self.callers]
        behind = sorted(self.behind_s)
        return Harvest(
            callers=len(echoes),
            seconds=seconds,
            latency_ms=_thinned([s for echo in echoes for s in echo.latency_s]),
            lateness_ms=_thinned([s for echo in echoes for s in echo.lateness_s]),
            lost=sum(echo.lost + echo.missing for echo in echoes),
            wrong=sum(echo.wrong for echo in echoes),
            closed=sum(c.line is None or c.line.closed for c in self.callers),
            behind_p99_ms=round(behind[int(0.99 * (len(behind) - 1))] * 1_000, 2),
        )


def _thinned(seconds: list[float]) -> list[float]:
    """As ms, sorted; every value of few, every n-th of many, the largest always."""
    ordered = sorted(seconds, reverse=True)
    return [round(s * 1_000, 3) for s in ordered[:: max(1, len(ordered) // 20_000)]][::-1]


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


async def _run(wish: argparse.Namespace) -> Harvest:
    urls = wish.url.split(",")
    crowd = Crowd(
        [Caller(n + 1, urls[n % len(urls)], native=wish.native) for n in range(wish.callers)]
    )
    try:
        await crowd.gather()
    except (TimeoutError, OSError) as error:
        begun = sum(caller.begun for caller in crowd.callers)
        sys.exit(f"only {begun} of {wish.callers} calls began: {error!r}")
    return await crowd.measure(wish.seconds)


def main() -> None:
    """Read the command line, load the server, print what was seen."""
    parser = argparse.ArgumentParser(prog="python -m tests.load.crowd", description=__doc__)
    parser.add_argument("url", help="or several, between commas: each caller takes the next one")
    parser.add_argument("callers", type=int)
    parser.add_argument("seconds", type=float)
    parser.add_argument("--native", action="store_true", help="speak antiphon.v1")
    wish = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))  # a socket a caller
    gc.disable()  # a collection among millions of numbers would count as the server's delay
    found: dict[str, Any] = asdict(uvloop.run(_run(wish)))
    _say(json.dumps(found))


if __name__ == "__main__":
    main()
