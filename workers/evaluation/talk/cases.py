"""The written questions of the evaluation, and when an answer to one is acceptable.

Their author has not seen the corpus that the language model is tuned on.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from workers.models.text_to_speech.number_words import cardinal

FOLDER: Final = Path(__file__).with_name("questions")
MOST_WORDS: Final = 60  # of any answer: it should be short


@dataclass(frozen=True, slots=True)
class Case:
    """One call: what the caller says, turn by turn, and what the last answer must hold."""

    name: str
    kind: str  # open, known (see overlap.py), memory, sum or family
    topic: str
    say: tuple[str, ...]
    # Of each group the answer must hold one word or phrase; none of the others.
    must: tuple[tuple[str, ...], ...]
    must_not: tuple[str, ...]
    most_words: int = MOST_WORDS

    def accepts(self, answer: str) -> bool:
        """Whether this last answer is acceptable."""
        text = plain(answer)
        if not text or len(text.split()) > self.most_words:
            return False
        if any(holds(text, phrase) for phrase in self.must_not):
            return False
        return all(any(holds(text, phrase) for phrase in group) for group in self.must)


def plain(text: str) -> str:
    """Lower case, words alone, numbers as words: "It's 85!" -> "it's eighty five"."""
    text = re.sub(r"\d+", lambda found: f" {cardinal(int(found[0]))} ", text.lower())
    text = text.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    return " ".join(re.sub(r"[^a-z']+", " ", text).split())


def holds(text: str, phrase: str) -> bool:
    """Whether plain text holds a phrase as whole words."""
    return f" {plain(phrase)} " in f" {text} "


def written_cases(folder: Path = FOLDER) -> list[Case]:
    """All written questions."""
    return [*_open(folder), *_memory(folder), *_sums(folder)]


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines() if line.strip()]


def _groups(groups: Sequence[Sequence[str]]) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(group) for group in groups)


def _open(folder: Path) -> list[Case]:
    return [
        Case(
            name=line["id"],
            kind="open",
            topic=line["topic"],
            say=(line["say"],),
            must=_groups(line["must"]),
            must_not=tuple(line["must_not"]),
            most_words=line.get("max_words", MOST_WORDS) + 5,
        )
        for line in _lines(folder / "open.jsonl")
    ]


def _memory(folder: Path) -> list[Case]:
    return [
        Case(
            name=line["id"],
            kind="memory",
            topic="memory",
            say=tuple(line["turns"]),
            must=_groups(line["must"]),
            must_not=tuple(line["must_not"]),
        )
        for line in _lines(folder / "memory.jsonl")
    ]


def _sums(folder: Path) -> list[Case]:
    return [
        Case(
            name=line["id"],
            kind="sum",
            topic=line["kind"],
            say=(line["say"],),
            must=((cardinal(line["answer"]),),),
            must_not=(),
        )
        for line in _lines(folder / "sums.jsonl")
    ]
