"""What was measured, as sections of BENCHMARKS.md."""

import math
from collections.abc import Sequence
from typing import Final

from torch import nn

from tests.load.conversation import Talks
from tests.load.document import table
from tests.load.engine import SCENES, Pace, callers_in_real_time
from tests.load.ladder import LIMIT_P95_MS, Rung
from tests.load.roof import Roof
from tests.load.transport import DEFAULT, FLOOR, LEAN, OURS, Found

STAGES: Final = ("listener", "temporal", "depth", "voice")
HOW_TRANSPORT: Final = """\
The whole path with the echo engine: WebSocket, gateway, Redis (append-only file, everysec), worker
and back, all on ONE core; the callers on the other. Each caller sends 80 ms every 80 ms, their
phases spread, against absolute deadlines, whatever comes back. Every frame carries its number:
lost counts frames lost, doubled, reordered or foreign, and calls that broke off.

*Added latency*: from sending a chunk, when its last sample is spoken, to the first 20 ms frame of
its echo. *Lateness*: of each frame, for a player that began with the first one and has no buffer.
CPU is the scheduler's own count of the processes. All times in ms.
"""
HOW_PEERS: Final = """\
The same callers, chunks and core in the same run, in turns. pipecat is one process with an echo in
it: no log, no second process, nothing survives its death; its transport sends 40 ms messages. The
bare websockets echo gives whole messages back, unpaced: what any Python server pays at least.
"""
HOW_ENGINE: Final = """\
`tiny`; ms a step of a batch. A step is 80 ms of every caller. *speaking*: every caller's
assistant speaks (turn mode); *duplex*: every caller is heard and spoken to at once (stream mode);
*listening*: all callers speak; *mix*: a third is spoken to, the others speak. Who is silent costs
the VAD alone.
"""
HOW_TALKS: Final = """\
Recorded questions (`tests/e2e/questions`) through the whole path with `tiny`: the server side on
one core, the callers, who begin within two seconds of each other, on the other. *First audio*:
from the moment the caller had said all that the turn's end needed to the first audible frame; *from
speech end* includes the 600 ms of silence that end a turn. *Load*: share of the worker's core.
"""


def transport(found: Found, where: str) -> str:
    """The section on the whole path."""
    return "\n\n".join(
        [
            f"## Transport\n\n{HOW_TRANSPORT.strip()}\n\n{where}",
            _ladder(found.ladders[OURS]),
            f"Largest number of callers with p95 < {LIMIT_P95_MS:g} ms and nothing lost: "
            f"**{found.most(OURS)}**.\n\n![cost and latency](docs/plots/transport.svg)",
            *([_peers(found)] if LEAN in found.ladders else []),
        ]
    )


def _ladder(rungs: Sequence[Rung]) -> str:
    head = ["callers", "added p50", "p95", "p99", "lateness p99", "max", "lost", "redis ms/s"]
    head += ["gateway ms/s", "worker ms/s", "CPU ms/s a caller", "core"]
    return table(head, [_row(rung) for rung in rungs])


def _row(r: Rung) -> list[object]:
    cpu = [r.cpu.get(name, math.nan) / r.callers for name in ("redis", "gateway", "worker")]
    shown = [r.callers, r.latency_p50, r.latency_p95, r.latency_p99, r.lateness_p99]
    return [*shown, r.lateness_max, r.lost, *cpu, r.cpu_per_caller, f"{100 * r.load:.0f} %"]


def _peers(found: Found) -> str:
    rows: list[Sequence[object]] = []
    for callers in found.side_by_side:
        ours, theirs = found.cost(callers, OURS), found.cost(callers, LEAN)
        names = (LEAN, DEFAULT, FLOOR)
        what = f"CPU ms/s a caller, {callers} callers"
        rows.append([what, ours, *(found.cost(callers, name) for name in names)])
        rows.append(
            [f"CPU per session, ours / pipecat ({callers} callers)", f"{ours / theirs:.2f}x"]
        )
    rows.append(["largest number held", *(found.most(n) for n in (OURS, LEAN, DEFAULT, FLOOR))])
    ratio = found.most(OURS) / max(1, found.most(LEAN))
    rows.append(["sessions per core, ours / pipecat", f"{ratio:.2f}x"])
    full = [[*row, *[""] * (5 - len(row))] for row in rows]
    return (
        f"### Side by side\n\n{HOW_PEERS.strip()}\n\n"
        + table(["", OURS, LEAN, DEFAULT, FLOOR], full)
        + "\n\n"
        + "\n\n".join(_peer_ladder(found, name) for name in (LEAN, DEFAULT, FLOOR))
    )


def _peer_ladder(found: Found, name: str) -> str:
    head = [name, "added p50", "p95", "p99", "lateness p99", "max", "lost", "CPU ms/s a caller"]
    rows = [
        [
            r.callers,
            r.latency_p50,
            r.latency_p95,
            r.latency_p99,
            r.lateness_p99,
            r.lateness_max,
            r.lost,
            r.cpu_per_caller,
        ]
        for r in found.ladders[name]
    ]
    return table(head, rows)


def engine(paces: Sequence[Pace], vad_us: tuple[float, float], where: str) -> str:
    """The section on the engine."""
    parts = [f"## Engine\n\n{HOW_ENGINE.strip()}\n\n{where}"]
    batches = sorted({pace.batch for pace in paces})
    alone = next(p.step_ms for p in paces if p.scene == "speaking" and p.batch == batches[0])
    head = ["scene", "batch", "step", *STAGES, "rest", "a caller", "batch / one by one"]
    rows = []
    for p in paces:
        stages = [p.stages.get(stage, 0.0) for stage in STAGES]
        gain = f"{alone * p.batch / p.step_ms:.1f}x" if p.scene == "speaking" else ""
        rest = max(0.0, p.step_ms - sum(stages))
        rows.append([p.scene, p.batch, p.step_ms, *stages, rest, p.step_ms / p.batch, gain])
    parts.append(table(head, rows))
    held = [[scene, _held(paces, scene)] for scene in SCENES]
    parts.append("Callers in real time, that is with a step within its 80 ms:")
    parts.append(table(["scene", "callers"], held))
    parts.append(
        f"VAD, a chunk of a caller: {vad_us[0]:.0f} us of speech, {vad_us[1]:.0f} of silence."
    )
    parts.append("![step by batch](docs/plots/engine.svg)")
    return "\n\n".join(parts)


def _held(paces: Sequence[Pace], scene: str) -> str:
    held = callers_in_real_time(paces, scene)
    return f"{held}{' or more' if held == max(p.batch for p in paces) else ''}"


def conversation(found: Sequence[Talks], where: str) -> str:
    """The section on spoken questions."""
    head = ["mode", "callers", "asked", "unanswered", "first audio p50", "worst"]
    head += ["from speech end p50", "gaps", "underruns", "load"]
    rows = [
        [
            t.mode,
            t.callers,
            t.asked,
            t.failed,
            t.first_audio_p50,
            max(t.first_audio, default=math.nan),
            t.from_speech_end_p50,
            t.gaps,
            t.underruns,
            f"{100 * t.worker_load:.0f} %",
        ]
        for t in found
    ]
    return f"## Conversation\n\n{HOW_TALKS.strip()}\n\n{where}\n\n{table(head, rows)}"


def roof(paces: Sequence[Pace], model: nn.Module, card: Roof) -> str:
    """On a GPU: which part of its measured rates the language model's steps need."""
    rows = []
    for p in paces:
        if p.scene == "speaking":
            shares = card.shares(model, p.batch, p.step_ms / 1_000)
            rows.append([p.batch, p.step_ms, *(f"{100 * share:.2f} %" for share in shares)])
    rates = (
        f"{card.multiply_per_s / 1e12:.0f} TFLOP/s, {card.memory_per_s / 1e12:.2f} TB/s measured"
    )
    return f"{rates}:\n\n" + table(["batch", "step", "of matrix rate", "of memory rate"], rows)
