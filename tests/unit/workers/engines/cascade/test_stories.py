"""Stories with two numbers, rows of numbers and missing numbers are computed."""

import pytest

from workers.engines.cascade.exact import computed, exact_answer


@pytest.mark.parametrize(
    ("said", "result"),
    [
        ("If I've got ten plums and eat three, how many are left?", "seven"),
        ("I had thirty euros and spent eleven. What's left?", "nineteen"),
        ("How much do I have left from sixty dollars if I spend fifteen?", "forty-five"),
        ("Six boxes with three cups each, how many cups is that?", "eighteen"),
        ("If one ticket costs seven dollars, how much are four tickets?", "twenty-eight"),
        ("A pen costs two pounds. What do nine pens cost?", "eighteen"),
        ("I walk four miles a day. How many do I walk in a week?", "twenty-eight"),
        ("Share eighteen nuts among three children. How many does each get?", "six"),
        ("I have ten pears for five guests. How many for each guest?", "two"),
        ("Eva is nine and Max is two years younger. How old is Max?", "seven"),
        ("I'm twenty now. How old will I be in six years?", "twenty-six"),
        ("She has six red and eight green beads. How many altogether?", "fourteen"),
        ("Tom finds four shells and two more. How many does he have now?", "six"),
    ],
)
def test_a_story_is_solved(said: str, result: str) -> None:
    assert computed(said).endswith(f" is {result}.")


def test_a_story_may_be_told_in_the_turn_before() -> None:
    told = ["Ada has 12 pins and loses five."]
    assert exact_answer("How many does she still have?", told) == "Twelve minus five is seven."


@pytest.mark.parametrize(
    "said",
    [
        "I had two dogs and four cats, why?",
        "There are two parks here, and I live near one of them. How many people live here?",
        "I have four kids and two of them are at school.",
        "Tom is ten and Ben is two years older. How old is Tom?",
        "How many legs do five dogs have?",
        "What do you say for two, when one is a day?",
        "I bought a shirt for twelve dollars and paid with twenty. What's the change each day?",
    ],
)
def test_other_stories_are_the_models(said: str) -> None:
    assert computed(said) == ""


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("Add up five, ten and fifteen.", "Five plus ten plus fifteen is thirty."),
        ("What comes next, three, six, nine?", "The next number is twelve."),
        ("What's the next number: 2, 4, 8?", "The next number is sixteen."),
        ("What's the biggest of three, nine and five?", "Nine is the biggest."),
        ("What do three nines make?", "Three times nine is twenty-seven."),
        ("Seventeen plus what makes twenty?", "Seventeen plus three is twenty."),
        ("What do I add to eight to get fifteen?", "Eight plus seven is fifteen."),
        ("What must I take from ten to get four?", "Ten minus six is four."),
        ("What minus three is seven?", "Ten minus three is seven."),
        ("Six times what is thirty?", "Six times five is thirty."),
        ("What is the total of eighteen and four?", "Eighteen plus four is twenty-two."),
        ("What number is four bigger than nine?", "Four plus nine is thirteen."),
        ("What lies between Tuesday and Thursday?",
         "The day between Tuesday and Thursday is Wednesday."),
        ("How many days are left in the week after Friday?",
         "Two days are left after Friday: Saturday, Sunday."),
        ("How many months have thirty-one days?", "Seven months have thirty-one days."),
        ("What's the last month of the year?", "The twelfth month of the year is December."),
        ("How many vowels are in window?", "Window has two vowels: I, O."),
        ("The film starts at eight and lasts two hours. When does it end?",
         "Two hours after eight o'clock is ten o'clock."),
        ("How many minutes are a quarter of an hour?", "A quarter of an hour is fifteen minutes."),
    ],
)  # fmt: skip
def test_rows_gaps_and_spans(said: str, answer: str) -> None:
    assert computed(said) == answer
