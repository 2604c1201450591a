"""The section on fleets that nobody has measured."""

from collections.abc import Sequence
from typing import Final

from tests.load.curves import Check, Point
from tests.load.document import table
from tests.load.forecast import (
    CELL_SHARE,
    FULL,
    GPU,
    LOOKS_PER_S,
    Costs,
    Engine,
    a_card_holds,
    a_worker_holds,
    cell,
    ends_at,
    size,
)

SIZES: Final = (1_000, 10_000, 100_000, 1_000_000)
HOW: Final = f"""\
**Simulated, not measured.** Costs are this run's own (`docs/plots/bench.json`). What is assumed:

- A chunk costs gateway, Redis and worker what it cost at the largest number of callers that the
  ladder held (where none held: lost nothing), on cores like this one, each process on its own and
  none of them over {100 * FULL:.0f} %.
- Every caller is heard and answered all the time (the echo's worst case); the engine is stepped as
  in *mix*. A worker's turn (its own work and a step) fits into {FULL * 80:.0f} of a chunk's 80 ms.
- `tiny`: one core a worker, the straight line through the measured steps. `base` on an H200 is
  **stated**: {GPU.batch_us / 1_000:.0f} ms a step and {GPU.row_us:.0f} us a row (2,000: 70 ms);
  several workers share a card, whose steps follow one another.
- Sessions lie on the primaries by their hash; a Redis Cluster costs a command no more than one
  Redis does. There the bell does not ring and everybody polls: that is not counted.
- What all share grows faster than the fleet: each second every worker reads every session's meta,
  and {LOOKS_PER_S} times a second every worker and gateway reads every worker's beat, from one
  primary. Where that fills a worker's or that primary's core, one fleet ends. Beyond it callers go
  to *cells*: fleets of their own, with their own Redis, behind one name; the table gives the
  largest that spends at most {100 * CELL_SHARE:.0f} % of a core so.
"""


def forecast(
    costs: Costs,
    engines: Sequence[Engine],
    curves: dict[str, list[Point]],
    checks: Sequence[Check],
    where: str,
) -> str:
    """The section."""
    return "\n\n".join(
        [
            f"## Beyond one machine\n\n{HOW.strip()}\n\n{where}",
            _costs(costs),
            _units(costs, engines),
            _fleets(costs, engines),
            "Latency against load, of all processes alike (1: a worker's turn takes 80 ms):",
            _curves(curves),
            "![fleet](plots/forecast.svg)",
            "The simulation on one core at each rung's own costs, beside what was measured there "
            "(ms; of ticks, wake-ups and the scheduler it knows but the way of a single call):",
            _checks(checks),
        ]
    )


def _costs(costs: Costs) -> str:
    toll = costs.toll
    a_chunk = (costs.gateway_us, costs.primary_us, costs.worker_us)
    rows: list[list[object]] = [
        [f"a chunk of one of {costs.callers} callers", *a_chunk],
        ["sweep, a session", "", toll.sweep_redis, toll.sweep_worker],
        ["look at one worker's beat", toll.watch_worker, toll.watch_redis, toll.watch_worker],
        ["a beat", "", toll.beat_redis, toll.beat_worker],
        [
            "a ring, a session named and a hearer",
            toll.ring_worker,
            toll.ring_redis,
            toll.ring_worker,
        ],
    ]
    return table(["us of CPU", "gateway", "Redis", "worker"], rows)


def _units(costs: Costs, engines: Sequence[Engine]) -> str:
    room_us = FULL * 80_000
    rows: list[list[object]] = [
        ["a gateway", int(room_us / costs.gateway_us)],
        ["a Redis primary", int(room_us / costs.primary_us)],
    ]
    for engine in engines:
        each = a_worker_holds(costs, engine)
        rows.append([f"a worker, {engine.name}", each])
        if engine.card:
            rows.append([f"a card, {engine.name}", each * a_card_holds(engine, each)])
    return table(["one process", "callers"], rows)


def _fleets(costs: Costs, engines: Sequence[Engine]) -> str:
    head = ["engine", "callers", "gateways", "primaries", "workers", "cards"]
    head += ["shared keys, of a worker's core", "of their primary's core"]
    rows: list[list[object]] = []
    for engine in engines:
        most = cell(costs, engine)
        rows += [_fleet(costs, engine, callers, most) for callers in SIZES]
        rows.append([engine.name, f"one fleet ends at {ends_at(costs, engine):,}", *[""] * 6])
    return table(head, rows)


def _fleet(costs: Costs, engine: Engine, callers: int, most: int) -> list[object]:
    """One fleet while it is small enough, cells beyond it."""
    cells = 1 if not most or callers <= most else -(-callers // most)
    found = size(costs, engine, -(-callers // cells))
    if found is None:
        return [engine.name, f"{callers:,}", *["-"] * 6]
    said = f"{callers:,}" + (f" in {cells:,} cells" if cells > 1 else "")
    counts = (found.gateways, found.primaries, found.workers, found.cards)
    shares = (found.shared_share, found.hub_share)
    total = [f"{cells * count:,}" if count else "" for count in counts]
    return [engine.name, said, *total, *(f"{100 * share:.1f} %" for share in shares)]


def _curves(curves: dict[str, list[Point]]) -> str:
    rows = [
        [name, p.load, p.callers, p.p50, p.p95, p.p99]
        for name, points in curves.items()
        for p in points
    ]
    return table(["engine", "load", "callers simulated", "added p50", "p95", "p99"], rows)


def _checks(checks: Sequence[Check]) -> str:
    head = ["callers", "measured p50", "p95", "simulated p50", "p95"]
    rows = [
        [c.callers, c.measured_p50, c.measured_p95, c.simulated_p50, c.simulated_p95]
        for c in checks
    ]
    return table(head, rows)
