"""Computes answers to arithmetic, counting and spelling questions, without the model. Pure.

A small language model says wrong sums and spells wrongly. What a caller asks in one of the usual
ways is computed here; everything else, and every question with more in it, is left to the model.
"""

import re
from collections.abc import Callable
from typing import Final

from workers.models.text_to_speech.number_words import cardinal

LARGEST: Final = 1_000_000  # the largest result that is spoken
MOST_COUNTED: Final = 30
MOST_LETTERS: Final = 20

_UNITS: Final = {
    word: number
    for number, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
        "fifteen sixteen seventeen eighteen nineteen".split()
    )
}
_TENS: Final = {
    word: 10 * number
    for number, word in enumerate(
        "twenty thirty forty fifty sixty seventy eighty ninety".split(), start=2
    )
}
_NUMBER: Final = r"(-?\d[\d,]*)"
_OPENING: Final = (
    r"(?:(?:hey|hi|hello|ok|okay|so|um|uh|well|and|please|antiphon|now|quick question)[ ,]+)*"
    r"(?:i(?:'d like to know| want to know| wonder|'m wondering| was wondering)"
    r"|(?:can|could|would|will) you (?:please )?(?:tell me|work out|calculate|help me with|do)"
    r"|do you (?:happen to )?know|tell me|calculate|work out|compute|what do you get"
    r"|what do i get|figure out|quick|just)?[ ,]*"
    r"(?:how much is|how much are|how much|how many is|what is|what's|whats|what are|what does"
    r"|what do you get when you|what do you get if you|if you|when you|what number is"
    r"|what comes out if you)?[ ,]*(?:the (?:result|answer) of )?"
)
_CLOSING: Final = r"(?: (?:is|equals?|make|makes|please|antiphon|for me|equal to|be|come to))*"


def _plus(a: int, b: int) -> str:
    return _stated(f"{cardinal(a)} plus {cardinal(b)}", a + b)


def _minus(a: int, b: int) -> str:
    return _stated(f"{cardinal(a)} minus {cardinal(b)}", a - b)


def _times(a: int, b: int) -> str:
    return _stated(f"{cardinal(a)} times {cardinal(b)}", a * b)


def _divided(a: int, b: int) -> str:
    if b == 0:
        return "Nothing can be divided by zero."
    words = f"{cardinal(a)} divided by {cardinal(b)}"
    whole, rest = divmod(a, b)
    return (
        _stated(words, whole)
        if not rest
        else _stated(words, whole, f", with {cardinal(rest)} left")
    )


def _stated(words: str, result: int, more: str = "") -> str:
    if abs(result) > LARGEST:
        return ""
    text = f"{words} is {cardinal(result)}{more}."
    return text[0].upper() + text[1:]


def _swapped(answer: Callable[[int, int], str]) -> Callable[[int, int], str]:
    return lambda a, b: answer(b, a)


# The words between or around two numbers, and the operation they mean.
_INFIX: Final[tuple[tuple[str, Callable[[int, int], str]], ...]] = (
    (r"(?:\+|plus|and|added to)", _plus),
    (r"(?:-|minus|take away|takeaway|less)", _minus),
    (r"(?:\*|x|times|multiplied by|by)", _times),
    (r"(?:/|divided by|over)", _divided),
)
_PREFIX: Final[tuple[tuple[str, Callable[[int, int], str]], ...]] = (
    (rf"add {_NUMBER} (?:and|to|plus) {_NUMBER}(?: together)?", _plus),
    (rf"subtract {_NUMBER} from {_NUMBER}", _swapped(_minus)),
    (rf"take(?: away)? {_NUMBER}(?: away)? from {_NUMBER}", _swapped(_minus)),
    (rf"{_NUMBER} (?:subtracted|taken away|taken|deducted) from {_NUMBER}", _swapped(_minus)),
    (
        rf"(?:the )?difference between {_NUMBER} and {_NUMBER}",
        lambda a, b: _minus(max(a, b), min(a, b)),
    ),
    (rf"multiply {_NUMBER} (?:by|and|with|times) {_NUMBER}", _times),
    (rf"(?:the )?product of {_NUMBER} and {_NUMBER}", _times),
    (rf"(?:the )?sum of {_NUMBER} and {_NUMBER}", _plus),
    (rf"divide {_NUMBER} by {_NUMBER}", _divided),
)
_SPELL: Final = re.compile(
    r"(?:please |can you |could you |tell me )*(?:how (?:do|would) (?:you|i|we) spell|spell|"
    r"how is|what is the spelling of)(?: out)?(?: me)?(?: the)?(?: word)?(?: for me)? "
    r"([a-z]+)(?: spelled| for me| please)*"
)
_COUNT: Final = re.compile(
    rf"(?:please |can you |could you )*count (?:for me )?(?:up |down |backwards? )?"
    rf"(?:from {_NUMBER} )?(?:up |down )?to {_NUMBER}(?: please| for me)*"
)


def exact_answer(words: str) -> str:
    """The computed answer to a caller's whole turn, or ""."""
    text = with_digits(words)
    return _reckoned(text) or _spelled(text) or _counted(text)


def with_digits(words: str) -> str:
    """Lower case, no marks, number words up to 999 as digits: "Thirty-eight?" -> "38"."""
    text = (
        words.lower()
        .replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
        .replace("\N{MULTIPLICATION SIGN}", "x")
    )
    text = re.sub(r"(?<=[a-z])-(?=[a-z])", " ", text)
    text = re.sub(r"[?!.;:\"]+(?=\s|$)", " ", text)
    return " ".join(_digits(re.sub(r"(?<=\D),|,(?=\D|$)", " ", text).split()))


def _digits(words: list[str]) -> list[str]:
    found: list[str] = []
    value: int | None = None
    for word in words:
        grown = _grown(value, word)
        if grown is not None:
            value = grown
            continue
        if value is not None:
            found.append(str(value))
        value = _UNITS.get(word, _TENS.get(word))
        if value is None:
            found.append(word)
    return found if value is None else [*found, str(value)]


def _grown(value: int | None, word: str) -> int | None:
    """The larger number if a number word continues the one before ("thirty" "eight"), else None."""
    if value is None:
        return None
    if word == "hundred" and 0 < value < 10:
        return value * 100
    unit, tens = _UNITS.get(word), _TENS.get(word)
    if unit and value >= 20 and value % 10 == 0 and (unit < 10 or value % 100 == 0):
        return value + unit
    return value + tens if tens and value >= 100 and value % 100 == 0 else None


def _reckoned(text: str) -> str:
    for sign, answer in _INFIX:
        found = re.fullmatch(rf"{_OPENING}{_NUMBER} ?{sign} ?{_NUMBER}{_CLOSING}", text)
        if found:
            return answer(_number(found[1]), _number(found[2]))
    for pattern, answer in _PREFIX:
        found = re.fullmatch(rf"{_OPENING}{pattern}{_CLOSING}", text)
        if found:
            return answer(_number(found[1]), _number(found[2]))
    return ""


def _number(digits: str) -> int:
    return int(digits.replace(",", "")[:12])


def _spelled(text: str) -> str:
    found = _SPELL.fullmatch(text)
    if (
        not found
        or len(found[1]) > MOST_LETTERS
        or (text.startswith("how is") and "spelled" not in text)
    ):
        return ""
    word = found[1]
    return f"{word.capitalize()} is spelled {', '.join(word.upper())}."


def _counted(text: str) -> str:
    found = _COUNT.fullmatch(text)
    if not found:
        return ""
    first, last = _number(found[1] or "1"), _number(found[2])
    step = 1 if last >= first else -1
    numbers = range(first, last + step, step)
    if len(numbers) > MOST_COUNTED or max(first, last) > LARGEST:
        return ""
    said = ", ".join(map(cardinal, numbers))
    return said[0].upper() + said[1:] + "."
