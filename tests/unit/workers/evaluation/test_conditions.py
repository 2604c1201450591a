"""The evaluation's rows: enough questions of every family, and held-out ones where stated."""

from collections import Counter

import pytest

from workers.evaluation.conditions import CLEAN, SPOKEN, Condition, chosen, named
from workers.training.questions.catalogue import FAMILIES, Split, questions

TRAINED = {question.text for question in questions(Split.TRAIN)}


def test_rows_of_trained_engines_ask_every_family_at_least_six_times() -> None:
    asked = Counter(q.family for row in SPOKEN if row.known for q in chosen(row, 1.0))
    assert set(asked) == {family.name for family in FAMILIES}
    assert min(asked.values()) >= 6


@pytest.mark.parametrize("condition", SPOKEN, ids=lambda row: row.name)
def test_held_out_rows_ask_no_trained_question(condition: Condition) -> None:
    assert len(chosen(condition, 0.1)) < len(chosen(condition, 1.0)) / 5
    if condition.split is not Split.TRAIN or condition.no_question:
        assert not {question.text for question in chosen(condition, 1.0)} & TRAINED


def test_noisy_rows_ask_questions_that_a_quiet_row_asks_too() -> None:
    clean = {question.text for question in chosen(named(CLEAN), 1.0)}
    noisy = [row for row in SPOKEN if row.noise_db is not None or row.room]
    assert {row.noise_db for row in noisy} == {20.0, 10.0, 5.0, None}
    for row in noisy:
        assert row.voices == named(CLEAN).voices
        assert {question.text for question in chosen(row, 1.0)} <= clean


def test_a_share_of_the_questions_is_nearly_the_same_with_and_without_noise() -> None:
    clean = {question.text for question in chosen(named(CLEAN), 0.3)}
    for row in SPOKEN:
        if row.noise_db is not None or row.room:
            own = {question.text for question in chosen(row, 0.3)}
            assert len(own & clean) > 0.85 * len(own)


def test_a_row_is_the_same_every_time() -> None:
    before = chosen(SPOKEN[0], 0.2)
    chosen.cache_clear()
    assert chosen(SPOKEN[0], 0.2) == before
