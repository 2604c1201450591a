"""What is spoken for training: only trained questions, rare words more often."""

from collections import Counter

from workers.training.dialogue import LEADS, Split, questions
from workers.training.renditions import (
    FEWEST,
    MOST,
    SHARDS,
    by_text,
    check_jobs,
    question_of,
    repeats,
    training_jobs,
)


def test_shards_hold_every_trained_question_and_no_other() -> None:
    asked = by_text()
    spoken = Counter(
        question_of(job.text, asked).text for n in range(SHARDS) for job in training_jobs(n)
    )
    # "okay," before "thank you" is a trained question of its own: only the sum is exact.
    assert spoken.total() == sum(times for _, times in repeats())
    assert set(spoken) == {question.text for question in questions(Split.TRAIN)}


def test_rare_words_are_spoken_more_often() -> None:
    times = {question.text: count for question, count in repeats()}
    assert times["what is the capital of france?"] == MOST
    assert times["what is three plus three?"] == FEWEST


def test_a_lead_does_not_hide_the_question() -> None:
    asked = by_text()
    for lead in LEADS:
        assert question_of(f"{lead} count to three", asked).intent == "count/three"


def test_checks_are_of_their_split() -> None:
    held_out = {question.text for question in questions(Split.COMBINATION)}
    assert {job.text for job in check_jobs("combination")} <= held_out
    trained = {question.text for question in questions(Split.TRAIN)}
    assert {job.text for job in check_jobs("rms")} <= trained
