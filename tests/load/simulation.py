"""Simulate a fleet as a network of queues: the latency of every chunk, event by event.

Each caller sends a chunk every 80 ms, at a phase of its own. The chunk visits, as in the product:

    gateway -> Redis -> worker -> Redis -> gateway

Gateways and Redis primaries serve one job after another. A worker serves all waiting jobs as one
batch, in a time that is linear in its size. Each process has a core of its own (a worker perhaps
also a GPU), or all share one core in turns. A caller's path is fixed.
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
class FleetShape:
    """The number of each kind of process, and the cost of a chunk there, in us."""

    gateways: int
    primaries: int
    workers: int
    gateway_us: float  # a visit; a chunk makes two
    primary_us: float  # a visit; a chunk makes two
    worker_us: float  # each chunk of a batch
    batch_us: float  # each batch, whatever its size
    other_us: float = 0.0  # sockets, ticks and wakeups along the path
    one_core: bool = False  # all processes share a core, as during the measurement


class _Core:
    """Serves its stations in turns, one job or batch at a time."""

    def __init__(self) -> None:
        self.ready: deque[_Station] = deque()
        self.busy = False


class _Station:
    """One process. With `batch_us` None it serves one job after another."""

    def __init__(self, core: _Core, each_us: float, batch_us: float | None = None) -> None:
        self.core = core
        self.each_us = each_us
        self.batch_us = batch_us
        self.waiting: deque[int] = deque()

    def take(self) -> tuple[list[int], float]:
        """The next jobs, and the time that they take together."""
        if self.batch_us is None:
            return [self.waiting.popleft()], self.each_us
        jobs = list(self.waiting)
        self.waiting.clear()
        return jobs, self.batch_us + self.each_us * len(jobs)


class Simulation:
    """The callers of one fleet; times in us."""

    def __init__(self, shape: FleetShape, callers: int, seed: int) -> None:
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
        self._paths = [self._path(n, gateways, primaries, workers) for n in range(callers)]
        self._sent_at: list[float] = []
        self._caller: list[int] = []
        self._stage: list[int] = []
        self.latency_us: list[float] = []
        self.now = 0.0

    def _path(
        self, n: int, gateways: list[_Station], primaries: list[_Station], workers: list[_Station]
    ) -> tuple[_Station, ...]:
        """Fill gateways and workers evenly; a hash chooses the primary."""
        gateway = gateways[n % len(gateways)]
        primary = self._draw.choice(primaries)
        return gateway, primary, workers[n % len(workers)], primary, gateway

    def run(self, seconds: float) -> list[float]:
        """The latencies of all chunks after the warm-up, sorted, in ms."""
        for caller in range(len(self._paths)):
            self._at(self._draw.random() * CHUNK_US, self._speaker(caller))
        while self._events and self._events[0][0] < seconds * 1e6:
            self.now, _, event = heapq.heappop(self._events)
            event()
        return sorted((us + self._shape.other_us) / 1_000 for us in self.latency_us)

    def _at(self, when: float, event: Callable[[], None]) -> None:
        heapq.heappush(self._events, (when, next(self._order), event))

    def _speaker(self, caller: int) -> Callable[[], None]:
        def speak() -> None:
            self._sent_at.append(self.now)
            self._caller.append(caller)
            self._stage.append(0)
            self._arrive(len(self._sent_at) - 1)
            self._at(self.now + CHUNK_US, speak)

        return speak

    def _arrive(self, job: int) -> None:
        station = self._paths[self._caller[job]][self._stage[job]]
        station.waiting.append(job)
        if len(station.waiting) == 1:
            station.core.ready.append(station)
            self._serve(station.core)

    def _serve(self, core: _Core) -> None:
        """Begin the next station's work if the core is free."""
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
                self._advance(job)
            self._serve(core)

        self._at(self.now + taken, end)

    def _advance(self, job: int) -> None:
        self._stage[job] += 1
        if self._stage[job] < len(self._paths[0]):
            self._arrive(job)
        elif self._sent_at[job] > WARM_UP_US:
            self.latency_us.append(self.now - self._sent_at[job])
