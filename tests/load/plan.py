"""`make plan CALLERS=5000 ENGINE=hybrid`: the processes, cores, cards and primaries for a load.

It computes with the costs in docs/plots/bench.json, and says which of them were measured where.
"""

import argparse
import json
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.load.cascade import TalkRung, largest_talking
from tests.load.document import table
from tests.load.fleet import Fleet
from tests.load.forecast import ECHO, FULL, GPU, Costs, Engine, cell, cpu_engine, size
from tests.load.ladder import Rung
from tests.load.record import Record
from tests.load.report.model import EngineResult

RECORD: Final = Path("docs/plots/bench.json")
ENGINES: Final = ("echo", "hybrid", "cascade", "gpu")
# Where the record has no run of the cascade: half of WORKER_SLOTS' default a core.
CASCADE_CALLERS: Final = 4
REDIS_RECORD: Final = Path("docs/plots/redis.json")  # of `make redis-costs`


@dataclass(frozen=True, slots=True)
class Row:
    """One kind of process."""

    process: str
    count: int
    cores: int
    basis: str


def plan(record: Record, callers: int, engine: str) -> list[Row]:
    """The fleet. Raises ValueError where the record has too little, or no fleet is so large."""
    rungs, fleet = record.found("transport", list[Rung]), record.found("fleet", Fleet)
    if not rungs or fleet is None:
        raise ValueError(f"Expected measured costs in {record.path}, got none: run `make bench`")
    costs = Costs.of(rungs, fleet)
    if engine == "cascade":
        return _cascade(record, costs, callers)
    model, basis = _model(record, engine)
    most = cell(costs, model)
    cells = max(1, math.ceil(callers / most)) if most else 1
    found = size(costs, model, math.ceil(callers / cells))
    if found is None:
        raise ValueError(f"Expected a fleet for {callers} callers, got none: even cells are full")
    workers, cards = cells * found.workers, cells * found.cards
    rows = _rows(record, cells, found.gateways, found.primaries)
    rows.append(Row("worker", workers, 0 if model.card else workers, basis))
    return [*rows, Row("GPU", cards, 0, basis)] if cards else rows


def _cascade(record: Record, costs: Costs, callers: int) -> list[Row]:
    """By callers a core: the cascade's steps share no batch that a line could describe."""
    cells = max(1, math.ceil(callers / cell(costs, ECHO)))
    base = size(costs, ECHO, math.ceil(callers / cells))
    if base is None:
        raise ValueError(f"Expected a fleet for {callers} callers, got none: even cells are full")
    rungs = record.found("cascade", list[TalkRung])
    each = math.floor(FULL * largest_talking(rungs)) if rungs else CASCADE_CALLERS
    where = f"measured: {record.place('cascade')}" if rungs else "assumed: not measured yet"
    workers = math.ceil(callers / max(1, each))
    basis = f"{each} callers a core, {where}"
    return [
        *_rows(record, cells, base.gateways, base.primaries),
        Row("worker", workers, workers, basis),
    ]


def _model(record: Record, engine: str) -> tuple[Engine, str]:
    if engine == "echo":
        return ECHO, f"measured: {record.place('transport')}"
    if engine == "gpu":
        return (
            GPU,
            f"assumed: {GPU.name}, {GPU.batch_us / 1_000:g} ms a step, {GPU.row_us:g} us a row",
        )
    found = record.found("engine", EngineResult)
    if found is None:
        raise ValueError("Expected measured steps, got none: run `make bench ARGS=engine`")
    return cpu_engine(found.steps), f"measured: {record.place('engine')}"


def _rows(record: Record, cells: int, gateways: int, primaries: int) -> list[Row]:
    where = f"measured: {record.place('transport')}"
    return [
        Row("gateway", cells * gateways, cells * gateways, where),
        Row("Redis primary", cells * primaries, cells * primaries, where),
    ]


def text(rows: Sequence[Row], callers: int, engine: str) -> str:
    """What the command prints."""
    cores = sum(row.cores for row in rows)
    bases = list(dict.fromkeys(row.basis for row in rows))
    shown = [[row.process, row.count, row.cores, bases.index(row.basis) + 1] for row in rows]
    call_bytes, where = session_bytes()
    return (
        f"{callers:,} callers who talk all the time, ENGINE={engine}: {cores:,} cores, "
        f"each at most {100 * FULL:.0f} % busy.\n\n"
        f"{table(['process', 'count', 'cores', 'basis'], shown)}\n\n"
        + "\n".join(f"({number}) {basis}" for number, basis in enumerate(bases, 1))
        + f"\n\nRedis memory: {callers * call_bytes / 2**30:.1f} GiB, {call_bytes / 1_000:.0f} KB "
        f"a call ({where}),\nand as much again while Redis rewrites its file. Add one machine to "
        "lose, and a replica for each primary.\n"
    )


def session_bytes() -> tuple[float, str]:
    """What the log of one call takes, and where that was measured."""
    found = json.loads(REDIS_RECORD.read_text())
    return float(found["bytes_a_call"]), f"measured: {found['place']}"


def main() -> None:
    """Read the command line; print the plan."""
    parser = argparse.ArgumentParser(prog="python -m tests.load.plan", description=__doc__)
    parser.add_argument("--callers", type=int, required=True, help="callers at the same time")
    parser.add_argument("--engine", choices=ENGINES, default="hybrid", help="what workers run")
    options = parser.parse_args()
    try:
        rows = plan(Record(RECORD), options.callers, options.engine)
    except ValueError as error:
        sys.exit(f"make plan: {error}")
    sys.stdout.write(text(rows, options.callers, options.engine))


if __name__ == "__main__":
    main()
