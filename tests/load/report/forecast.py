"""The section on simulated fleets."""

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
**These figures are simulated.** The costs are those of the last runs (`plots/bench.json`). The
simulation assumes:

- A chunk costs gateway, Redis and worker as much as at the largest number of callers that held in
  the ladder. If none held, it is the largest number that lost no frame. Each process has a core
  like this one to itself and uses at most {100 * FULL:.0f} % of it.
- Every caller speaks and gets speech all the time (the echo's worst case); the engine steps as in
  *mix*. A worker's turn (its own work and a step) takes at most {FULL * 80:.0f} of a chunk's 80 ms.
- `tiny`: one core a worker, the line through the measured steps. `base` on an H200 is **assumed**:
  {GPU.batch_us / 1_000:.0f} ms a step and {GPU.row_us:.0f} us a row (2,000 rows: 70 ms). Several
  workers share a card, on which their steps run one after another.
- The hash of a session chooses its primary. A command costs the same on a Redis Cluster as on one
  Redis. On a Cluster there are no wakeups and every process polls; the simulation leaves that out.
- The cost of the shared keys grows faster than the fleet. Every worker reads the meta of every
  session each second. Every worker and gateway reads the beat of every worker {LOOKS_PER_S} times a
  second. All of that comes from one primary. The largest fleet is where it fills the core of a
  worker or of that primary. More callers need *cells*: fleets, each with its own Redis, that share
  one name. The table gives the largest cell that spends at most {100 * CELL_SHARE:.0f} % of
  a core on this.
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
            "Latency against the load of all processes (1: a worker's turn takes 80 ms):",
            _curves(curves),
            "![fleet](plots/forecast.svg)",
            "The simulation on one core at each rung's own costs, beside the measurement, in ms. "
            "It knows ticks, wakeups and the scheduler only from the latency of a single call.",
            _checks(checks),
        ]
    )


def _costs(costs: Costs) -> str:
    keys = costs.shared_keys
    a_chunk = (costs.gateway_us, costs.primary_us, costs.worker_us)
    rows: list[list[object]] = [
        [f"chunk, one of {costs.callers} callers", *a_chunk],
        ["sweep, each session", "", keys.sweep_redis, keys.sweep_worker],
        ["watch, each beat that is read", keys.watch_worker, keys.watch_redis, keys.watch_worker],
        ["beat", "", keys.beat_redis, keys.beat_worker],
        [
            "wakeup, each session id and listener",
            keys.wakeup_worker,
            keys.wakeup_redis,
            keys.wakeup_worker,
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
    head += ["shared keys, share of a worker's core", "share of their primary's core"]
    rows: list[list[object]] = []
    for engine in engines:
        most = cell(costs, engine)
        rows += [_fleet(costs, engine, callers, most) for callers in SIZES]
        rows.append([engine.name, f"largest fleet: {ends_at(costs, engine):,}", *[""] * 6])
    return table(head, rows)


def _fleet(costs: Costs, engine: Engine, callers: int, most: int) -> list[object]:
    """One fleet if it is small enough, else cells."""
    cells = 1 if not most or callers <= most else -(-callers // most)
    found = size(costs, engine, -(-callers // cells))
    if found is None:
        return [engine.name, f"{callers:,}", *["-"] * 6]
    size_text = f"{callers:,}" + (f" in {cells:,} cells" if cells > 1 else "")
    counts = (found.gateways, found.primaries, found.workers, found.cards)
    shares = (found.shared_share, found.hub_share)
    total = [f"{cells * count:,}" if count else "" for count in counts]
    return [engine.name, size_text, *total, *(f"{100 * share:.1f} %" for share in shares)]


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
