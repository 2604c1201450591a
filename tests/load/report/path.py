"""The sections on the whole path: our ladder, the peers, several of each."""

from collections.abc import Sequence
from typing import Final

from tests.load.document import table, times
from tests.load.fleet import Fleet
from tests.load.ladder import LIMIT_P95_MS, Rung, largest
from tests.load.transport import DEFAULT, FLOOR, LEAN, OURS, PEERS, Rivals

HOW_TRANSPORT: Final = """\
The whole path with the echo engine: WebSocket, gateway, Redis (append-only file, everysec), worker
and back, all on ONE core; the callers on the other. Each caller sends 80 ms every 80 ms, their
phases spread, against absolute deadlines, whatever comes back. Every frame carries its number:
*lost* counts frames lost, doubled, reordered or foreign, and calls that broke off. The ladder ends
at the first number that does not hold; one that nearly holds is asked twice.

*Added latency*: from sending a chunk, when its last sample is spoken, to the first 20 ms frame of
its echo. *Lateness*: of each frame, for a player that began with the first one and has no buffer.
CPU is the scheduler's own count of the processes. *Others*: what programs that are not ours used of
that core meanwhile; where it is not near 0, latencies are too high. *Sent late*: how far the
callers themselves were behind; where that is much, their own core is full. All times in ms.
"""
HOW_PEERS: Final = """\
The same callers, chunks and core in the same run, in turns. pipecat is one process with an echo in
it: no log, no second process, nothing survives its death; its transport sends 40 ms messages.
*default* is a pipeline as its documentation makes one, *lean* leaves out what an echo can do
without. The bare websockets echo gives whole messages back, unpaced: what any Python server pays at
least. Versions: `tests/load/peers/requirements.txt`.
"""
HOW_FLEET: Final = """\
Two gateways and two workers beside one of each, in turns, all on the same core with one Redis: not
faster, since there is no more CPU, but what it costs to be several. A caller is on one gateway and
one worker, and half of them on each.
"""


def transport(rungs: Sequence[Rung], where: str) -> str:
    """The section on our ladder."""
    most = largest(rungs)
    return "\n\n".join(
        [
            f"## Transport\n\n{HOW_TRANSPORT.strip()}\n\n{where}",
            _ladder(rungs),
            f"Largest number of callers with p95 < {LIMIT_P95_MS:g} ms and nothing lost: "
            f"**{most}**.\n\n![cost and latency](plots/transport.svg)",
        ]
    )


def _ladder(rungs: Sequence[Rung]) -> str:
    head = ["callers", "added p50", "p95", "p99", "lateness p99", "max", "lost"]
    head += ["redis ms/s a caller", "gateway", "worker", "all", "core", "others", "sent late p99"]
    return table(head, [_row(rung) for rung in rungs])


def _row(r: Rung) -> list[object]:
    cpu = [r.cpu_of(kind) for kind in ("redis", "gateway", "worker")]
    return [*_seen(r), *cpu, r.cpu_per_caller, *_loads(r), r.behind_p99]


def _seen(r: Rung) -> list[object]:
    shown = [r.latency_p50, r.latency_p95, r.latency_p99, r.lateness_p99, r.lateness_max]
    return [r.callers, *shown, r.lost if not r.fell else "fell over"]


def _loads(r: Rung) -> list[str]:
    return [f"{100 * r.load:.0f} %", f"{100 * r.others:.0f} %"]


def peers(found: Rivals, rungs: Sequence[Rung], where: str) -> str:
    """The section on the peers; `rungs` is our own ladder of the same run, or none."""
    rows: list[Sequence[object]] = []
    for callers in found.sizes:
        ours, theirs = found.cost(callers, OURS), found.cost(callers, LEAN)
        costs = (found.cost(callers, name) for name in PEERS)
        rows.append([f"CPU ms/s a caller, {callers} callers", ours, *costs])
        ratio = times(ours / theirs)
        rows.append([f"CPU per session, ours / pipecat ({callers} callers)", ratio, "", "", ""])
    most = largest(rungs)
    rows.append(["largest number held", most, *(found.most(n) for n in PEERS)])
    if most and found.most(LEAN):
        ratio = times(most / found.most(LEAN))
        rows.append(["sessions per core, ours / pipecat", ratio, "", "", ""])
    shown = [
        _peer_ladder(name, rungs)
        for name, rungs in [(OURS, found.side_by_side.get(OURS, [])), *found.ladders.items()]
        if rungs
    ]
    head = f"## Side by side\n\n{HOW_PEERS.strip()}\n\n{where}"
    return "\n\n".join([head, table(["", OURS, LEAN, DEFAULT, FLOOR], rows), *shown])


def _peer_ladder(name: str, rungs: Sequence[Rung]) -> str:
    head = [name, "added p50", "p95", "p99", "lateness p99", "max", "lost"]
    head += ["CPU ms/s a caller", "core", "others"]
    return table(head, [[*_seen(r), r.cpu_per_caller, *_loads(r)] for r in rungs])


def fleet(found: Fleet, where: str) -> str:
    """The section on several of each."""
    head = ["gateways and workers", "callers", "added p50", "p95", "p99", "lateness p99", "max"]
    head += ["lost", "redis ms/s a caller", "gateways", "workers", "all", "core", "others"]
    head += ["sent late p99"]
    both = ("1 and 1", found.one), ("2 and 2", found.two)
    rows = [[name, *_row(rung)] for name, rungs in both for rung in rungs]
    said = f"CPU of two and two, as a multiple of one and one: {times(found.dearer)}."
    return f"## Several of each\n\n{HOW_FLEET.strip()}\n\n{where}\n\n{table(head, rows)}\n\n{said}"
