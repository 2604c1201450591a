"""Numbers that an answer computes with: their values, and how to say them. Pure."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from workers.models.text_to_speech.number_words import cardinal, digits

LARGEST: Final = 1_000_000  # the largest result that is spoken
NO_ZERO: Final = "Nothing can be divided by zero."


@dataclass(frozen=True, slots=True)
class Quantity:
    """A value, how it was asked for, and how to say its result."""

    value: Fraction | None  # None: divided by zero
    said: str
    steps: int = 0  # operations in it
    guessed: bool = False  # from a word that sounds like a number
    rest: str = ""  # of a division: ", with one left"


def plain(number: int | Fraction) -> Quantity:
    return Quantity(Fraction(number), spoken(Fraction(number)))


def spoken(value: Fraction) -> str:
    """A number with at most two decimal places in words; "" for all others."""
    if value.denominator == 1:
        return cardinal(int(value))
    hundredths = value * 100
    if hundredths.denominator != 1:
        return ""
    whole, rest = divmod(abs(int(hundredths)), 100)
    sign = "minus " if value < 0 else ""
    return f"{sign}{cardinal(whole)} point {digits(f'{rest:02d}'.rstrip('0'))}"


def combined(left: Quantity, sign: str, right: Quantity) -> Quantity:
    """One step of arithmetic."""
    said, steps = f"{left.said} {sign} {right.said}", left.steps + right.steps + 1
    a, b = left.value, right.value
    if a is None or b is None or (sign == "divided by" and b == 0):
        return Quantity(None, said, steps)
    if sign == "divided by":
        whole, rest = divmod(a, b)
        if rest and steps == 1 and a.denominator == b.denominator == 1 and b > 0:
            left_over = f"{cardinal(whole)}, with {spoken(rest)} left"
            return Quantity(a / b, said, steps, rest=left_over)
        return Quantity(a / b, said, steps)
    value = {"plus": a + b, "minus": a - b, "times": a * b}[sign]
    return Quantity(value, said, steps)


def stated(found: Quantity) -> str:
    """ "Three plus four is seven."; "" if the result cannot be said."""
    if found.value is None:
        return NO_ZERO
    result = found.rest or (spoken(found.value) if abs(found.value) <= LARGEST else "")
    return capitalized(f"{found.said} is {result}.") if result else ""


def capitalized(text: str) -> str:
    """The text with a capital letter in front."""
    return text[0].upper() + text[1:]
