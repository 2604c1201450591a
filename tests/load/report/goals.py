"""The first section: the goals and how far antiphon meets them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tests.load.conversation import Conversations
from tests.load.document import table, times
from tests.load.engine import StepTime, callers_in_real_time
from tests.load.ladder import Rung, largest
from tests.load.report.model import gain_of
from tests.load.transport import LEAN, OURS, PeerComparison


@dataclass(frozen=True, slots=True)
class Goal:
    """The wanted and the measured value of a figure; NaN if it was not measured."""

    what: str
    wanted: float
    found: float
    unit: str
    at_most: bool

    @property
    def met(self) -> str:
        """yes, no, or not measured."""
        if math.isnan(self.found):
            return "not measured"
        good = self.found <= self.wanted if self.at_most else self.found >= self.wanted
        return "yes" if good else "**no**"

    def row(self) -> list[object]:
        """The goal's row of the table."""
        sign = "at most" if self.at_most else "at least"
        found = "" if math.isnan(self.found) else _value(self.found, self.unit)
        return [self.what, f"{sign} {_value(self.wanted, self.unit)}", found, self.met]


def _value(value: float, unit: str) -> str:
    if unit == "x":
        return times(value)
    figure = f"{value:.3g}" if value < 1_000 else f"{value:,.0f}"
    return f"{figure} {unit}".strip()


def goals(
    rungs: Sequence[Rung] | None,
    comparison: PeerComparison | None,
    steps: Sequence[StepTime] | None,
    conversations: Sequence[Conversations] | None,
) -> str:
    """The section; None for results that do not exist."""
    found = [*_path(rungs or [], comparison), *_model(steps or [], conversations or [])]
    head = ["goal", "wanted", "measured", "met"]
    return "## Goals\n\n" + table(head, [goal.row() for goal in found])


def _path(rungs: Sequence[Rung], comparison: PeerComparison | None) -> list[Goal]:
    callers = comparison.sizes[0] if comparison and comparison.sizes else 0
    ratio, sessions = math.nan, math.nan
    if comparison is not None:
        ratio = comparison.cost(callers, OURS) / comparison.cost(callers, LEAN)
        sessions = largest(rungs) / (comparison.most(LEAN) or math.nan) if rungs else math.nan
    at = {rung.callers: rung for rung in rungs if not rung.failure}
    p50 = at[1].latency_p50 if 1 in at else math.nan
    p99 = at[200].latency_p99 if 200 in at else math.nan
    what = f"CPU per session, ours / pipecat ({callers} callers)"
    return [
        Goal(what, 0.5, ratio, "x", at_most=True),
        Goal("sessions per core, ours / pipecat", 2.0, sessions, "x", at_most=False),
        Goal("added latency p50, 1 caller", 8, p50, "ms", at_most=True),
        Goal("added latency p99, 200 callers", 60, p99, "ms", at_most=True),
    ]


def _model(steps: Sequence[StepTime], conversations: Sequence[Conversations]) -> list[Goal]:
    speaking = {step.batch: step for step in steps if step.scene == "speaking"}
    gain = gain_of(speaking[1], speaking[16]) if {1, 16} <= speaking.keys() else math.nan
    held = callers_in_real_time(steps, "speaking") or math.nan
    first = [c.first_audio_p50 for c in conversations if (c.mode, c.callers) == ("turn", 1)]
    return [
        Goal("batch of 16 over 16 single steps", 8, gain, "x", at_most=False),
        Goal("callers that all get speech in real time", 32, held, "", at_most=False),
        Goal(
            "end of turn decided to first audible frame, p50, 1 caller",
            60,
            first[0] if first else math.nan,
            "ms",
            at_most=True,
        ),
    ]
