"""The section on the cascade in docs/evaluation.md: a table of the goals, one of rows, examples."""

import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from workers.evaluation.talk.measure import Verdict, totals

BEGIN: Final = "<!-- cascade: begin -->"
END: Final = "<!-- cascade: end -->"
SHOWN: Final = 12  # answers of the open questions, as examples


def section(
    verdicts: Sequence[Verdict], silence: Mapping[str, Any], made: Mapping[str, str]
) -> str:
    """The section's Markdown, between its markers."""
    rows = _rows(verdicts)
    return "\n".join(
        [
            BEGIN,
            "## The cascade",
            "",
            f"`{made['command']}` on {made['machine']}, {made['date']}. A voice that no training "
            "used speaks each question, which goes through VAD, turn taking and the engine. "
            "Written criteria judge the reply's text; Whisper then reads the sound back.",
            "",
            *_goals(rows, verdicts, silence),
            "",
            "| row | calls | right | question: word errors | reply read back: word errors |",
            "|---|---|---|---|---|",
            *(_row(name, found) for name, found in rows.items()),
            "",
            "The questions' word errors by voice:",
            "",
            *_voices(verdicts),
            "",
            "Answers to open questions, evenly picked:",
            "",
            *_examples([v for v in verdicts if v.row == "open questions"]),
            END,
        ]
    )


def _rows(verdicts: Sequence[Verdict]) -> dict[str, list[Verdict]]:
    found: dict[str, list[Verdict]] = defaultdict(list)
    for verdict in verdicts:
        found[verdict.row].append(verdict)
    return found


def _right(found: Sequence[Verdict]) -> float:
    return 100 * sum(v.right for v in found) / len(found) if found else 0.0


def _row(name: str, found: Sequence[Verdict]) -> str:
    errors = totals(found)
    heard, said = (100 * errors[key].rate for key in ("transcripts", "read back"))
    return f"| {name} | {len(found)} | {_right(found):.0f} % | {heard:.1f} % | {said:.1f} % |"


class Goal(NamedTuple):
    """One figure that is aimed at, in percent."""

    name: str
    reached: float
    limit: float
    at_most: bool = False  # else at least

    def row(self) -> str:
        """Its line of the table."""
        met = self.reached <= self.limit if self.at_most else self.reached >= self.limit
        wanted = f"{'at most ' if self.at_most else ''}{self.limit:g} %"
        return f"| {self.name} | {wanted} | {self.reached:.1f} % | {'yes' if met else 'no'} |"


def _goals(
    rows: Mapping[str, Sequence[Verdict]], verdicts: Sequence[Verdict], silence: Mapping[str, Any]
) -> list[str]:
    lines = ["| goal | wanted | reached | met |", "|---|---|---|---|"]
    lines += [goal.row() for goal in _reached(rows, verdicts)]
    for vad, figures in silence.items():
        if isinstance(figures, dict):
            met = "yes" if figures["answers"] == 0 else "no"
            name = f"answers to {silence['minutes']:g} minutes of silence, noise, music; VAD {vad}"
            lines.append(f"| {name} | 0 | {figures['answers']} | {met} |")
    quiet = [v for v in verdicts if "noise" not in v.row]
    if decided := [v.decided_s for v in quiet if v.decided_s is not None]:
        lines.append(
            f"| silence after the last word until the turn ends, median | | "
            f"{1000 * statistics.median(decided):.0f} ms | |"
        )
    return lines


def _reached(rows: Mapping[str, Sequence[Verdict]], verdicts: Sequence[Verdict]) -> list[Goal]:
    quiet = totals(v for v in verdicts if "noise" not in v.row)
    ten = totals(rows.get("families and sums, noise 10 dB", []))
    sums = [v for v in rows.get("sums, differences, products", []) if v.topic != "product"]
    words, read_back = "transcripts", "read back"
    return [
        Goal("word errors, unseen voices", 100 * quiet[words].rate, 6, at_most=True),
        Goal("word errors at 10 dB", 100 * ten[words].rate, 10, at_most=True),
        Goal("families", _right(rows.get("families, unseen phrasings", [])), 95),
        Goal("sums and differences", _right(sums), 90),
        Goal("open questions", _right(rows.get("open questions", [])), 80),
        Goal("memory over turns", _right(rows.get("memory over turns", [])), 85),
        Goal("replies read back, word errors", 100 * quiet[read_back].rate, 3, at_most=True),
    ]


def _voices(verdicts: Sequence[Verdict]) -> list[str]:
    found: dict[str, list[Verdict]] = defaultdict(list)
    for verdict in verdicts:
        if "noise" not in verdict.row:
            found[verdict.voice].append(verdict)
    rates = {voice: totals(calls)["transcripts"] for voice, calls in found.items()}
    lines = ["| voice | words | errors |", "|---|---|---|"]
    for voice, errors in sorted(rates.items(), key=lambda pair: pair[1].rate):
        lines.append(f"| {voice} | {errors.words} | {100 * errors.rate:.1f} % |")
    return lines


def _examples(verdicts: Sequence[Verdict]) -> list[str]:
    lines = ["| said | answered | accepted |", "|---|---|---|"]
    step = max(1, len(verdicts) // SHOWN)
    for one in verdicts[::step][:SHOWN]:
        right = "yes" if one.right else "no"
        lines.append(f"| {_cell(one.said)} | {_cell(one.answer)} | {right} |")
    return lines


def _cell(text: str) -> str:
    return text.replace("|", "/") or "(nothing)"


def place(path: Path, text: str) -> None:
    """Put the section into the document: in its old place, or after everything else."""
    document = path.read_text() if path.exists() else "# Evaluation\n"
    if BEGIN in document:
        before, rest = document.split(BEGIN, 1)
        document = before + text + rest.split(END, 1)[1]
    else:
        document = document.rstrip() + "\n\n" + text + "\n"
    path.write_text(document)
