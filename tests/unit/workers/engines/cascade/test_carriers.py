"""Sums, days and words among other words: computed in any sentence, and never in open talk."""

import pytest

from workers.engines.cascade.exact import exact_answer


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("Quick maths: ninety minus 76.", "Ninety minus seventy-six is fourteen."),
        ("My boss wants to see 31 plus 16 on paper.", "Thirty-one plus sixteen is forty-seven."),
        ("I've been to 18 plus 68 please.", "Eighteen plus sixty-eight is eighty-six."),
        ("Nine and eight, what does that come to?", "Nine plus eight is seventeen."),
        ("Ten take four.", "Ten minus four is six."),
        ("Is Sunday part of the weekend?", "Yes, Sunday is a weekend day."),
        ("Give me six times seven, quickly.", "Six times seven is forty-two."),
        ("Knock nine off forty.", "Forty minus nine is thirty-one."),
        ("Five pears plus six pears makes how many pears?", "Five plus six is eleven."),
        ("Count down for me, starting at three.", "Three, two, one."),
        ("What comes right after Monday in the week?", "The day after Monday is Tuesday."),
        ("The number of minutes in an hour?", "One hour is sixty minutes."),
        ("Is Tuesday a weekday?", "Yes, Tuesday is a working day."),
        ("Do most people work on Saturday?", "No, Saturday is a weekend day."),
        ("After which month does October come?", "The month before October is September."),
        ("Before which day does Friday come?", "The day after Friday is Saturday."),
        ("It's Friday. What day is it in three days?", "Three days after Friday is Monday."),
        ("How many days are there in a year?",
         "A year has three hundred sixty-five days, or one more in a leap year."),
        ("What are the four seasons called?",
         "There are four seasons: spring, summer, autumn and winter."),
        ("Out of 16 and 12, which one is larger?", "Sixteen is bigger than twelve."),
        ("Please repeat the word mountain.", "Mountain."),
        ("Say after me: good night, moon.", "Good night, moon."),
        ("Could you say window for me?", "Window."),
    ],
)  # fmt: skip
def test_other_words_around_a_question_do_not_matter(words: str, answer: str) -> None:
    assert exact_answer(words) == answer


@pytest.mark.parametrize(
    "words",
    [
        "I rang five times two days ago.",
        "Why does two plus two equal four?",
        "It was minus ten in January and plus three in March.",
        "I was born in 1970 and my brother in 1975.",
        "Is that story called ten minus one?",
        "We need two plus one tickets for the 3 of us.",
        "Can you say something funny?",
        "Say it again.",
        "Is the party on Saturday?",
        "What is an alphabet?",
        "Do I work on Monday?",
    ],
)
def test_open_talk_stays_the_models(words: str) -> None:
    assert exact_answer(words) == ""
