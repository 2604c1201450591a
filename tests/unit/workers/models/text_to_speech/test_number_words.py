"""Numbers as words."""

import pytest

from workers.models.text_to_speech.number_words import cardinal, number_words, ordinal, plural, year


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "zero"),
        (13, "thirteen"),
        (42, "forty-two"),
        (100, "one hundred"),
        (615, "six hundred fifteen"),
        (1_000_020, "one million twenty"),
        (-7, "minus seven"),
        (10**18, "one" + " zero" * 18),
    ],
)
def test_cardinals(number: int, words: str) -> None:
    assert cardinal(number) == words


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (1, "first"),
        (12, "twelfth"),
        (20, "twentieth"),
        (42, "forty-second"),
    ],
)
def test_ordinals(number: int, words: str) -> None:
    assert ordinal(number) == words


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (1969, "nineteen sixty-nine"),
        (1905, "nineteen oh five"),
        (1800, "eighteen hundred"),
        (2000, "two thousand"),
        (2007, "two thousand seven"),
        (2024, "twenty twenty-four"),
        (987, "nine hundred eighty-seven"),
    ],
)
def test_years(number: int, words: str) -> None:
    assert year(number) == words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("3.14", "three point one four"),
        (".5", "zero point five"),
        ("1,250", "one thousand two hundred fifty"),
        ("1250", "twelve fifty"),
        ("-5", "minus five"),
        ("007", "zero zero seven"),
        ("0", "zero"),
    ],
)
def test_written_numbers(text: str, words: str) -> None:
    assert number_words(text) == words


def test_plurals() -> None:
    assert plural("nineteen nineties"[:-3] + "y") == "nineteen nineties"
    assert plural("six") == "sixes"
