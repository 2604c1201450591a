"""`python -m tests.chaos.soak`: calls come and go, a process a minute dies, and nothing may grow.

One gateway and one worker are never killed: what they and Redis hold is measured every few seconds.
Growth is the median of all slopes between two samples (Theil and Sen) times the time measured; the
first quarter is left out, since caches fill then.
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
from tests.chaos.cluster import Cluster, descriptors, memory
from tests.chaos.strikes.crowd import Quiet
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
# How much a series may have grown in the end: a share of its median, and so many units.
ALLOWED: Final = {
    "memory MB": (0.05, 1.0),
    "descriptors": (0.0, 3.0),
    "tasks": (0.0, 3.0),
    "keys": (0.05, 4.0),
}


@dataclass
class Series:
    """One thing of one process, over time."""

    process: str
    what: str
    samples: list[tuple[float, float]] = field(default_factory=list)  # seconds, value

    @property
    def grown(self) -> float:
        """By how much from the end of the warm-up to the end."""
        warm = [s for s in self.samples if s[0] >= WARM_UP * self.samples[-1][0]]
        pairs = itertools.combinations(warm, 2)
        slopes = [(b[1] - a[1]) / (b[0] - a[0]) for a, b in pairs if b[0] > a[0]]
        return statistics.median(slopes) * (warm[-1][0] - warm[0][0]) if slopes else 0.0

    @property
    def flat(self) -> bool:
        """Whether it grew by no more than is allowed."""
        share, units = ALLOWED[self.what]
        return self.grown <= units + share * statistics.median(v for _, v in self.samples)

    def __str__(self) -> str:
        """Where it stands and by how much it grew."""
        last = self.samples[-1][1] if self.samples else 0.0
        return f"{self.process} {self.what} {last:.4g} ({self.grown:+.2g})"


class Soak:
    """All that goes on for so many seconds."""

    def __init__(self, cluster: Cluster, seconds: float, seed: int) -> None:
        self.cluster = cluster
        self.seconds = seconds
        self.rng = random.Random(seed)
        self.total = Count("soak")
        self.kills = 0
        self.series: dict[tuple[str, str], Series] = {}
        self._seeds = itertools.count(seed)
        self._begun = time.monotonic()
        self._elders = {"worker": cluster.workers[0], "gateway": cluster.gateways[cluster.ports[0]]}

    async def run(self) -> None:
        """Until it is over; every call's frames are counted."""
        tasks = [self._talk(number) for number in range(1, TALKERS + 1)]
        tasks += [self._idle(number) for number in range(IDLERS)]
        async with asyncio.TaskGroup() as group:
            for task in (*tasks, self._kill(), self._sample()):
                group.create_task(task)

    @property
    def left_s(self) -> float:
        """Seconds to go."""
        return self._begun + self.seconds - time.monotonic()

    async def _talk(self, number: int) -> None:
        """One caller after the other."""
        while self.left_s > 0:
            caller = Caller(self.cluster.urls, next(self._seeds), number)
            running = asyncio.create_task(caller.run())
            began = time.monotonic()
            await asyncio.sleep(min(self.rng.uniform(*CALL_S), max(1.0, self.left_s)))
            caller.stop()
            await running
            self.total.add(counted("soak", [caller], began))

    async def _idle(self, number: int) -> None:
        """Calls in which nobody speaks; one comes back when its socket is lost."""
        while self.left_s > 0:
            # Each begins at its own gateway, or all would gather at the one that never dies.
            quiet = Quiet(self.cluster.urls, number)
            ends_at = time.monotonic() + min(self.left_s, self.rng.uniform(*IDLE_S))
            while (stays_s := ends_at - time.monotonic()) > 0:
                with suppress(OSError, WebSocketException, TimeoutError):
                    await quiet.begin("turn")
                    await quiet.say(0)
                    await asyncio.wait_for(quiet.closed(), stays_s)
                await asyncio.sleep(LOOK_S)
                quiet.url = self.rng.choice(self.cluster.urls)
            await quiet.end()

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
            [w for w in self.cluster.workers if w is not self._elders["worker"]]
        )
        victim.kill()
        time.sleep(REPLACED_AFTER_S)
        self.cluster.replace_dead_workers()

    def _kill_gateway(self) -> None:
        port = self.rng.choice(self.cluster.ports[1:])
        self.cluster.gateways[port].kill()
        time.sleep(REPLACED_AFTER_S)
        self.cluster.start_gateway(port)

    async def _sample(self) -> None:
        while self.left_s > 0:
            await asyncio.to_thread(self._look)
            await asyncio.sleep(SAMPLE_EVERY_S)

    def _look(self) -> None:
        for name, process in self._elders.items():
            self._note(name, "memory MB", memory(process.pid) / 1e6)
            self._note(name, "descriptors", descriptors(process.pid))
            self._note(name, "tasks", self.cluster.gauge(process, "antiphon_asyncio_tasks"))
        store = self.cluster.store
        self._note("redis", "memory MB", float(store.client.info("memory")["used_memory"]) / 1e6)
        self._note("redis", "keys", float(store.client.dbsize()))

    def _note(self, process: str, what: str, value: float) -> None:
        series = self.series.setdefault((process, what), Series(process, what))
        series.samples.append((time.monotonic() - self._begun, value))

    def wrong(self) -> list[str]:
        """What breaks a promise."""
        names = ("lost", "doubled", "reordered", "foreign", "skipped", "told")
        found = [name for name in names if getattr(self.total, name)]
        return found + [f"{s.process} {s.what}" for s in self.series.values() if not s.flat]

    def line(self) -> str:
        """The result."""
        t, wrong = self.total, self.wrong()
        verdict = "WRONG: " + ", ".join(wrong) if wrong else "ok"
        return (
            f"soak {self.seconds / 60:.0f} min: {self.kills} kills, {t.calls} calls and {IDLERS} "
            f"idle ones, {t.frames} frames; lost {t.lost}, doubled {t.doubled}, reordered "
            f"{t.reordered}, foreign {t.foreign}, skipped {t.skipped}, told {t.told}; in the end "
            f"(grown): {', '.join(map(str, self.series.values()))}; {verdict}"
        )


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line, run, print; exit status 1 when something is lost or grows."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--seed", type=int, default=1)
    wish = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        cluster = Cluster(Path(folder))
        try:
            soak = Soak(cluster, 60 * wish.minutes, wish.seed)
            asyncio.run(soak.run())
        finally:
            cluster.close()
    sys.stdout.write(soak.line() + "\n")
    sys.exit(1 if soak.wrong() else 0)


if __name__ == "__main__":
    main()
