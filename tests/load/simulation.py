"""A fleet as queues: when every caller's chunk has gone all the way, event by event.

Each caller sends a chunk every 80 ms, at a phase of their own. Its way, as in the real thing:

    gateway -> Redis -> worker -> Redis -> gateway

Gateways and Redis primaries take one job after another. A worker takes all that waits for it as one
batch, whose time is a straight line over its size. Each process has a core (a worker perhaps a
GPU, too) of its own, or all share one, in turns; a caller's way is fixed once.
"""

import heapq
import itertools
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from shared.audio import CHUNK_MS

CHUNK_US: Final = CHUNK_MS * 1_000
WARM_UP_US: Final = 500_000


@dataclass(frozen=True, slots=True)
class Shape:
    """How many of each, and what a chunk costs them (us)."""

    gateways: int
    primaries: int
    workers: int
    gateway_us: float  # a visit: a chunk visits it twice
    primary_us: float  # the same
    worker_us: float  # a chunk in a batch
    batch_us: float  # a batch, however small
    way_us: float = 0.0  # whatever else lies on the way: sockets, ticks, wake-ups
    one_core: bool = False  # all share one, as where the costs were measured


class _Core:
    """Serves its stations in turns, each until its job is done."""

    def __init__(self) -> None:
        self.ready: deque[_Station] = deque()
        self.busy = False


class _Station:
    """One process; `batch_us` None: one job after another."""

    def __init__(self, core: _Core, each_us: float, batch_us: float | None = None) -> None:
        self.core = core
        self.each_us = each_us
        self.batch_us = batch_us
        self.waiting: deque[int] = deque()

    def take(self) -> tuple[list[int], float]:
        """The next jobs and how long they take together."""
        if self.batch_us is None:
            return [self.waiting.popleft()], self.each_us
        jobs = list(self.waiting)
        self.waiting.clear()
        return jobs, self.batch_us + self.each_us * len(jobs)


class Simulation:
    """Callers of one fleet; times in us."""

    def __init__(self, shape: Shape, callers: int, seed: int) -> None:
        self._draw = random.Random(seed)
        self._shape = shape
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        shared = _Core()

        def stations(count: int, each_us: float, batch_us: float | None = None) -> list[_Station]:
            cores = (shared if shape.one_core else _Core() for _ in range(count))
            return [_Station(core, each_us, batch_us) for core in cores]

        gateways = stations(shape.gateways, shape.gateway_us)
        primaries = stations(shape.primaries, shape.primary_us)
        workers = stations(shape.workers, shape.worker_us, shape.batch_us)
        self._ways = [self._way(n, gateways, primaries, workers) for n in range(callers)]
        self._said_at: list[float] = []
        self._caller: list[int] = []
        self._stage: list[int] = []
        self.latency_us: list[float] = []
        self.now = 0.0

    def _way(
        self, n: int, gateways: list[_Station], primaries: list[_Station], workers: list[_Station]
    ) -> tuple[_Station, ...]:
        """Gateways and workers are filled evenly; which primary it is, a hash decides."""
        gateway = gateways[n % len(gateways)]
        primary = self._draw.choice(primaries)
        return gateway, primary, workers[n % len(workers)], primary, gateway

    def run(self, seconds: float) -> list[float]:
        """The latencies of all chunks that came back, behind a warm-up, sorted; in ms."""
        for caller in range(len(self._ways)):
            self._at(self._draw.random() * CHUNK_US, self._speaker(caller))
        while self._events and self._events[0][0] < seconds * 1e6:
            self.now, _, event = heapq.heappop(self._events)
            event()
        return sorted((us + self._shape.way_us) / 1_000 for us in self.latency_us)

    def _at(self, when: float, event: Callable[[], None]) -> None:
        heapq.heappush(self._events, (when, next(self._order), event))

    def _speaker(self, caller: int) -> Callable[[], None]:
        def speak() -> None:
            self._said_at.append(self.now)
            self._caller.append(caller)
            self._stage.append(0)
            self._arrive(len(self._said_at) - 1)
            self._at(self.now + CHUNK_US, speak)

        return speak

    def _arrive(self, job: int) -> None:
        station = self._ways[self._caller[job]][self._stage[job]]
        station.waiting.append(job)
        if len(station.waiting) == 1:
            station.core.ready.append(station)
            self._serve(station.core)

    def _serve(self, core: _Core) -> None:
        """Begin the next station's work, if the core is free."""
        if core.busy or not core.ready:
            return
        core.busy = True
        station = core.ready.popleft()
        jobs, taken = station.take()
        if station.waiting:
            core.ready.append(station)

        def end() -> None:
            core.busy = False
            for job in jobs:
                self._go_on(job)
            self._serve(core)

        self._at(self.now + taken, end)

    def _go_on(self, job: int) -> None:
        self._stage[job] += 1
        if self._stage[job] < len(self._ways[0]):
            self._arrive(job)
        elif self._said_at[job] > WARM_UP_US:
            self.latency_us.append(self.now - self._said_at[job])
