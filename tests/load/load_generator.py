"""Play many callers of an echo server in one process on one core.

The callers' phases are spread over the 80 ms of a chunk and every deadline is absolute. So the load
stays even, and it does not slow down when the server does. Prints `begin` and `end` around the
measured time, then one JSON line.
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

import uvloop

from shared.audio import CHUNK_MS
from tests.load.call import PLAYED_EVERY, Call
from tests.load.echo_check import EchoCheck

CHUNK_S: Final = CHUNK_MS / 1_000
AT_ONCE: Final = 8  # calls that begin at the same time
BEGINS_WITHIN_S: Final = 20.0
ALL_BEGIN_WITHIN_S: Final = 45.0  # a slower server does not hold so many callers
ATTEMPTS: Final = 50  # to begin one call, when the server says "no capacity"
RETRY_S: Final = 0.2
WARM_UP_S: Final = 2.0
DRAIN_S: Final = 1.5  # for the last echoes


@dataclass(frozen=True, slots=True)
class Result:
    """What the callers measured; times in ms."""

    callers: int
    seconds: float
    latency_ms: list[float]
    lateness_ms: list[float]
    lost: int
    wrong: int
    closed: int
    behind_p99_ms: float  # how late this process itself sent


class Caller(Call):
    """One call and the check of its echo."""

    def __init__(self, number: int, url: str, *, native: bool) -> None:
        super().__init__(url, native=native, mode="stream")
        self.echo = EchoCheck(number)
        self.begun = False
        self._frame = 0

    async def begin(self) -> None:
        """Connect and begin the call. Raises ConnectionError."""
        for _ in range(ATTEMPTS):
            self.begun = await asyncio.wait_for(self.open(), BEGINS_WITHIN_S)
            if self.begun:
                return
            await asyncio.sleep(RETRY_S)
        raise ConnectionError(f"Expected {self.path} to take call {self.echo.caller}, got no")

    def speak(self, now: float) -> None:
        """Send the next chunk."""
        if self.connection is not None:
            self.send_audio(self.echo.next_chunk(now))
            if self.native and self._frame and len(self.echo.sent_at) % PLAYED_EVERY == 0:
                self.send(type="played", frame=self._frame)

    def take_audio(self, frame: int | None, generation: int, pcm: bytes, now: float) -> None:
        """Compare it with what was sent."""
        self._frame = frame or 0
        self.echo.take(pcm, now)


class LoadGenerator:
    """Drives all callers in one loop over their phases."""

    def __init__(self, callers: list[Caller]) -> None:
        self.callers = callers
        self.behind_s: list[float] = []

    async def begin(self) -> None:
        """Begin all calls, a few at a time. Raises TimeoutError when that takes too long."""
        async with asyncio.timeout(ALL_BEGIN_WITHIN_S):
            for at in range(0, len(self.callers), AT_ONCE):
                await asyncio.gather(*(c.begin() for c in self.callers[at : at + AT_ONCE]))

    async def speak(self, seconds: float) -> None:
        """Send a chunk of each caller every 80 ms for so long, whatever comes back."""
        start, count = time.monotonic(), len(self.callers)
        for turn in range(round(seconds / CHUNK_S)):
            for index, caller in enumerate(self.callers):
                due = start + (turn + index / count) * CHUNK_S
                # The loop's timers have a resolution of 1 ms: a chunk due within it goes now.
                if due - time.monotonic() > 0.001:
                    await asyncio.sleep(due - time.monotonic())
                now = time.monotonic()
                self.behind_s.append(max(0.0, now - due))
                caller.speak(now)
            await asyncio.sleep(0)

    async def measure(self, seconds: float) -> Result:
        """Warm up, measure, and wait for the last echoes."""
        await self.speak(WARM_UP_S)
        self.behind_s.clear()
        for caller in self.callers:
            caller.echo.begin()
        _print("begin")
        await self.speak(seconds)
        _print("end")
        for caller in self.callers:
            caller.echo.end()
        await asyncio.sleep(DRAIN_S)
        found = self._result(seconds)
        for caller in self.callers:
            caller.hang_up()
        return found

    def _result(self, seconds: float) -> Result:
        echoes = [caller.echo for caller in self.callers]
        behind = sorted(self.behind_s)
        return Result(
            callers=len(echoes),
            seconds=seconds,
            latency_ms=_thinned([s for echo in echoes for s in echo.latency_s]),
            lateness_ms=_thinned([s for echo in echoes for s in echo.lateness_s]),
            lost=sum(echo.lost + echo.missing for echo in echoes),
            wrong=sum(echo.wrong for echo in echoes),
            closed=sum(c.connection is None or c.connection.closed for c in self.callers),
            behind_p99_ms=round(behind[int(0.99 * (len(behind) - 1))] * 1_000, 2),
        )


def _thinned(seconds: list[float]) -> list[float]:
    """In ms, sorted: at most 20,000 of the values, always with the largest."""
    ordered = sorted(seconds, reverse=True)
    return [round(s * 1_000, 3) for s in ordered[:: max(1, len(ordered) // 20_000)]][::-1]


def _print(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


async def _run(options: argparse.Namespace) -> Result:
    urls = options.url.split(",")
    generator = LoadGenerator(
        [Caller(n + 1, urls[n % len(urls)], native=options.native) for n in range(options.callers)]
    )
    try:
        await generator.begin()
    except (TimeoutError, OSError) as error:
        begun = sum(caller.begun for caller in generator.callers)
        sys.exit(f"only {begun} of {options.callers} calls began: {error!r}")
    return await generator.measure(options.seconds)


def main() -> None:
    """Read the command line, load the server, print the result."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.load.load_generator", description=__doc__
    )
    parser.add_argument("url", help="one or more, separated by commas: the callers take turns")
    parser.add_argument("callers", type=int)
    parser.add_argument("seconds", type=float)
    parser.add_argument("--native", action="store_true", help="speak antiphon.v1")
    options = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))  # one socket a caller
    gc.disable()  # our garbage collections must not count as the server's delay
    found: dict[str, Any] = asdict(uvloop.run(_run(options)))
    _print(json.dumps(found))


if __name__ == "__main__":
    main()
