"""Word errors count what was said."""

import pytest

from workers.evaluation.transcript_errors import (
    WordErrors,
    said_words,
    word_errors,
)


@pytest.mark.parametrize(
    ("wanted", "heard"),
    [
        ("What is 12 plus 7?", "what is twelve plus seven"),
        ("It's 3 o'clock.", "It is three o'clock"),
        ("I can't, I don't know.", "I cannot. I do not know!"),
        ("My favourite colour", "my favorite color"),
        ("Good-night, Dr. Smith", "good night doctor Smith"),
        ("OK, um, it costs $5.", "Okay, it costs five dollars."),
        ("The BBC", "the B.B.C."),
        ("twenty-one", "21"),
        ("John's book", "Johns book"),
    ],
)
def test_writing_does_not_count(wanted: str, heard: str) -> None:
    assert said_words(wanted) == said_words(heard)
    assert word_errors(wanted, heard).errors == 0


def test_errors_are_inserted_deleted_and_changed_words() -> None:
    assert word_errors("one two three", "one three") == WordErrors(1, 3)
    assert word_errors("one two three", "one too three four") == WordErrors(2, 3)
    assert word_errors("", "one two").errors == word_errors("one two", "").errors == 2


def test_rates_are_of_all_words_together() -> None:
    total = word_errors("one two three", "one") + word_errors("four", "four")
    assert total == WordErrors(2, 4)
    assert total.rate == 0.5
    assert WordErrors(0, 0).rate == 0.0
    assert WordErrors(1, 0).rate == float("inf")
