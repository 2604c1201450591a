"""Written text becomes the words to say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.models.text_to_speech.text_normalisation import is_spoken, spoken_forms


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("It costs $5 million.", "It costs five million dollars."),
        ("That is $3.50, or £1.", "That is three dollars and fifty cents, or one pound."),
        ("At 10:05 a.m. or 5pm.", "At ten oh five A.M. or five P.M.."),
        ("At 10:00 sharp.", "At ten o'clock sharp."),
        ("In 1969, the 1990s, '80s.", "In nineteen sixty-nine, the nineteen nineties, eighties."),
        ("The 21st of 103 days.", "The twenty-first of one hundred three days."),
        ("Run 5 km, or 1 km.", "Run five kilometers, or one kilometer."),
        ("It is 70°F and 6 ft tall.", "It is seventy degrees Fahrenheit and six feet tall."),
        ("About 50% of 1/2.", "About fifty percent of one half."),
        ("Dr. Smith vs. St. Paul on Main St.", "doctor Smith versus saint Paul on Main street"),
        ("Rock & roll, 2+2=4.", "Rock and roll, two plus two equals four."),
        ("10 - 3 = 7", "ten minus three equals seven"),
        ("Pages 5-10, well — yes.", "Pages five to ten, well, yes."),
        ("The BBC, HTML and NASA.", "The B.B.C., H.T.M.L. and NASA."),
        ("COVID-19 and MP3.", "COVID nineteen and M.P. three."),
        ("Write to a@b.com now.", "Write to a at b dot com now."),
        ("(Really) \"quoted,\" *bold* words", "Really quoted, bold words"),
        ("Don't stop, it’s five o'clock.", "Don't stop, it's five o'clock."),
        ("World War II, Henry VIII.", "World War two, Henry the eighth."),
        ("Call 555-1234.", "Call five five five, one two three four."),
        ("A mother-in-law's twenty-one cats!", "A mother-in-law's twenty-one cats!"),
    ],
)  # fmt: skip
def test_what_is_written_is_said(written: str, said: str) -> None:
    assert " ".join(filter(None, spoken_forms(written.split()))) == said


def test_every_written_word_keeps_its_place() -> None:
    assert spoken_forms("It was — 😀 $5 million.".split()) == [
        "It",
        "was,",
        "",
        "",
        "five",
        "million dollars.",
    ]


@given(st.text(max_size=60))
def test_any_text_has_one_form_a_word_and_no_digit_or_sign(text: str) -> None:
    words = text.split()
    forms = spoken_forms(words)
    assert len(forms) == len(words)
    for form in forms:
        assert not set(form) & set('0123456789$%&@#*+=<>[]{}|\\"')
        assert is_spoken(form) or form == ""


@given(
    st.lists(
        st.sampled_from("It costs $5 million - 3 km a.m. 10:30 Dr. St. May 4, 1/2 — U.S.".split()),
        max_size=9,
    )
)
def test_words_with_two_behind_them_do_not_change_as_the_sentence_grows(words: list[str]) -> None:
    whole = spoken_forms(words)
    for known in range(2, len(words)):
        assert spoken_forms(words[:known])[: known - 2] == whole[: known - 2]
