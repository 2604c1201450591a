"""Common knowledge is looked up, and only where a question asks for nothing else."""

import pytest

from workers.engines.cascade.exact import likely
from workers.engines.cascade.exact.fact_tables import CAPITALS, COLORS, LEGS, OPPOSITES
from workers.engines.cascade.exact.facts import fact


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ("What is the capital of France?", "The capital of France is Paris."),
        ("Which city is the capital of the Netherlands?",
         "The capital of the Netherlands is Amsterdam."),
        ("Is Sydney the capital of Australia?", "No, the capital of Australia is Canberra."),
        ("Am I right that Rome is the capital of Italy?", "Yes, the capital of Italy is Rome."),
        ("Which country has Oslo as its capital?", "Oslo is the capital of Norway."),
        ("Sofia is the capital of which country?", "Sofia is the capital of Bulgaria."),
        ("What's the opposite of the word hot, please?", "The opposite of hot is cold."),
        ("I would like to know the opposite of boy.", "The opposite of boy is girl."),
        ("What colour is a lemon?", "A lemon is yellow."),
        ("Can you tell me what color the sky is?", "The sky is blue."),
        ("What noise does a cow make?", "The cow says moo."),
        ("How many legs do spiders have?", "A spider has eight legs."),
        ("What do you call a baby kangaroo?", "A baby kangaroo is called a joey."),
        ("Where do polar bears live?", "The polar bear lives on the ice of the Arctic."),
        ("What kind of work does a baker do?", "A baker bakes bread."),
        ("Um, what is a hammer used for?", "You use a hammer to hit nails."),
        ("What is the plural of mouse?", "The plural of mouse is mice."),
        ("What's the past tense of go?", "The past tense of go is went."),
        ("Where does honey come from?", "Honey comes from bees."),
        ("Do people work on Sundays?", "Sunday is part of the weekend, when most people are off."),
        ("Is Tuesday a day off?", "Tuesday is a working day for most people."),
    ],
)  # fmt: skip
def test_a_fact_is_looked_up(asked: str, answer: str) -> None:
    assert fact(asked) == answer


@pytest.mark.parametrize(
    "asked",
    [
        "How many people live in the capital of France?",
        "Why is the capital of Australia Canberra?",
        "What is the capital of Atlantis?",
        "What color should I paint my kitchen?",
        "Why is the sky blue?",
        "What does my boss say?",
        "My dog has how many legs left after the accident?",
        "What is love for?",
        "Tell me a story about the opposite of love in Paris.",
        "What did the doctor do?",
        "I work on Sunday.",
        "",
    ],
)
def test_everything_else_is_the_models(asked: str) -> None:
    assert fact(asked) == ""


def test_every_entry_of_a_table_is_found() -> None:
    for table, question in (
        (CAPITALS, "What is the capital of {}?"),
        (OPPOSITES, "What is the opposite of {}?"),
        (COLORS, "What color is {}?"),
        (LEGS, "How many legs does a {} have?"),
    ):
        for name, value in table.items():
            assert value in fact(question.format(name)), name


def test_a_doubtful_transcript_is_read_as_a_question_with_an_answer() -> None:
    texts = ["What is the block used for?", "What is the clock used for?"]
    assert likely(texts) == texts[1]
