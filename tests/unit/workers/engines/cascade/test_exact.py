"""Computed answers: right for questions that have one, and none for all others."""

import json

import pytest

from workers.engines.cascade.exact import exact_answer, with_digits
from workers.evaluation.talk.cases import FOLDER, holds, plain
from workers.models.text_to_speech.number_words import cardinal


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("What's 38 plus 47?", "Thirty-eight plus forty-seven is eighty-five."),
        ("What is thirty-eight plus forty-seven?", "Thirty-eight plus forty-seven is eighty-five."),
        ("I wonder how much 3 plus 4 is.", "Three plus four is seven."),
        ("How much is 12 minus 5?", "Twelve minus five is seven."),
        ("5 minus 12", "Five minus twelve is minus seven."),
        (
            "What do you get when you subtract 37 from 100?",
            "One hundred minus thirty-seven is sixty-three.",
        ),
        ("Could you tell me what is 6 times 9, please?", "Six times nine is fifty-four."),
        ("What's 6 x 9?", "Six times nine is fifty-four."),
        ("What's 7 divided by 2?", "Seven divided by two is three, with one left."),
        ("1,000 + 1", "One thousand plus one is one thousand one."),
        ("What is 5 divided by zero?", "Nothing can be divided by zero."),
        ("Spell cat.", "Cat is spelled C, A, T."),
        ("How do you spell the word banana?", "Banana is spelled B, A, N, A, N, A."),
        ("Count to five.", "One, two, three, four, five."),
        ("Count down from 3 to 1", "Three, two, one."),
    ],
)
def test_it_answers_what_can_be_computed(words: str, answer: str) -> None:
    assert exact_answer(words) == answer


@pytest.mark.parametrize(
    "words",
    [
        "",
        "Why is the sky blue?",
        "What is the sum of all fears?",
        "I have 3 cats and 2 dogs.",
        "I have three apples and eat one. How many are left?",
        "What's 3 plus 4 times 2?",
        "And plus five?",
        "How do you spell your name and age?",
        "How is cat?",
        "Count to a million.",
        "Can I count on you?",
        "What comes after 7?",
        "Tell me about apollo 11.",
    ],
)
def test_it_leaves_the_rest_to_the_model(words: str) -> None:
    assert exact_answer(words) == ""


@pytest.mark.parametrize("number", [*range(120), 200, 345, 999])
def test_number_words_become_digits(number: int) -> None:
    assert with_digits(f"Well, {cardinal(number)}!") == f"well {number}"


def test_numbers_that_follow_each_other_stay_apart() -> None:
    assert with_digits("seven eight") == "7 8"


def test_it_never_answers_a_written_question_wrongly() -> None:
    lines = [json.loads(line) for line in (FOLDER / "sums.jsonl").read_text().splitlines()]
    answered = 0
    for line in lines:
        if found := exact_answer(line["say"]):
            answered += 1
            assert holds(plain(found), cardinal(line["answer"])), (line["say"], found)
    assert answered > len(lines) * 0.6
