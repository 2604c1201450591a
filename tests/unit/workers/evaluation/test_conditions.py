"""What the evaluation asks: enough of every family, nothing that was trained where it says so."""

from collections import Counter

import pytest

from workers.evaluation.conditions import CLEAN, SPOKEN, Condition, chosen, named
from workers.training.questions.catalogue import FAMILIES, Split, questions

TRAINED = {question.text for question in questions(Split.TRAIN)}


def test_every_family_is_asked_at_least_six_times_on_known_engines() -> None:
    asked = Counter(q.family for row in SPOKEN if row.known for q in chosen(row, 1.0))
    assert set(asked) == {family.name for family in FAMILIES}
    assert min(asked.values()) >= 6


@pytest.mark.parametrize("condition", SPOKEN, ids=lambda row: row.name)
def test_what_was_never_trained_is_not(condition: Condition) -> None:
    assert len(chosen(condition, 0.1)) < len(chosen(condition, 1.0)) / 5
    if condition.split is not Split.TRAIN or condition.no_question:
        assert not {question.text for question in chosen(condition, 1.0)} & TRAINED


def test_noise_is_put_under_questions_that_are_asked_in_quiet_too() -> None:
    clean = {question.text for question in chosen(named(CLEAN), 1.0)}
    noisy = [row for row in SPOKEN if row.noise_db is not None or row.room]
    assert {row.noise_db for row in noisy} == {20.0, 10.0, 5.0, None}
    for row in noisy:
        assert row.voices == named(CLEAN).voices
        assert {question.text for question in chosen(row, 1.0)} <= clean


def test_a_share_of_the_questions_is_nearly_the_same_with_noise_and_without() -> None:
    clean = {question.text for question in chosen(named(CLEAN), 0.3)}
    for row in SPOKEN:
        if row.noise_db is not None or row.room:
            own = {question.text for question in chosen(row, 0.3)}
            assert len(own & clean) > 0.85 * len(own)


def test_a_row_is_the_same_every_time() -> None:
    before = chosen(SPOKEN[0], 0.2)
    chosen.cache_clear()
    assert chosen(SPOKEN[0], 0.2) == before
