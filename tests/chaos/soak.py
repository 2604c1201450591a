"""Run calls for a long time, kill a process every minute, and check that nothing grows.

The soak never kills one gateway and one worker, and samples what they and Redis hold every few
seconds. Growth is the median of all slopes between two samples (Theil and Sen) times the measured
time. The first quarter does not count, because caches fill then.
"""

import argparse
import asyncio
import itertools
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from websockets.exceptions import WebSocketException

from tests.chaos.caller import Caller
from tests.chaos.deployment import Deployment, descriptors, memory
from tests.chaos.injections.callers import SimpleCaller
from tests.chaos.trial import Count, counted

TALKERS: Final = 4
IDLERS: Final = 10
CALL_S: Final = (10.0, 50.0)
IDLE_S: Final = (30.0, 120.0)
KILL_EVERY_S: Final = 60.0
REPLACED_AFTER_S: Final = 1.5
SAMPLE_EVERY_S: Final = 5.0
LOOK_S: Final = 0.5
WARM_UP: Final = 0.25  # of the whole time
# How much a series may grow: a share of its median plus a number of units.
ALLOWED: Final = {
    "memory MB": (0.05, 1.0),
    "descriptors": (0.0, 3.0),
    "tasks": (0.0, 3.0),
    "keys": (0.05, 4.0),
}


@dataclass
class Series:
    """Samples of one quantity of one process."""

    process: str
    quantity: str
    samples: list[tuple[float, float]] = field(default_factory=list)  # seconds, value

    @property
    def grown(self) -> float:
        """The growth from the end of the warm-up to the end."""
        warm = [s for s in self.samples if s[0] >= WARM_UP * self.samples[-1][0]]
        pairs = itertools.combinations(warm, 2)
        slopes = [(b[1] - a[1]) / (b[0] - a[0]) for a, b in pairs if b[0] > a[0]]
        return statistics.median(slopes) * (warm[-1][0] - warm[0][0]) if slopes else 0.0

    @property
    def flat(self) -> bool:
        """Whether the growth is within what is allowed."""
        share, units = ALLOWED[self.quantity]
        return self.grown <= units + share * statistics.median(v for _, v in self.samples)

    def __str__(self) -> str:
        """The last value and the growth."""
        last = self.samples[-1][1] if self.samples else 0.0
        return f"{self.process} {self.quantity} {last:.4g} ({self.grown:+.2g})"


class Soak:
    """The calls, kills and samples of so many seconds."""

    def __init__(self, deployment: Deployment, seconds: float, seed: int) -> None:
        self.deployment = deployment
        self.seconds = seconds
        self.rng = random.Random(seed)
        self.total = Count("soak")
        self.kills = 0
        self.series: dict[tuple[str, str], Series] = {}
        self._seeds = itertools.count(seed)
        self._begun = time.monotonic()
        self._spared = {
            "worker": deployment.workers[0],
            "gateway": deployment.gateways[deployment.ports[0]],
        }

    async def run(self) -> None:
        """Run until the time is over and count the frames of every call."""
        tasks = [self._talk(number) for number in range(1, TALKERS + 1)]
        tasks += [self._idle(number) for number in range(IDLERS)]
        async with asyncio.TaskGroup() as group:
            for task in (*tasks, self._kill(), self._sample()):
                group.create_task(task)

    @property
    def left_s(self) -> float:
        """The seconds that remain."""
        return self._begun + self.seconds - time.monotonic()

    async def _talk(self, number: int) -> None:
        """Run one talking caller after another."""
        while self.left_s > 0:
            caller = Caller(self.deployment.urls, next(self._seeds), number)
            running = asyncio.create_task(caller.run())
            began = time.monotonic()
            await asyncio.sleep(min(self.rng.uniform(*CALL_S), max(1.0, self.left_s)))
            caller.stop()
            await running
            self.total.add(counted("soak", [caller], began))

    async def _idle(self, number: int) -> None:
        """Run silent calls, one after another; reconnect when a socket is lost."""
        while self.left_s > 0:
            # Each begins at its own gateway, or all would end up at the one that never dies.
            idler = SimpleCaller(self.deployment.urls, number)
            ends_at = time.monotonic() + min(self.left_s, self.rng.uniform(*IDLE_S))
            while (stays_s := ends_at - time.monotonic()) > 0:
                with suppress(OSError, WebSocketException, TimeoutError):
                    await idler.begin("turn")
                    await idler.send_chunk(0)
                    await asyncio.wait_for(idler.closed(), stays_s)
                await asyncio.sleep(LOOK_S)
                idler.url = self.rng.choice(self.deployment.urls)
            await idler.end()

    async def _kill(self) -> None:
        while self.left_s > KILL_EVERY_S / 2:
            await asyncio.sleep(min(KILL_EVERY_S, max(0.0, self.left_s)))
            if self.rng.random() < 0.5:
                await asyncio.to_thread(self._kill_worker)
            else:
                await asyncio.to_thread(self._kill_gateway)
            self.kills += 1

    def _kill_worker(self) -> None:
        victim = self.rng.choice(
            [w for w in self.deployment.workers if w is not self._spared["worker"]]
        )
        victim.kill()
        time.sleep(REPLACED_AFTER_S)
        self.deployment.replace_dead_workers()

    def _kill_gateway(self) -> None:
        port = self.rng.choice(self.deployment.ports[1:])
        self.deployment.gateways[port].kill()
        time.sleep(REPLACED_AFTER_S)
        self.deployment.start_gateway(port)

    async def _sample(self) -> None:
        while self.left_s > 0:
            await asyncio.to_thread(self._look)
            await asyncio.sleep(SAMPLE_EVERY_S)

    def _look(self) -> None:
        for name, process in self._spared.items():
            self._note(name, "memory MB", memory(process.pid) / 1e6)
            self._note(name, "descriptors", descriptors(process.pid))
            self._note(name, "tasks", self.deployment.gauge(process, "antiphon_asyncio_tasks"))
        redis = self.deployment.redis
        self._note("redis", "memory MB", float(redis.client.info("memory")["used_memory"]) / 1e6)
        self._note("redis", "keys", float(redis.client.dbsize()))

    def _note(self, process: str, quantity: str, value: float) -> None:
        series = self.series.setdefault((process, quantity), Series(process, quantity))
        series.samples.append((time.monotonic() - self._begun, value))

    def broken_promises(self) -> list[str]:
        """The promises that did not hold."""
        names = ("lost", "doubled", "reordered", "foreign", "skipped", "ended")
        found = [name for name in names if getattr(self.total, name)]
        return found + [f"{s.process} {s.quantity}" for s in self.series.values() if not s.flat]

    def line(self) -> str:
        """The result in one line."""
        t, broken = self.total, self.broken_promises()
        verdict = "WRONG: " + ", ".join(broken) if broken else "ok"
        return (
            f"soak {self.seconds / 60:.0f} min: {self.kills} kills, {t.calls} calls and {IDLERS} "
            f"idle ones, {t.frames} frames; lost {t.lost}, doubled {t.doubled}, reordered "
            f"{t.reordered}, foreign {t.foreign}, skipped {t.skipped}, ended {t.ended}; at the end "
            f"(grown): {', '.join(map(str, self.series.values()))}; {verdict}"
        )


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line, run, print; exit with 1 if a frame is lost or something grows."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        deployment = Deployment(Path(folder))
        try:
            soak = Soak(deployment, 60 * options.minutes, options.seed)
            asyncio.run(soak.run())
        finally:
            deployment.close()
    sys.stdout.write(soak.line() + "\n")
    sys.exit(1 if soak.broken_promises() else 0)


if __name__ == "__main__":
    main()
