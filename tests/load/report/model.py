"""The sections on the model: steps of the engine, spoken questions."""

import math
from collections.abc import Sequence
from typing import Final

from tests.load.conversation import Talks
from tests.load.document import table
from tests.load.engine import BEGIN, SCENES, STAGES, Pace, callers_in_real_time
from tests.load.roof import Roof, Share

HOW_ENGINE: Final = """\
Ms a step of a batch, the median. A step is 80 ms of every caller. *speaking*: every caller's
assistant speaks (turn mode); *duplex*: every caller is heard and spoken to at once (stream mode);
*listening*: all callers speak; *mix*: a third is spoken to, the others speak; *begin*: every
caller's turn ends in the same step. Who is silent costs the VAD alone.
"""
HOW_TALKS: Final = """\
Recorded questions (`tests/e2e/questions`) through the whole path with `tiny`: the server side on
one core, the callers, who begin within two seconds of each other, on the other. *First audio*:
from the moment the caller had said all that the turn's end needed to the first audible frame; *from
speech end* (mouth to ear) includes the 600 ms of silence that end a turn. In stream mode the model
itself decides when to speak. *Load*: share of the core that the worker used.
"""


def engine(paces: Sequence[Pace], vad_us: tuple[float, float], where: str) -> str:
    """The section on the engine."""
    parts = [f"## Engine\n\n{HOW_ENGINE.strip()}\n\n{where}", _steps(paces)]
    parts.append("Callers in real time, that is with a step within its 80 ms:")
    held = [[s, _held(paces, s, p99=False), _held(paces, s, p99=True)] for s in SCENES]
    parts.append(table(["scene", "callers, median step", "p99 step"], held))
    parts.append(
        f"VAD, a chunk of a caller: {vad_us[0]:.0f} us of speech, {vad_us[1]:.0f} of silence."
    )
    parts.append("![step by batch](plots/engine.svg)")
    return "\n\n".join(parts)


def _steps(paces: Sequence[Pace]) -> str:
    alone = min((p for p in paces if p.scene == "speaking"), key=lambda p: p.batch)
    head = ["scene", "batch", "step", "p99", *STAGES, "rest", "a caller", "batch / one by one"]
    rows = []
    for p in sorted(paces, key=lambda p: ([*SCENES, BEGIN].index(p.scene), p.batch)):
        stages = [p.stages.get(stage, math.nan if p.scene == BEGIN else 0.0) for stage in STAGES]
        gain = f"{gain_of(alone, p):.1f}x" if p.scene == "speaking" else ""
        rest = max(0.0, p.step_ms - sum(stages))
        shown = [p.step_ms, p.p99_ms, *stages, rest if p.scene != BEGIN else math.nan]
        rows.append([p.scene, p.batch, *shown, p.step_ms / p.batch, gain])
    return table(head, rows)


def gain_of(alone: Pace, batch: Pace) -> float:
    """How often the batch's callers would take longer one by one."""
    return alone.step_ms / alone.batch * batch.batch / batch.step_ms


def _held(paces: Sequence[Pace], scene: str, *, p99: bool) -> str:
    held = callers_in_real_time(paces, scene, p99=p99)
    return f"{held}{' or more' if held == max(p.batch for p in paces) else ''}"


def roof(shares: Sequence[Share], card: Roof, operations: float) -> str:
    """Which part of the machine's measured rates the steps need."""
    rates = f"{card.multiply_per_s / 1e12:.3g} TFLOP/s, {card.memory_per_s / 1e9:.3g} GB/s"
    rows = [
        [s.batch, s.step_ms, f"{100 * s.multiply:.2f} %", f"{100 * s.memory:.2f} %"] for s in shares
    ]
    return (
        f"What a speaking step needs at least ({operations / 1e6:.1f} MFLOP a caller, every weight "
        f"read once), of what {'this card' if 'cuda' in card.device else 'one core'} does at most "
        f"(measured: matrix product {rates} copied):\n\n"
        + table(["batch", "step", "of matrix rate", "of memory rate"], rows)
    )


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
