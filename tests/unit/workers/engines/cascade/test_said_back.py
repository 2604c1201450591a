"""What callers told is said back in their words, and only where it answers the question."""

import pytest

from workers.engines.cascade.exact import exact_answer
from workers.engines.cascade.exact.said_back import said_back


@pytest.mark.parametrize(
    ("told", "asked", "answer"),
    [
        ("I left my keys on the shelf.", "Where are my keys?", "you left your keys on the shelf"),
        ("I parked on level three.", "Where did I park?", "you parked on level three"),
        ("Well, I'm allergic to nuts.", "What am I allergic to?", "you're allergic to nuts"),
        ("My flight leaves on Tuesday.", "When is my flight?", "your flight leaves on Tuesday"),
        ("We have three hens.", "How many hens do we have?", "you have three hens"),
        ("My favourite tea is green.", "Which tea do I like best?", "your favourite tea is green"),
        ("I'm sad because my fish died.", "Why am I sad?", "you're sad because your fish died"),
        ("Remember that I bought milk.", "Do you know what I bought?", "you bought milk"),
        ("I drink tea with honey.", "How do I drink my tea?", "you drink tea with honey"),
        ("I can't stand beetroot.", "Which food do I hate?", "you can't stand beetroot"),
        ("I'm really into archery.", "What's my hobby?", "you're really into archery"),
        ("Our check-up with the vet is on Monday.", "Which day do we see the vet?",
         "your check-up with the vet is on Monday"),
        ("I'd like to be a pilot.", "What do I want to be?", "you'd like to be a pilot"),
        ("For colors, I'd pick pink.", "What's my favorite color?", "for colors, you'd pick pink"),
        ("I've been a baker for years.", "Do you remember my job?",
         "you've been a baker for years"),
        ("Hi. The bus is late and I lost my hat.", "What did I lose?", "you lost your hat"),
        ("I\N{RIGHT SINGLE QUOTATION MARK}m training for a race.", "What am I training for?",
         "you're training for a race"),
    ],
)  # fmt: skip
def test_a_statement_is_said_back(told: str, asked: str, answer: str) -> None:
    assert exact_answer(asked, ["What is rain?", told, "Tell me a joke."]) == f"You said {answer}."


def test_the_latest_statement_counts() -> None:
    assert said_back("Where are my keys?", ["My keys are in the car.", "My keys are at home."]) == (
        "You said your keys are at home."
    )


@pytest.mark.parametrize(
    ("told", "asked"),
    [
        ("I have a headache.", "Why do I have a headache?"),  # no reason was told
        ("I have a headache.", "What should I do about my headache?"),
        ("I have a headache.", "What helps against a headache?"),
        ("My brother is tall.", "Where does my brother live?"),  # no place
        ("My dog is old.", "How many dogs do I have?"),  # no number
        ("My wife's name is Elena.", "What does my wife do?"),
        ("I have ten nuts and eat two.", "How many nuts do I have left?"),
        ("Where are my keys?", "Where are my keys?"),  # a question states nothing
        ("I like you.", "What do I like?"),  # whom "you" means would change
        ("It rains in Rome.", "Where does it rain?"),  # not about the caller
        ("I left my keys at home.", "Where is my hat?"),
        ("I want to make pancakes.", "What do I need for that?"),
        ("My tomatoes are dying.", "When do I water my tomatoes?"),
        ("I live in Oslo.", "What do I do for a living?"),
        ("My favorite food is sushi.", "What's my favorite color?"),
        ("My birthday is in May.", "Which city did I mention?"),
    ],
)
def test_other_questions_are_the_models(told: str, asked: str) -> None:
    assert said_back(asked, [told]) == ""


def test_two_questions_in_one_turn_are_both_answered() -> None:
    told = ["My name is Julia.", "I live in Denver."]
    assert exact_answer("What's my name and where do I live?", told) == (
        "Your name is Julia. You live in Denver."
    )
    assert exact_answer("What's two plus two? And what is rain?") == ""


def test_not_this_but_that_is_a_correction() -> None:
    told = ["The shop opens at nine.", "Not nine, ten."]
    assert said_back("When does the shop open?", told) == "You said the shop opens at ten."


def test_he_is_the_one_of_whom_they_told() -> None:
    told = ["My cousin is called Ravi and he lives in Leeds.", "What's my cousin's name?"]
    assert said_back("And where does he live?", told) == (
        "You said your cousin is called Ravi, and he lives in Leeds."
    )
