"""Cuts a caller's words into the tokens that the computed answers parse. Pure.

    tokens("What's sixty-one minus 54?")  ->  ("what", 61, "minus", 54)

Numbers become values, whether Whisper wrote them in words or digits. Marks of punctuation go.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final


@dataclass(frozen=True, slots=True)
class Nth:
    """An ordinal number: "third", "3rd"."""

    number: int


@dataclass(frozen=True, slots=True)
class Clock:
    """A time of day as minutes after twelve: "3:30"."""

    minutes: int


Token = str | int | Fraction | Nth | Clock

MOST_DIGITS: Final = 12
_UNITS: Final = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen seventeen eighteen nineteen"
).split()
_TENS: Final = "_ _ twenty thirty forty fifty sixty seventy eighty ninety".split()
_SCALES: Final = {"hundred": 100, "thousand": 1_000, "million": 1_000_000}
_SMALL: Final = {
    **{word: number for number, word in enumerate(_UNITS)},
    **{word: 10 * number for number, word in enumerate(_TENS) if word != "_"},
    "fourty": 40,
}
_IRREGULAR: Final = {
    "first": 1, "second": 2, "third": 3, "fifth": 5, "eighth": 8, "ninth": 9, "twelfth": 12,
}  # fmt: skip
_ORDINALS: Final = {
    **{word + "th": number for word, number in _SMALL.items() if not word.endswith("y")},
    **{word[:-1] + "ieth": number for word, number in _SMALL.items() if word.endswith("y")},
    **_IRREGULAR,
}
_LEXEME: Final = re.compile(
    r"[0-9]{1,2}:[0-9]{2}|[0-9]+(?:st|nd|rd|th)\b|[0-9][0-9,]*(?:\.[0-9]+)?"
    r"|[a-z\u00c0-\u024f]+|[-+*/=%]"
)
_ENDING: Final = re.compile(r"(?<=[^\W\d_])'(?:s|d|m|re|ve|ll)\b")
_SIGNS: Final = str.maketrans(
    {
        "\N{RIGHT SINGLE QUOTATION MARK}": "'",
        "\N{MULTIPLICATION SIGN}": "*",
        "\N{DIVISION SIGN}": "/",
        "\N{MINUS SIGN}": "-",
        "\N{EN DASH}": "-",
    }
)


def tokens(text: str) -> tuple[Token, ...]:
    """The tokens of a text: lower-case words, values of numbers, signs between them."""
    plain = text.lower().translate(_SIGNS).replace("o'clock", "oclock")
    plain = _ENDING.sub("", plain).replace("'", "")
    plain = re.sub(r"(?<=[^\W\d_])-|-(?=[^\W\d_])", " ", plain)
    return tuple(_with_numbers([_lexeme(found) for found in _LEXEME.findall(plain)]))


def _lexeme(text: str) -> Token:
    if ":" in text:
        hours, minutes = map(int, text.split(":"))
        return Clock((60 * hours + minutes) % 720)
    if text[0] in "0123456789":
        digits = text.rstrip("stndrh").replace(",", "")
        if text[-1].isalpha():
            return Nth(int(digits[:MOST_DIGITS]))
        whole, point, decimals = digits.partition(".")
        if point:
            return Fraction(f"{whole[:MOST_DIGITS]}.{decimals[:MOST_DIGITS]}")
        return int(whole[:MOST_DIGITS])
    return text


def _with_numbers(found: Sequence[Token]) -> list[Token]:
    """Number words become one value each: "one hundred and five" -> 105, "twenty third" -> 23rd."""
    made: list[Token] = []
    at = 0
    while at < len(found):
        value, after = _number(found, at)
        made.append(found[at] if value is None else value)
        at = max(after, at + 1)
    return made


def _number(found: Sequence[Token], at: int) -> tuple[Token | None, int]:
    """The number that begins at a place, and the place after it; None if there is none."""
    total, value, after = 0, *_below_hundred(found, at)
    if value is None and found[at] == "a" and _scale(found, at + 1):
        value, after = 1, at + 1
    if isinstance(value, Nth) or value is None:
        return value, after
    while scale := _scale(found, after):
        value, after = value * scale, after + 1
        if scale > 100:
            total, value = total + value, 0
        skipped = after + (_at(found, after) == "and")
        more, end = _below_hundred(found, skipped)
        if isinstance(more, Nth):
            return Nth(total + value + more.number), end
        if more is not None and (isinstance(found[skipped], str)):
            value, after = value + more, end
    return _with_decimals(found, total + value, after)


def _below_hundred(found: Sequence[Token], at: int) -> tuple[int | Nth | None, int]:
    first = _at(found, at)
    if isinstance(first, int):
        return (first, at + 1) if _scale(found, at + 1) else (None, at)
    if not isinstance(first, str):
        return None, at
    if first in _ORDINALS:
        return Nth(_ORDINALS[first]), at + 1
    value = _SMALL.get(first)
    if value is None or value < 20:
        return value, at + 1
    unit = _at(found, at + 1)
    if isinstance(unit, str) and 0 < _SMALL.get(unit, 0) < 10:
        return value + _SMALL[unit], at + 2
    if isinstance(unit, str) and 0 < _ORDINALS.get(unit, 0) < 10:
        return Nth(value + _ORDINALS[unit]), at + 2
    return value, at + 1


def _with_decimals(found: Sequence[Token], whole: int, at: int) -> tuple[Token, int]:
    """ "two point five" -> 5/2."""
    digits = ""
    end = at + 1
    while _at(found, at) == "point" and isinstance(word := _at(found, end), str):
        if not 0 <= _SMALL.get(word, -1) < 10:
            break
        digits, end = digits + str(_SMALL[word]), end + 1
    return (Fraction(f"{whole}.{digits}"), end) if digits else (whole, at)


def _scale(found: Sequence[Token], at: int) -> int:
    word = _at(found, at)
    return _SCALES.get(word, 0) if isinstance(word, str) else 0


def _at(found: Sequence[Token], at: int) -> Token | None:
    return found[at] if at < len(found) else None
