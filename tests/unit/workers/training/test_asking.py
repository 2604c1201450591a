"""What callers say in training: trained questions, and what is none."""

import random
from collections import Counter

import pytest

from workers.training import asking, follow
from workers.training.asking import Asker
from workers.training.chat import NO_REPLY, UNKNOWN_REPLY
from workers.training.dialogue import FAMILIES, Split, questions, words

TRAINED = {q.text for q in questions(Split.TRAIN)}
KEPT = {" ".join(words(q.text)) for s in (Split.PHRASING, Split.COMBINATION) for q in questions(s)}


def test_no_question_that_is_held_out_is_ever_asked() -> None:
    ask = Asker(random.Random(1))
    said = [ask() for _ in range(6000)]
    assert not {" ".join(words(one.text)) for one in said} & KEPT
    assert sum(one.text in TRAINED for one in said) > 3000


def test_what_is_no_question_gets_its_own_answer() -> None:
    ask = Asker(random.Random(2))
    said = [ask() for _ in range(6000)]
    replies = Counter(one.question.reply for one in said)
    assert replies[NO_REPLY] == pytest.approx(6000 * asking.NOISE, rel=0.4)
    assert replies[UNKNOWN_REPLY] == pytest.approx(
        6000 * (asking.STRANGE + asking.FRAGMENT), rel=0.4
    )
    assert all((one.text == "") == (one.question.reply == NO_REPLY) for one in said)
    cold = [one for one in said if one.question.reply == follow.COLD_REPLY]
    assert {one.second for one in cold} == {True, False}
    assert {one.text for one in cold} <= set(follow.second_texts())


def test_families_are_asked_by_their_weights() -> None:
    ask = Asker(random.Random(3))
    asked = Counter(ask.question().family for _ in range(20_000))
    total = sum(family.weight for family in FAMILIES)
    assert set(asked) == {family.name for family in FAMILIES}
    for name in ("sum", "repeat", "capital"):
        weight = next(family.weight for family in FAMILIES if family.name == name)
        assert asked[name] / 20_000 == pytest.approx(weight / total, rel=0.2)


def test_some_families_alone() -> None:
    ask = Asker(random.Random(4), ("capital", "hello"))
    assert {ask.question().family for _ in range(200)} == {"capital", "hello"}
    with pytest.raises(ValueError, match="names of families"):
        Asker(random.Random(4), ("no such",))
