"""Doubtful transcripts of questions with an exact answer are mended, and no others."""

import pytest

from workers.engines.cascade.exact import computed, likely
from workers.training.talk_tuning import conversations
from workers.training.talk_tuning.finetune import EXCHANGES


@pytest.mark.parametrize(
    ("heard", "answer"),
    [
        ("How much is 12 times it?", "Twelve times eight is ninety-six."),
        ("I want you to multiply it by nine.", "Eight times nine is seventy-two."),
        ("If I take for from 80, what is left?", "Eighty minus four is seventy-six."),
        ("I'm times too, please.", "Nine times two is eighteen."),
        ("Please device 6 by 2.", "Six divided by two is three."),
        ("I need to know 7 to plus 41.", "Seventy-two plus forty-one is one hundred thirteen."),
        ("How much is for the 9 plus 25?", "Forty-nine plus twenty-five is seventy-four."),
        ("If you cut 50 for in half, what do you get?", "Half of fifty-four is twenty-seven."),
        ("Tell me the summer 34 and 58.", "Thirty-four plus fifty-eight is ninety-two."),
        ("What in 49-11?", "Forty-nine minus eleven is thirty-eight."),
        ("Quick mass, 90 minus 70 weeks.", "Ninety minus seventy-six is fourteen."),
        ("What's 20 plus 40 for?", "Twenty plus forty-four is sixty-four."),
        ("But 32 and 92.", "Thirty-two plus ninety-two is one hundred twenty-four."),
        ("Count up to save and team.", computed("Count up to seventeen.")),
        ("3 days after mandi is what they", computed("Three days after Monday is what day?")),
        ("I need the one that comes after me.", computed("The month that comes after May?")),
        ("How is 90 failed?", computed("How is ninety spelled?")),
    ],
)
def test_a_misheard_question_is_answered(heard: str, answer: str) -> None:
    assert not computed(heard) or computed(heard) != answer
    assert answer
    assert computed(likely([heard])) == answer


def test_a_less_likely_text_that_makes_sense_is_taken_as_it_is() -> None:
    texts = ["Tell me that some of 3 in 9", "What is three plus nine?"]
    assert likely(texts) == "What is three plus nine?"


def test_a_mended_text_looks_like_a_transcript() -> None:
    assert likely(["How much is it minus six?"]) == "How much is eight minus six."


def test_talk_is_never_mended_into_a_sum() -> None:
    """Of the corpus: as if Whisper had been unsure of each line."""
    said = [caller for one in conversations.read([EXCHANGES]) for caller, _ in one.turns[:1]]
    assert len(said[::5]) > 600
    assert [one for one in said[::5] if not computed(one) and likely([one])] == []
