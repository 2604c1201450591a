"""What a family of intents is: a table of cases, and the forms in which they are asked.
Everything is lower case, numbers are spelled. A family has cases (the slot words of each intent)
and forms; a form has its phrasings and the sentence that answers them. `unseen` phrasings are never
trained; `dialogue.py` holds the rules of the split.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

Case = dict[str, str]

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
    """What a caller speaks, and is answered in."""

    ENGLISH = "en"
    SPANISH = "es"


@dataclass(frozen=True, slots=True)
class Form:
    """Phrasings that are answered in the same words. `{name}` is a slot of the case."""

    reply: str
    seen: tuple[str, ...]
    unseen: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Family:
    """Intents of one shape: every case can be asked in every form."""

    name: str
    cases: tuple[Case, ...]
    forms: tuple[Form, ...]
    # The combinations of slots can be recombined: some are held out of training.
    compositional: bool = False
    # The slot that a second question may go on from ("and plus two?"), if any.
    result: str = ""
    # How often it is asked in training, against the others.
    weight: float = 1.0
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
    """1..39 as in a date: first, twenty third."""
    if not 1 <= value < 40:
        raise ValueError(f"Expected an ordinal in 1..39, got {value}")
    if value <= 20:
        return _ORDINALS[value - 1]
    if value == 30:
        return "thirtieth"
    return f"{_TENS[value // 10 - 2]} {_ORDINALS[value % 10 - 1]}"


def numbers(*rows: tuple[int, ...]) -> tuple[Case, ...]:
    """Rows of numbers -> cases with slots a, b, c ..."""
    return tuple(
        {name: number(value) for name, value in zip("abcdef", row, strict=False)} for row in rows
    )


def pairs(text: str) -> tuple[Case, ...]:
    """`x:y` items, separated by semicolons -> cases with slots x and y."""
    items = (item.strip().split(":") for item in text.split(";"))
    return tuple({"x": x, "y": y} for x, y in items)


def neighbours(words: Sequence[str], offset: int) -> tuple[Case, ...]:
    """Each word and the one `offset` places on, around the end."""
    count = len(words)
    return tuple({"x": word, "y": words[(i + offset) % count]} for i, word in enumerate(words))


def listed(words: Sequence[str]) -> str:
    """`one, two and three`."""
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]
