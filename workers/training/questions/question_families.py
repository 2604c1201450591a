"""A family of intents: a table of cases, and the forms in which callers ask for them.

All texts are lower case, with numbers in words. A case holds the slot words of one intent. A form
holds phrasings and the sentence that answers them. Training never uses `unseen` phrasings;
`catalogue.py` holds the rules of the split.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

SlotWords = dict[str, str]

_ONES: Final = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen"
).split()
_TENS: Final = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_ORDINALS: Final = (
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth "
    "fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth"
).split()


class Language(StrEnum):
    """The language of a caller and of the reply."""

    ENGLISH = "en"
    SPANISH = "es"


@dataclass(frozen=True, slots=True)
class Form:
    """Phrasings with the same reply. `{name}` is a slot of the case."""

    reply: str
    seen: tuple[str, ...]
    unseen: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class QuestionFamily:
    """Intents of one shape: callers can ask for every case in every form."""

    name: str
    cases: tuple[SlotWords, ...]
    forms: tuple[Form, ...]
    compositional: bool = False  # slots combine freely, so that some combinations are held out
    result: str = ""  # the slot that a follow-up may refer to ("and plus two?"), if any
    weight: float = 1.0  # how often training draws it, relative to the others
    language: Language = Language.ENGLISH


def form(reply: str, seen: str, unseen: str = "") -> Form:
    """A form from phrasings separated by `|`."""
    return Form(reply, _phrasings(seen), _phrasings(unseen))


def _phrasings(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split("|") if part.strip())


def number(value: int) -> str:
    """0..999 in words, without hyphens."""
    if not 0 <= value < 1000:
        raise ValueError(f"Expected a number in 0..999, got {value}")
    if value < 20:
        return _ONES[value]
    if value < 100:
        tens = _TENS[value // 10 - 2]
        return tens if value % 10 == 0 else f"{tens} {_ONES[value % 10]}"
    rest = f" and {number(value % 100)}" if value % 100 else ""
    return f"{_ONES[value // 100]} hundred{rest}"


def ordinal(value: int) -> str:
    """1..39 in words, as in a date: first, twenty third."""
    if not 1 <= value < 40:
        raise ValueError(f"Expected an ordinal in 1..39, got {value}")
    if value <= 20:
        return _ORDINALS[value - 1]
    if value == 30:
        return "thirtieth"
    return f"{_TENS[value // 10 - 2]} {_ORDINALS[value % 10 - 1]}"


def numbers(*rows: tuple[int, ...]) -> tuple[SlotWords, ...]:
    """Rows of numbers -> cases with slots a, b, c ..."""
    return tuple(
        {name: number(value) for name, value in zip("abcdef", row, strict=False)} for row in rows
    )


def pairs(text: str) -> tuple[SlotWords, ...]:
    """`x:y` items, separated by semicolons -> cases with slots x and y."""
    items = (item.strip().split(":") for item in text.split(";"))
    return tuple({"x": x, "y": y} for x, y in items)


def neighbours(words: Sequence[str], offset: int) -> tuple[SlotWords, ...]:
    """Each word, and the word `offset` places later, counting on from the start after the end."""
    count = len(words)
    return tuple({"x": word, "y": words[(i + offset) % count]} for i, word in enumerate(words))


def listed(words: Sequence[str]) -> str:
    """`one, two and three`."""
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]
