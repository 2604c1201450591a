"""The sections on the model: steps of the engine, its roofline, spoken questions."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tests.load.conversation import Conversations
from tests.load.document import table
from tests.load.engine import BEGIN, SCENES, STAGES, StepTime, callers_in_real_time
from tests.load.roofline import Roofline, RooflineShare

HOW_ENGINE: Final = """\
The median time of a step in ms, by batch. A step is 80 ms of every caller. *speaking*: the
assistant speaks to every caller (turn mode). *duplex*: every caller speaks and gets speech (stream
mode). *listening*: all callers speak. *mix*: a third of the callers gets speech, the others speak.
*begin*: every caller's turn ends in the same step. A silent caller costs the VAD alone.
"""
HOW_TALKS: Final = """\
Recorded questions (`tests/e2e/questions`) through the whole path with `tiny`. The server side runs
on one core, the callers run on the other and begin within two seconds. *First audio* is the time
from the sample with which the server can decide that the turn is over to the first audible frame.
*From speech end* (mouth to ear) includes the 600 ms of silence that end a turn. In stream mode the
model itself decides when to speak. *Load* is the share of the core that the worker used.
"""


@dataclass(frozen=True, slots=True)
class EngineResult:
    """Everything that the part on the engine measures."""

    steps: list[StepTime]
    vad_us: tuple[float, float]  # for a chunk of speech, and of silence
    device: str  # and the dtype
    card: Roofline
    operations: float  # of a speaking step, for each caller
    shares: list[RooflineShare]


def engine(result: EngineResult, where: str) -> str:
    """The section on the engine."""
    steps, vad_us = result.steps, result.vad_us
    parts = [f"## Engine\n\n{HOW_ENGINE.strip()}\n\n{where} {result.device}.", _steps(steps)]
    parts.append("Callers in real time: the largest batches whose step takes at most 80 ms.")
    held = [[s, _held(steps, s, p99=False), _held(steps, s, p99=True)] for s in SCENES]
    parts.append(table(["scene", "callers by the median step", "by the p99 step"], held))
    parts.append(
        f"The VAD takes {vad_us[0]:.0f} us for a chunk of speech and {vad_us[1]:.0f} us for one of "
        "silence."
    )
    parts.append("![step by batch](plots/engine.svg)")
    return "\n\n".join(parts)


def _steps(steps: Sequence[StepTime]) -> str:
    alone = min((p for p in steps if p.scene == "speaking"), key=lambda p: p.batch)
    head = ["scene", "batch", "step", "p99", *STAGES, "rest", "a caller", "gain over single steps"]
    rows = []
    for p in sorted(steps, key=lambda p: ([*SCENES, BEGIN].index(p.scene), p.batch)):
        stages = [p.stages.get(stage, math.nan if p.scene == BEGIN else 0.0) for stage in STAGES]
        gain = f"{gain_of(alone, p):.1f}x" if p.scene == "speaking" else ""
        rest = max(0.0, p.step_ms - sum(stages))
        shown = [p.step_ms, p.p99_ms, *stages, rest if p.scene != BEGIN else math.nan]
        rows.append([p.scene, p.batch, *shown, p.step_ms / p.batch, gain])
    return table(head, rows)


def gain_of(alone: StepTime, batch: StepTime) -> float:
    """The time of single steps for all callers of a batch over the time of the batch."""
    return alone.step_ms / alone.batch * batch.batch / batch.step_ms


def _held(steps: Sequence[StepTime], scene: str, *, p99: bool) -> str:
    held = callers_in_real_time(steps, scene, p99=p99)
    return f"{held}{' or more' if held == max(p.batch for p in steps) else ''}"


def roofline(result: EngineResult) -> str:
    """The section on the shares of the machine's measured rates that the steps need."""
    card = result.card
    rates = f"{card.multiply_per_s / 1e12:.3g} TFLOP/s, {card.memory_per_s / 1e9:.3g} GB/s"
    rows = [
        [s.batch, s.step_ms, f"{100 * s.multiply:.2f} %", f"{100 * s.memory:.2f} %"]
        for s in result.shares
    ]
    machine = "this card" if "cuda" in card.device else "one core"
    return (
        f"The least share that a speaking step needs ({result.operations / 1e6:.1f} MFLOP a "
        f"caller, every weight read once) of what {machine} can do (measured: matrix product "
        f"{rates} copied):\n\n" + table(["batch", "step", "of matrix rate", "of memory rate"], rows)
    )


def conversation(found: Sequence[Conversations], where: str) -> str:
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
