"""The last reply, or the caller's last words, are said again when they ask for it."""

import pytest

from workers.engines.cascade.exact.repeated import NOTHING_YET, repeated


@pytest.mark.parametrize(
    "asked",
    [
        "What did you say?",
        "Sorry, what did you just say?",
        "Could you repeat that, please?",
        "Say that again.",
        "Can you please say it one more time?",
        "I didn't catch that.",
        "Pardon?",
        "What was that again?",
    ],
)
def test_the_reply_is_said_again(asked: str) -> None:
    assert repeated(asked, "What do cows eat?", "Grass, mostly.") == "Grass, mostly."


def test_of_an_interrupted_reply_nothing_is_said_again() -> None:
    assert repeated("What did you say?", "Tell me a story.", "Once there was a") == ""
    assert repeated("What did you say?", "Tell me a story.", "") == ""


def test_before_any_reply_there_is_nothing_to_say_again() -> None:
    assert repeated("What did you say?", "", "") == NOTHING_YET


def test_the_callers_words_are_said_again() -> None:
    assert repeated("What did I just ask you?", "What is rain?", "Water.") == (
        "You asked: What is rain?"
    )
    assert repeated("What did I say?", "I like rain.", "So do I.") == "You said: I like rain."


@pytest.mark.parametrize(
    "said",
    [
        "What did you say about cows?",
        "Say cheese again.",
        "I'm sorry.",
        "Repeat after me, the sky is blue.",
        "What was that movie called?",
        "What did I say my name was?",
        "Tell me again about whales.",
    ],
)
def test_other_turns_are_not_for_it(said: str) -> None:
    assert repeated(said, "What is rain?", "Water.") == ""
