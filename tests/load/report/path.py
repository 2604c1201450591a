"""The sections on the whole path: antiphon's ladder, its peers, two of each process."""

from collections.abc import Sequence
from typing import Final

from tests.load.dialects import NATIVE, REALTIME, DialectCost, median
from tests.load.document import table, times
from tests.load.fleet import Fleet
from tests.load.ladder import LIMIT_P95_MS, Rung, largest
from tests.load.transport import DEFAULT, FLOOR, LEAN, OURS, PEERS, PeerComparison

HOW_TRANSPORT: Final = """\
The whole path with the echo engine: WebSocket, gateway, Redis (append-only file, everysec), worker
and back, all on ONE core; the callers run on the other. Each caller sends 80 ms of audio every 80
ms against absolute deadlines, whatever comes back; the phases are spread. Every frame carries its
number: *lost* counts frames lost, doubled, reordered or foreign, and broken calls. The ladder ends
at the first number of callers that does not hold; one that nearly holds gets a second try.

*Added latency* runs from sending a chunk, when its last sample is spoken, to the first 20 ms frame
of its echo. *Lateness* is how late a frame is for a player that starts with the first one and has
no buffer. The scheduler counts the CPU times. *Others* is the share of that core that other
programs used; if it is not near 0, the latencies are too high. *Sent late* is how late the callers
themselves sent; if it is large, their own core is full. All times are in ms.
"""
HOW_PEERS: Final = """\
The servers ran in turns, with the same callers and chunks on the same core. *pipecat* is one
process with an echo inside. It has no log and no second process, and no call survives its death.
Its transport sends messages of 40 ms. *default* is a pipeline as in its documentation, *lean*
leaves out what an echo does not need. The bare websockets echo returns whole messages without
pacing: the least cost of any Python server. Versions: `tests/load/peers/requirements.txt`.
"""
HOW_FLEET: Final = """\
Two gateways and two workers beside one of each, in turns, all on the same core with one Redis. They
cannot be faster there; the section shows what a second process of each kind costs. Each gateway and
each worker has half of the callers.
"""
HOW_DIALECTS: Final = """\
The same push-to-talk turns with the echo engine, all processes on one core: 3.2 s of sound, then
the same 3.2 s back, at 24 kHz. antiphon.v1 sends bytes, with reports of the playhead. OpenAI's
Realtime sends base64 in JSON. The scheduler counts the CPU times: ms for each second of a call. The
protocols ran in turns on the same server.
"""


def transport(rungs: Sequence[Rung], where: str) -> str:
    """The section on antiphon's ladder."""
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
    return [*_measured(r), *cpu, r.cpu_per_caller, *_loads(r), r.behind_p99]


def _measured(r: Rung) -> list[object]:
    shown = [r.latency_p50, r.latency_p95, r.latency_p99, r.lateness_p99, r.lateness_max]
    return [r.callers, *shown, r.lost if not r.failure else "failed"]


def _loads(r: Rung) -> list[str]:
    return [f"{100 * r.load:.0f} %", f"{100 * r.others:.0f} %"]


def peers(found: PeerComparison, rungs: Sequence[Rung], where: str) -> str:
    """The section on the peers; `rungs` is antiphon's own ladder, or empty."""
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
    return table(head, [[*_measured(r), r.cpu_per_caller, *_loads(r)] for r in rungs])


def fleet(found: Fleet, where: str) -> str:
    """The section on two of each process."""
    head = ["gateways and workers", "callers", "added p50", "p95", "p99", "lateness p99", "max"]
    head += ["lost", "redis ms/s a caller", "gateways", "workers", "all", "core", "others"]
    head += ["sent late p99"]
    both = ("1 and 1", found.one), ("2 and 2", found.two)
    rows = [[name, *_row(rung)] for name, rungs in both for rung in rungs]
    ratio = f"CPU time of two and two over that of one and one: {times(found.cost_ratio)}."
    return f"## Several of each\n\n{HOW_FLEET.strip()}\n\n{where}\n\n{table(head, rows)}\n\n{ratio}"


def dialects(found: list[DialectCost], where: str) -> str:
    """The section on OpenAI's protocol beside our own."""
    kinds = ["redis", "worker", "gateway", ""]  # the last: all of them
    rows: list[Sequence[object]] = [
        [name, *(median(found, name, kind) for kind in kinds)] for name in (NATIVE, REALTIME)
    ]
    ratios = (median(found, REALTIME, kind) / median(found, NATIVE, kind) for kind in kinds)
    rows.append(["ratio", *map(times, ratios)])
    head = f"{found[0].callers} callers, ms/s a call"
    shown = table([head, "redis", "worker", "gateway", "all"], rows)
    return f"## OpenAI's protocol\n\n{HOW_DIALECTS.strip()}\n\n{where}\n\n{shown}"
