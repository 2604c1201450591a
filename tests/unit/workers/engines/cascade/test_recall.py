"""What a caller told is found again, and a result is gone on with."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workers.engines.cascade.exact import exact_answer
from workers.models.text_to_speech.number_words import cardinal
from workers.training.talk_tuning.systematic.caller_facts import KINDS
from workers.training.talk_tuning.systematic.memory import Fact


@pytest.mark.parametrize(
    ("earlier", "asked", "answer"),
    [
        ("My name is Anna.", "What's my name?", "Your name is Anna."),
        ("Hi, I'm Robert.", "Do you remember my name?", "Your name is Robert."),
        ("You can call me Yuki.", "Who am I?", "Your name is Yuki."),
        ("I have a dog called Rex.", "What's my dog's name?", "Your dog's name is Rex."),
        ("My sister is called Eva.", "What is my sister called?", "Your sister's name is Eva."),
        ("My favourite food is rice.", "What's my favorite food?", "Your favorite food is rice."),
        ("Teal is my favorite color.", "My favourite colour?", "Your favorite color is teal."),
        ("I live in Cape Town and I love it.", "Where do I live?", "You live in Cape Town."),
        ("I'm from Peru.", "Can you tell me where I come from?", "You're from Peru."),
        ("I am 46 years old.", "How old am I?", "You are 46 years old."),
        ("I work as a baker.", "What do I do for a living?", "You work as a baker."),
        ("My exam is on Friday.", "When is my exam?", "Your exam is Friday."),
        ("The name's Odile.", "What did I say my name was?", "Your name is Odile."),
        ("I'm Ingrid, what's your name?", "What's my name?", "Your name is Ingrid."),
        ("We have a goat and we call her Daisy.", "What's our goat called?",
         "Your goat's name is Daisy."),
        ("We moved from Bonn to Basel in March.", "Where do I live now?", "You live in Basel."),
        ("I grew up in Chile.", "Which country am I from?", "You're from Chile."),
        ("I turned 33 last week.", "How old am I?", "You are 33 years old."),
        ("My password is saffron.", "Which word should you remember?", "The word is saffron."),
        ("I was born in May.", "When was I born?", "Your birthday is May."),
        ("My doctor is Mrs. Patel.", "Who's my doctor?", "Your doctor is Mrs Patel."),
    ],
)  # fmt: skip
def test_what_was_told_is_found(earlier: str, asked: str, answer: str) -> None:
    assert (
        exact_answer(asked, ["Hello.", earlier, "What's two plus two?"]).lower() == answer.lower()
    )


def test_the_latest_statement_counts() -> None:
    turns = ["My name is Anna.", "No, my name is Hannah."]
    assert exact_answer("What's my name?", turns) == "Your name is Hannah."


@pytest.mark.parametrize(
    ("earlier", "asked"),
    [
        ("My name is Anna.", "What's my dog's name?"),
        ("What is my name?", "What's my name?"),
        ("My name is Anna.", "Why is my name so common?"),
        ("My dog is not well.", "How is my dog?"),
        ("I'm happy.", "Who am I?"),
        ("I like tea.", "What's your name?"),
        ("I was born in May.", "Where was I born?"),
        ("The name is long.", "What's my word?"),
    ],
)
def test_the_rest_is_left_to_the_model(earlier: str, asked: str) -> None:
    assert exact_answer(asked, [earlier]) == ""


@settings(deadline=None)
@given(
    first=st.integers(0, 99),
    steps=st.lists(
        st.tuples(
            st.sampled_from(("And plus {}?", "Now add {}.", "Minus {}?", "What's that times {}?")),
            st.integers(0, 9),
        ),
        min_size=1,
        max_size=3,
    ),
)
def test_a_result_is_gone_on_with(first: int, steps: list[tuple[str, int]]) -> None:
    turns, value = [f"What's {first} plus one?"], first + 1
    for text, number in steps:
        sign = 1 if "plus" in text or "add" in text else -1
        value = value * number if "times" in text else value + sign * number
        asked = text.format(number)
        assert exact_answer(asked, turns).endswith(f" is {cardinal(value)}.")
        turns.append(asked)


def test_nothing_is_gone_on_with_after_another_turn() -> None:
    assert exact_answer("And plus five?", ["What's 2 plus 2?", "Tell me a joke."]) == ""
    assert exact_answer("And plus five?") == ""


def test_most_of_what_training_tells_is_found() -> None:
    """Each way to tell a fact with each way to ask for it: nine in ten are found, one in fifty
    is answered with something else."""
    found = [
        (fact, exact_answer(fact.fill(asked), [fact.fill(told)]))
        for kind in KINDS
        for fact in [Fact(kind, kind.values[0], (*kind.owners, "")[0])]
        for told in kind.statements
        for asked in kind.questions
    ]
    answers = [(fact.value.lower(), answer.lower()) for fact, answer in found if answer]
    right = sum(value in answer for value, answer in answers)
    assert right > 0.88 * len(found)
    assert len(answers) - right < 0.02 * len(found)
