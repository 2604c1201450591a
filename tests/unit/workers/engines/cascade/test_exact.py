"""Computed answers: right for questions that have one, and none for all others."""

import json
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workers.engines.cascade.exact import exact_answer
from workers.engines.cascade.exact.quantity import LARGEST, spoken
from workers.engines.cascade.exact.tokens import Clock, Nth, Token, tokens
from workers.evaluation.talk.cases import FOLDER, holds, plain
from workers.models.text_to_speech.number_words import cardinal, ordinal
from workers.training.talk_tuning import conversations
from workers.training.talk_tuning.finetune import EXCHANGES


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("What's 38 plus 47?", "Thirty-eight plus forty-seven is eighty-five."),
        ("What is thirty-eight plus forty-seven?", "Thirty-eight plus forty-seven is eighty-five."),
        ("61-54", "Sixty-one minus fifty-four is seven."),
        ("Sixty one take away fifty four.", "Sixty-one minus fifty-four is seven."),
        ("73 minors 58?", "Seventy-three minus fifty-eight is fifteen."),
        ("Seven times ate?", "Seven times eight is fifty-six."),
        ("What's 7x8?", "Seven times eight is fifty-six."),
        ("What's 3 plus 4 times 2?", "Three plus four times two is eleven."),
        ("What's 7 divided by 2?", "Seven divided by two is three, with one left."),
        ("What's 3.5 plus 1.5?", "Three point five plus one point five is five."),
        ("What is 5 divided by zero?", "Nothing can be divided by zero."),
        ("1,000 + 1", "One thousand plus one is one thousand one."),
        ("5 minus 12", "Five minus twelve is minus seven."),
        ("What's 12 and 15?", "Twelve plus fifteen is twenty-seven."),
        ("Half of ninety?", "Half of ninety is forty-five."),
        ("What's 15 percent of 60?", "Fifteen percent of sixty is nine."),
        ("What's left if I subtract 37 from 90?", "Ninety minus thirty-seven is fifty-three."),
        ("How many times does 3 go into 12?", "Twelve divided by three is four."),
        ("If I have six and get three more, how many do I have?", "Six plus three is nine."),
        ("I have 9 pears and give away 2. How many do I have left?", "Nine minus two is seven."),
        ("What is 5 more than 3?", "Five plus three is eight."),
        ("Is 5 more than 3?", "Yes, five is bigger than three."),
        ("Is 25 minus 13 12?", "Yes, twenty-five minus thirteen is twelve."),
        ("Four plus four is nine, right?", "No, four plus four is eight."),
        ("Which is smaller, 12 or 7?", "Seven is smaller than twelve."),
        ("Is 7 an even number?", "No, seven is an odd number."),
        ("What number comes after 99?", "After ninety-nine comes one hundred."),
        ("Count down from 3 to 1", "Three, two, one."),
        ("Can you count by twos up to 8?", "Two, four, six, eight."),
        ("What day is 3 days after Tuesday?", "Three days after Tuesday is Friday."),
        ("If today is Monday, what day was yesterday?", "Then yesterday was Sunday."),
        ("If yesterday was Monday, what's today?", "Then today is Tuesday."),
        ("What month comes before January?", "The month before January is December."),
        ("Which month is the ninth month?", "The ninth month of the year is September."),
        ("How many days does April have?", "April has thirty days."),
        ("What is the day after March 31st?", "The day after March thirty-first is April first."),
        ("What season comes after winter?", "The season after winter is spring."),
        ("How do you spell the word banana?", "Banana is spelled B, A, N, A, N, A."),
        ("Spell hello.", "Hello is spelled H, E, L, L, O."),
        ("How many letters are in the word cat?", "Cat has three letters: C, A, T."),
        ("What letter comes after G?", "After G comes H."),
        ("How many minutes are in an hour?", "One hour is sixty minutes."),
        ("How many inches in 3 feet?", "Three feet are thirty-six inches."),
        ("Convert 3 kilometers to meters.", "Three kilometers are three thousand meters."),
        ("It's 3:30. What time is it in an hour?", "One hour after three thirty is four thirty."),
    ],
)  # fmt: skip
def test_it_answers_what_can_be_computed(words: str, answer: str) -> None:
    assert exact_answer(words) == answer


@pytest.mark.parametrize(
    "words",
    [
        "",
        "Why is the sky blue?",
        "What is the sum of all fears?",
        "I have 3 cats and 2 dogs.",
        "So three and four?",
        "To the and the to the.",
        "I need 16 grapes, and I have 11. How many more do I need?",
        "And plus five?",
        "How do you spell it?",
        "How do you spell your name and age?",
        "Count to a million.",
        "Can I count on you?",
        "And after that one?",
        "Third time this month.",
        "Which days are busy in a week?",
        "What is the second of February about?",
        "Tell me about apollo 11.",
        "March third is my birthday.",
        "How many players are on a team?",
    ],
)
def test_it_leaves_the_rest_to_the_model(words: str) -> None:
    assert exact_answer(words) == ""


NUMBERS = st.one_of(st.integers(0, 12), st.integers(0, 999))
WRITTEN = st.sampled_from((str, cardinal, lambda n: cardinal(n).replace("-", " ").capitalize()))
STEPS = {"plus": "+", "minus": "-", "times": "*"}


@settings(max_examples=300, deadline=None)
@given(
    first=NUMBERS,
    steps=st.lists(st.tuples(st.sampled_from(sorted(STEPS)), NUMBERS), min_size=1, max_size=4),
    write=WRITTEN,
    frame=st.sampled_from(("{}", "What's {}?", "Um, could you tell me what {} is, please?")),
)
def test_sums_are_what_python_makes_of_them(
    first: int, steps: list[tuple[str, int]], write: object, frame: str
) -> None:
    assert callable(write)
    asked = " ".join([write(first), *(f"{sign} {write(number)}" for sign, number in steps)])
    code = " ".join([str(first), *(f"{STEPS[sign]} {number}" for sign, number in steps)])
    wanted = int(eval(code))  # noqa: S307 - digits and signs of this test
    found = exact_answer(frame.format(asked))
    if abs(wanted) > LARGEST:
        assert found == ""
    else:
        assert found.endswith(f" is {cardinal(wanted)}.")


@settings(deadline=None)
@given(a=NUMBERS, b=st.integers(1, 99))
def test_quotients_have_their_rest(a: int, b: int) -> None:
    rest = f", with {cardinal(a % b)} left" if a % b else ""
    found = exact_answer(f"What is {a} divided by {b}?")
    assert found.endswith(f" is {cardinal(a // b)}{rest}.")


@settings(deadline=None)
@given(st.text(max_size=60))
def test_no_text_is_too_strange(text: str) -> None:
    assert isinstance(exact_answer(text), str)


@settings(deadline=None)
@given(
    st.lists(
        st.sampled_from("what is 3 4 12 half of to and two the after monday plus a".split()),
        max_size=12,
    )
)
def test_any_order_of_known_words_is_answered_or_left(words: list[str]) -> None:
    assert exact_answer(" ".join(words)) == exact_answer(" ".join(words).upper())


@pytest.mark.parametrize("number", [*range(120), 200, 345, 999, 1_000, 12_345, 999_999])
def test_number_words_become_values(number: int) -> None:
    assert tokens(f"Well, {cardinal(number)}!") == ("well", number)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("seven eight", (7, 8)),
        ("one hundred and five", (105,)),
        ("a hundred", (100,)),
        ("2 hundred", (200,)),
        ("two point five", (Fraction(5, 2),)),
        ("twenty third", (Nth(23),)),
        ("the 3rd", ("the", Nth(3))),
        ("3:30", (Clock(210),)),
        ("What's 6\N{MULTIPLICATION SIGN}9?", ("what", 6, "*", 9)),
        ("it\N{RIGHT SINGLE QUOTATION MARK}s forty-seven", ("it", 47)),
    ],
)
def test_tokens(text: str, wanted: tuple[Token, ...]) -> None:
    assert tokens(text) == wanted


@pytest.mark.parametrize("number", range(1, 32))
def test_ordinals(number: int) -> None:
    assert tokens(ordinal(number)) == (Nth(number),)


def test_long_decimals_are_not_said() -> None:
    assert spoken(Fraction(1, 3)) == ""
    assert exact_answer("What's one divided by three point five?") == ""


def test_it_never_answers_a_written_question_wrongly() -> None:
    lines = [json.loads(line) for line in (FOLDER / "sums.jsonl").read_text().splitlines()]
    answered = 0
    for line in lines:
        if found := exact_answer(line["say"]):
            answered += 1
            assert holds(plain(found), cardinal(line["answer"])), (line["say"], found)
    assert answered > len(lines) * 0.6


def test_it_answers_little_of_what_is_no_exact_question() -> None:
    turns = [said for one in conversations.read([EXCHANGES]) for said, _ in one.turns]
    answered = [said for said in turns if exact_answer(said)]
    assert 0 < len(answered) < 0.01 * len(turns)
