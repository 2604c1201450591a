"""Shares with their intervals, and the evaluation's rows made of single calls."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from rapidfuzz.distance import Levenshtein
from scipy.stats import binomtest

from workers.training.questions.catalogue import words
from workers.training.questions.chat import UNKNOWN_REPLY

Figures = dict[str, object]


def interval(hits: int, count: int) -> tuple[float, float]:
    """Wilson's 95 % confidence interval of a share."""
    if count == 0:
        return 0.0, 1.0
    found = binomtest(hits, count).proportion_ci(method="wilson")
    return float(found.low), float(found.high)


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many, with its 95 % interval."""

    hits: int
    count: int

    @classmethod
    def of(cls, found: Iterable[bool]) -> "Share":
        """Of the true ones."""
        flags = list(found)
        return cls(sum(flags), len(flags))

    @property
    def value(self) -> float:
        """0 to 1; 0 of none."""
        return self.hits / self.count if self.count else 0.0

    def figures(self) -> Figures:
        """As the JSON has it."""
        low, high = interval(self.hits, self.count)
        return {
            "count": self.count,
            "share": round(self.value, 4),
            "low": round(max(0.0, low), 4),
            "high": round(min(1.0, high), 4),
        }


@dataclass(frozen=True, slots=True)
class Verdict:
    """One call: what was asked, expected and answered, and what the judge made of it."""

    condition: str
    family: str
    asked: str
    expected: str
    text: str
    heard: str  # by the judge, in the reply's sound; '' where the text was wrong already
    text_right: bool
    audio_right: bool
    reason: str  # how the reply ended; none: there was none
    reply_s: float
    decided_s: float | None  # after the question's end
    began_s: float | None
    steps: int
    head_s: float | None  # of the reply, before it can be heard
    told: str = ""  # the question, as the call's transcript has it
    cleared_s: float | None = None  # of an interruption

    @property
    def right(self) -> bool:
        """Text and sound."""
        return self.text_right and self.audio_right


def by_family(verdicts: Iterable[Verdict]) -> dict[str, list[Verdict]]:
    """In the order of their first appearance."""
    found: dict[str, list[Verdict]] = defaultdict(list)
    for verdict in verdicts:
        found[verdict.family].append(verdict)
    return dict(found)


def row(name: str, verdicts: Sequence[Verdict], ceilings: Mapping[str, Share]) -> Figures:
    """A row of the table. The ceiling is that of the families asked, or of all where one is new."""
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
    """What the judge would find right in original recordings of these families' replies."""
    whole = Share(sum(s.hits for s in ceilings.values()), sum(s.count for s in ceilings.values()))
    each = [ceilings.get(family, whole).value for family in families]
    return sum(each) / len(each) if each else 0.0


def families(verdicts: Iterable[Verdict]) -> dict[str, Figures]:
    """Each family's share of right answers."""
    return {
        name: Share.of(v.right for v in group).figures()
        for name, group in by_family(verdicts).items()
    }


def spread(values: Iterable[float]) -> Figures:
    """Median and the 5th and 95th hundredth of some values."""
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
    said: Sequence[tuple[str, str]], split: Callable[[str], Sequence[str]]
) -> float | None:
    """Insertions, deletions and replacements for each item wanted, of (wanted, heard) pairs."""
    wrong = sum(Levenshtein.distance(split(wanted), split(heard)) for wanted, heard in said)
    total = sum(len(split(wanted)) for wanted, _ in said)
    return round(wrong / total, 4) if total else None
