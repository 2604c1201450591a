"""A follow-up that names only what is new becomes a whole question."""

import pytest

from workers.engines.cascade.exact import exact_answer
from workers.engines.cascade.exact.ellipsis import whole_question


@pytest.mark.parametrize(
    ("before", "said", "whole"),
    [
        ("How many legs does an ant have?", "And a crab?", "How many legs does a crab have?"),
        ("What do foxes eat?", "And otters?", "What do otters eat?"),
        ("Where do seals live?", "What about moles?", "Where do moles live?"),
        ("What's the capital of Peru?", "And of Chile?", "What's the capital of Chile?"),
        ("What's the capital of Peru?", "How about Chile?", "What's the capital of Chile?"),
        ("How do you say bread in French?", "And in Welsh?", "How do you say bread in Welsh?"),
        ("How old is the sun?", "And the moon?", "How old is the moon?"),
        ("What is a drill used for?", "And a rake?", "What is a rake used for?"),
        ("What's the tallest tree?", "And the smallest?", "What's the smallest tree?"),
        ("What sound does a crow make?", "And owls?", "What sound do owls make?"),
        ("Can hens fly?", "And ducks?", "Can ducks fly?"),
        ("How do you make soup?", "And jam, please?", "How do you make jam?"),
    ],
)
def test_the_new_words_take_the_place_of_their_kind(before: str, said: str, whole: str) -> None:
    assert whole_question(said, [before]) == whole


def test_a_follow_up_goes_back_over_turns() -> None:
    asked = ["Where is Oslo?", "What about Turin?"]
    assert whole_question("And Porto?", asked) == "Where is Porto?"


@pytest.mark.parametrize(
    ("before", "said"),
    [
        ("How are you?", "And your family?"),
        ("I like tea.", "And coffee."),  # nothing was asked
        ("What's the weather?", "And tomorrow?"),
        ("What do cats eat?", "And why do they sleep so much?"),
        ("What do cats eat?", "And dogs, do they eat grass or do they leave it?"),
        ("Tell me a joke.", "And another."),
        ("What do cats eat?", "Where is Rome?"),
    ],
)
def test_other_turns_stay_as_they_are(before: str, said: str) -> None:
    assert whole_question(said, [before]) == ""


@pytest.mark.parametrize(
    ("before", "said", "answer"),
    [
        ("How many hours are in two days?", "And in three days?",
         "Three days are seventy-two hours."),
        ("How many minutes are in three hours?", "And in four?",
         "Four hours are two hundred forty minutes."),
        ("What's the first letter of bird?", "And of cup?", "The first letter of cup is C."),
        ("How many days does May have?", "And June?", "June has thirty days."),
        ("What comes after Monday?", "And after that?", "The day after Tuesday is Wednesday."),
        ("Which month comes after May?", "And the one after that?",
         "The month after June is July."),
        ("What letter comes after B?", "And before that?", "Before C comes B."),
    ],
)  # fmt: skip
def test_a_computed_question_is_gone_on_with(before: str, said: str, answer: str) -> None:
    assert exact_answer(said, [before]) == answer
