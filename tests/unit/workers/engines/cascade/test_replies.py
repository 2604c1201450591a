"""Where a reply states an equation, its result follows."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workers.engines.cascade.exact.replies import forced
from workers.models.text_to_speech.number_words import cardinal

SIGNS = {"plus": int.__add__, "minus": int.__sub__, "times": int.__mul__}
NUMBERS = st.integers(0, 200)


@settings(deadline=None)
@given(
    a=NUMBERS,
    b=NUMBERS,
    sign=st.sampled_from(sorted(SIGNS)),
    verb=st.sampled_from(("is", "equals", "makes")),
    before=st.sampled_from(("", "Let me see. ", "Well, ", "So we get ")),
    cut=st.integers(0, 40),
)
def test_the_result_follows_at_every_point(
    a: int, b: int, sign: str, verb: str, before: str, cut: int
) -> None:
    reply = f"{before}{cardinal(a)} {sign} {cardinal(b)} {verb}"
    result = " " + cardinal(SIGNS[sign](a, b))
    assert forced(reply) == result
    assert forced(reply + result[:cut]) == result[cut:]


@pytest.mark.parametrize(
    "reply",
    [
        "",
        "The sky is",
        "It is two plus two",
        "Sixty-one minus fifty-four is seven",
        "Sixty-one minus fifty-four is about",  # the model has gone another way
        "Sixty-one minus fifty-four is seven. The sky is",
        "The best of two is",
        "One plus one is two, and the moon is",
        "An apple a day is",
        "Nothing divided by zero is",
    ],
)
def test_nothing_else_is_forced(reply: str) -> None:
    assert forced(reply) == ""


def test_a_second_equation_is_forced_too() -> None:
    assert forced("Two plus two is four, and four plus three is") == " seven"
