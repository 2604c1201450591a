"""Shares with their intervals, the verdict on a call, and the rows of the report's tables."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from rapidfuzz.distance import Levenshtein
from scipy.stats import binomtest

from workers.training.questions.catalogue import words
from workers.training.questions.small_talk import UNKNOWN_REPLY

Measures = dict[str, Any]  # figures by name, as the JSON holds them


def interval(hits: int, count: int) -> tuple[float, float]:
    """Wilson's 95 % confidence interval of a share."""
    if count == 0:
        return 0.0, 1.0
    found = binomtest(hits, count).proportion_ci(method="wilson")
    return float(found.low), float(found.high)


@dataclass(frozen=True, slots=True)
class Share:
    """The share of hits among a count, with its 95 % interval."""

    hits: int
    count: int

    @classmethod
    def of(cls, found: Iterable[bool]) -> "Share":
        """The share of true values."""
        flags = list(found)
        return cls(sum(flags), len(flags))

    @property
    def value(self) -> float:
        """0 to 1; 0 if the count is 0."""
        return self.hits / self.count if self.count else 0.0

    def figures(self) -> Measures:
        """The share as the JSON holds it."""
        low, high = interval(self.hits, self.count)
        return {
            "count": self.count,
            "share": round(self.value, 4),
            "low": round(max(0.0, low), 4),
            "high": round(min(1.0, high), 4),
        }


@dataclass(frozen=True, slots=True)
class CallVerdict:
    """One call: the question, the expected and the actual answer, and the judge's result."""

    condition: str
    family: str
    asked: str
    expected: str
    text: str
    recognised: str  # by the judge, in the reply's audio; '' if the text was already wrong
    text_right: bool
    audio_right: bool
    reason: str  # why the reply ended; none: there was no reply
    reply_s: float
    decided_s: float | None  # after the question's end
    began_s: float | None
    steps: int
    head_s: float | None  # inaudible beginning of the reply
    transcript: str = ""  # of the question
    cleared_s: float | None = None  # of an interruption

    @property
    def right(self) -> bool:
        """Whether both text and audio are right."""
        return self.text_right and self.audio_right


def by_family(verdicts: Iterable[CallVerdict]) -> dict[str, list[CallVerdict]]:
    """The verdicts of each family, in the order of first appearance."""
    found: dict[str, list[CallVerdict]] = defaultdict(list)
    for verdict in verdicts:
        found[verdict.family].append(verdict)
    return dict(found)


def row(name: str, verdicts: Sequence[CallVerdict], ceilings: Mapping[str, Share]) -> Measures:
    """A row of the table; its ceiling is that of the families it asks."""
    right = Share.of(v.right for v in verdicts)
    ceiling = expected_ceiling([v.family for v in verdicts], ceilings)
    return {
        "name": name,
        "right": right.figures(),
        "text": Share.of(v.text_right for v in verdicts).figures(),
        "ceiling": round(ceiling, 4),
        "of_ceiling": round(right.value / ceiling, 4) if ceiling else 0.0,
        "unsure": Share.of(words(v.text) == words(UNKNOWN_REPLY) for v in verdicts).figures(),
        "none": Share.of(v.reason == "none" for v in verdicts).figures(),
    }


def expected_ceiling(families: Sequence[str], ceilings: Mapping[str, Share]) -> float:
    """The judge's expected result on original recordings of these families' replies.

    A family without a ceiling of its own gets the ceiling of all families together.
    """
    whole = Share(sum(s.hits for s in ceilings.values()), sum(s.count for s in ceilings.values()))
    each = [ceilings.get(family, whole).value for family in families]
    return sum(each) / len(each) if each else 0.0


def families(verdicts: Iterable[CallVerdict]) -> dict[str, Measures]:
    """Each family's share of right answers."""
    return {
        name: Share.of(v.right for v in group).figures()
        for name, group in by_family(verdicts).items()
    }


def spread(values: Iterable[float]) -> Measures:
    """Median, 5th and 95th percentile."""
    ordered = sorted(values)
    if not ordered:
        return {"count": 0}
    last = len(ordered) - 1
    return {
        "count": len(ordered),
        "median": round(median(ordered), 3),
        "p5": round(ordered[round(0.05 * last)], 3),
        "p95": round(ordered[round(0.95 * last)], 3),
    }


def error_rate(
    pairs: Sequence[tuple[str, str]], split: Callable[[str], Sequence[str]]
) -> float | None:
    """Edits for each wanted item, of (wanted, recognised) pairs."""
    wrong = sum(Levenshtein.distance(split(wanted), split(found)) for wanted, found in pairs)
    total = sum(len(split(wanted)) for wanted, _ in pairs)
    return round(wrong / total, 4) if total else None
