"""The section at the top: the goals, and how far we are."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tests.load.conversation import Talks
from tests.load.document import table, times
from tests.load.engine import Pace, callers_in_real_time
from tests.load.ladder import Rung, largest
from tests.load.report.model import gain_of
from tests.load.transport import LEAN, OURS, Rivals


@dataclass(frozen=True, slots=True)
class Goal:
    """What we want of a figure, and what it is; NaN where it was not measured."""

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
        """Of the table."""
        sign = "at most" if self.at_most else "at least"
        found = "" if math.isnan(self.found) else _said(self.found, self.unit)
        return [self.what, f"{sign} {_said(self.wanted, self.unit)}", found, self.met]


def _said(value: float, unit: str) -> str:
    if unit == "x":
        return times(value)
    return f"{value:.3g} {unit}".strip()


def goals(
    rungs: Sequence[Rung] | None,
    rivals: Rivals | None,
    paces: Sequence[Pace] | None,
    talks: Sequence[Talks] | None,
) -> str:
    """The section; None for what was never measured."""
    found = [*_path(rungs or [], rivals), *_model(paces or [], talks or [])]
    head = ["goal", "wanted", "measured", "met"]
    return "## Goals\n\n" + table(head, [goal.row() for goal in found])


def _path(rungs: Sequence[Rung], rivals: Rivals | None) -> list[Goal]:
    callers = rivals.sizes[0] if rivals and rivals.sizes else 0
    ratio, sessions = math.nan, math.nan
    if rivals is not None:
        ratio = rivals.cost(callers, OURS) / rivals.cost(callers, LEAN)
        sessions = largest(rungs) / (rivals.most(LEAN) or math.nan) if rungs else math.nan
    at = {rung.callers: rung for rung in rungs if not rung.fell}
    p50 = at[1].latency_p50 if 1 in at else math.nan
    p99 = at[200].latency_p99 if 200 in at else math.nan
    what = f"CPU per session, ours / pipecat ({callers} callers)"
    return [
        Goal(what, 0.5, ratio, "x", at_most=True),
        Goal("sessions per core, ours / pipecat", 2.0, sessions, "x", at_most=False),
        Goal("added latency p50, 1 caller", 8, p50, "ms", at_most=True),
        Goal("added latency p99, 200 callers", 60, p99, "ms", at_most=True),
    ]


def _model(paces: Sequence[Pace], talks: Sequence[Talks]) -> list[Goal]:
    speaking = {pace.batch: pace for pace in paces if pace.scene == "speaking"}
    gain = gain_of(speaking[1], speaking[16]) if {1, 16} <= speaking.keys() else math.nan
    held = callers_in_real_time(paces, "speaking") or math.nan
    first = [t.first_audio_p50 for t in talks if (t.mode, t.callers) == ("turn", 1)]
    return [
        Goal("batch of 16 over one by one", 8, gain, "x", at_most=False),
        Goal("callers who speak all the time", 32, held, "", at_most=False),
        Goal(
            "turn decided to first audible frame, p50, 1 caller",
            60,
            first[0] if first else math.nan,
            "ms",
            at_most=True,
        ),
    ]
