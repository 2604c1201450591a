"""The words around a question change its wording and not its meaning."""

import random

import pytest

from workers.training.questions import wording
from workers.training.questions.catalogue import Split, questions, words
from workers.training.questions.wording import SAID_AROUND, reworded
from workers.training.stages.caller_words import CallerVocabulary


def wordings(text: str, count: int = 3000) -> set[str]:
    rng = random.Random(1)
    return {reworded(text, rng) for _ in range(count)}


@pytest.mark.parametrize(
    ("text", "indirect"),
    [
        ("what is two plus three?", "i need to know what two plus three is"),
        ("tell me the double of four", "give me the double of four"),
        ("what is the opposite of happy?", "i need the opposite of happy"),
        ("what day comes after monday?", "remind me what day comes after monday"),
        ("which colour is a banana?", "i must know which colour a banana is"),
    ],
)
def test_a_question_may_become_indirect(text: str, indirect: str) -> None:
    found = wordings(text)
    assert {text, indirect} <= found
    assert len(found) > 50


@pytest.mark.parametrize(
    "text",
    [
        "what is more, five or six?",
        "is seven even or odd?",
        "what is a key for?",
        "how many legs has a dog?",
        "how many days are there in may?",
        "tell me the job of a builder",
    ],
)
def test_a_text_that_fits_no_rule_keeps_its_words_in_order(text: str) -> None:
    assert all(" ".join(words(text)) in " ".join(words(found)) for found in wordings(text))


@pytest.mark.parametrize(
    "text", ["count to ten, please", "ten is bigger than two, right?", "count to ten"]
)
def test_openings_and_endings_fit_the_sentence(text: str) -> None:
    found = wordings(text)
    assert not any("right?," in wording or wording.count("please") > 1 for wording in found)
    assert text.endswith("?") or not any("question" in wording for wording in found)


def test_a_wording_never_makes_another_question() -> None:
    replies = {" ".join(words(q.text)): q.reply for q in questions(Split.TRAIN)}
    rng = random.Random(3)
    for question in rng.sample(questions(Split.TRAIN), 8000):
        text = " ".join(words(reworded(question.text, rng)))
        assert replies.get(text, question.reply) == question.reply, text


def test_most_questions_stay_unchanged() -> None:
    rng = random.Random(2)
    same = sum(
        reworded("is seven even or odd?", rng) == "is seven even or odd?" for _ in range(900)
    )
    assert same / 900 == pytest.approx((1 - wording.OPENED) * (1 - wording.ENDED), abs=0.05)


def test_words_around_a_question_are_in_the_vocabulary() -> None:
    known = set(CallerVocabulary(("sum",)).words)
    assert {word for text in SAID_AROUND for word in words(text)} <= known
