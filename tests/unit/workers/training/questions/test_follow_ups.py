"""Follow-ups: their answers build on the first answer, and training draws no held-out ones."""

import random

from workers.training.questions import follow_ups
from workers.training.questions.catalogue import Split, questions
from workers.training.questions.question_families import Language

BY_TEXT = {q.text: q for q in questions(Split.TRAIN)}


def test_a_follow_up_builds_on_the_result() -> None:
    found = dict(follow_ups.follow_ups_to(BY_TEXT["what is three plus three?"]))
    found |= dict(follow_ups.follow_ups_to(BY_TEXT["what is three plus three?"], held_out=True))
    assert found["and plus two?"] == "six plus two is eight."
    assert found["minus six"] == "six minus six is zero."
    assert "minus seven" not in found
    assert found["say that again"] == "three plus three is six."


def test_follow_ups_exist_for_days_months_and_names() -> None:
    days = dict(follow_ups.follow_ups_to(BY_TEXT["what is the day after sunday?"]))
    assert days["and the day after that?"] == "the day after monday is tuesday."
    months = dict(follow_ups.follow_ups_to(BY_TEXT["what is the month before january?"]))
    assert months["what comes after that?"] == "the month after december is january."
    capitals = dict(follow_ups.follow_ups_to(BY_TEXT["what is the capital of france?"]))
    assert capitals["what about italy?"] == "the capital of italy is rome."
    assert "what about hot?" not in capitals


def test_held_out_follow_ups_are_never_drawn() -> None:
    rng = random.Random(0)
    kept = {
        (q.result, *pair)
        for q in questions(Split.TRAIN)
        if q.result
        for pair in follow_ups.follow_ups_to(q, held_out=True)
    }
    assert len(kept) > 300
    firsts = rng.choices(questions(Split.TRAIN), k=4000)
    drawn = [(first, follow_ups.trained_follow_up(first, rng)) for first in firsts]
    assert not {(first.result, then.text, then.reply) for first, then in drawn} & kept


def test_a_spanish_follow_up_asks_for_the_answer_again() -> None:
    first = questions(Split.TRAIN, Language.SPANISH)[0]
    assert {reply for _, reply in follow_ups.follow_ups_to(first)} == {first.reply}
    assert "repita, por favor" in dict(follow_ups.follow_ups_to(first))
    assert follow_ups.trained_follow_up(first, random.Random(0)).language is Language.SPANISH
    assert not {text for text, _ in follow_ups.follow_ups_to(first)} & {
        q.text for split in Split for q in questions(split, Language.SPANISH)
    }


def test_follow_ups_are_not_first_questions() -> None:
    every = {q.text for split in Split for q in questions(split)}
    assert not every & set(follow_ups.follow_up_texts())
