"""The evaluation's written questions, and when an answer is accepted."""

import pytest

from workers.evaluation.talk.asked_in_training import KNOWN, asked_in_training, sorted_out
from workers.evaluation.talk.cases import Case, plain, written_cases
from workers.evaluation.talk.families import family_cases
from workers.evaluation.talk.rows import ROWS


def case(must: tuple[tuple[str, ...], ...] = (), must_not: tuple[str, ...] = ()) -> Case:
    return Case("a", "open", "t", ("Why?",), must, must_not, most_words=10)


@pytest.mark.parametrize(
    ("answer", "accepted"),
    [
        ("It is eighty-five.", True),
        ("It's 85!", True),
        ("It is eighty five, I think.", True),
        ("It is eighty-six.", False),
        ("It is one hundred eighty-fives.", False),
        ("", False),
        ("Sorry, I don't know eighty-five.", False),
        ("Eighty-five is a number that goes on and on and on and on.", False),
    ],
)
def test_an_answer_is_judged_by_its_words(answer: str, accepted: bool) -> None:
    wanted = case((("eighty-five", "four score"),), ("i don't know",))
    assert wanted.accepts(answer) is accepted


def test_text_is_compared_as_plain_words() -> None:
    assert plain("It\N{RIGHT SINGLE QUOTATION MARK}s 21,  C-A-T!") == "it's twenty one c a t"


def test_there_are_the_questions_that_the_report_speaks_of() -> None:
    cases = sorted_out(written_cases())
    kinds = [one.kind for one in cases]
    assert kinds.count("open") + kinds.count(KNOWN) == 200
    assert kinds.count("open") >= 130
    assert kinds.count("memory") == 60
    assert kinds.count("sum") == 120
    assert len({one.topic for one in cases if one.kind == "open"}) >= 40
    assert len({one.name for one in cases}) == len(cases)


def test_open_questions_are_in_no_training() -> None:
    for one in sorted_out(written_cases()):
        if one.kind == "open":
            assert not asked_in_training(one.say[0]), one.say[0]
    assert asked_in_training("Tell me a joke!")


def test_families_ask_for_what_their_replies_add() -> None:
    cases = family_cases(2, ("plus",)) or family_cases(2)
    assert cases
    assert all(one.must for one in cases)
    for one in cases:
        asked = set(plain(one.say[0]).split())
        assert not any(word in asked for group in one.must for word in group)


def test_every_row_has_cases_and_keeps_a_share() -> None:
    cases = [*sorted_out(written_cases()), *family_cases(1)]
    for row in ROWS:
        picked = row.picked(cases)
        assert picked, row.name
        assert len(picked) <= len(cases)
        assert len({one.name for one in picked}) == len(picked)
