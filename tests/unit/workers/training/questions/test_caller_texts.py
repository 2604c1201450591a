"""What callers say in training: trained questions and other texts."""

import random
from collections import Counter

import pytest

from workers.training.questions import caller_texts, follow_ups, spanish
from workers.training.questions.caller_texts import CallerTextSampler
from workers.training.questions.catalogue import (
    FAMILIES,
    Split,
    all_reply_texts,
    is_held_out_text,
    questions,
    words,
)
from workers.training.questions.question_families import Language
from workers.training.questions.small_talk import NO_REPLY, UNKNOWN_REPLY

TRAINED = {q.text for q in questions(Split.TRAIN)}
KEPT = {" ".join(words(q.text)) for s in (Split.PHRASING, Split.COMBINATION) for q in questions(s)}


def test_held_out_questions_are_never_drawn() -> None:
    sampler = CallerTextSampler(random.Random(1))
    said = [sampler() for _ in range(6000)]
    assert not {" ".join(words(one.text)) for one in said} & KEPT
    assert sum(one.text in TRAINED for one in said) > 2500


def test_texts_that_are_no_question_have_their_own_replies() -> None:
    sampler = CallerTextSampler(random.Random(2))
    said = [sampler() for _ in range(6000)]
    replies = Counter(one.question.reply for one in said if not one.shuffled)
    assert replies[NO_REPLY] == pytest.approx(6000 * caller_texts.NOISE, rel=0.4)
    assert replies[UNKNOWN_REPLY] == pytest.approx(
        6000 * (caller_texts.OTHER_SPEECH + caller_texts.FRAGMENT), rel=0.4
    )
    unfinished = [one for one in said if one.unfinished]
    assert len(unfinished) == pytest.approx(6000 * caller_texts.FRAGMENT, rel=0.4)
    assert {one.question.reply for one in unfinished} == {UNKNOWN_REPLY}
    assert all((one.text == "") == (one.question.reply == NO_REPLY) for one in said)
    cold = [one for one in said if one.question.reply == follow_ups.NO_CONTEXT_REPLY]
    assert {one.is_follow_up for one in cold} == {True, False}
    assert {one.text for one in cold} <= set(follow_ups.follow_up_texts())


@pytest.mark.parametrize("language", Language)
def test_some_texts_are_shuffled_words(language: Language) -> None:
    sampler = CallerTextSampler(random.Random(12), language=language)
    shuffled = [one.text for one in (sampler() for _ in range(4000)) if one.shuffled]
    assert len(shuffled) == pytest.approx(4000 * caller_texts.SHUFFLED, rel=0.3)
    texts = {" ".join(words(q.text)) for q in questions(Split.TRAIN, language)}
    known = {word for text in texts for word in text.split()}
    assert {word for text in shuffled for word in text.split()} <= known
    assert len(set(shuffled) - texts) > 0.8 * len(set(shuffled))
    assert not any(is_held_out_text(text, language) for text in shuffled)


def test_families_are_drawn_by_their_weights() -> None:
    sampler = CallerTextSampler(random.Random(3))
    asked = Counter(sampler.question().family for _ in range(20_000))
    total = sum(family.weight for family in FAMILIES)
    assert set(asked) == {family.name for family in FAMILIES}
    for name in ("sum", "repeat", "capital"):
        weight = next(family.weight for family in FAMILIES if family.name == name)
        assert asked[name] / 20_000 == pytest.approx(weight / total, rel=0.2)


def test_spanish_texts_are_trained_questions_or_get_spanish_replies() -> None:
    trained = {q.text for q in questions(Split.TRAIN, Language.SPANISH)}
    kept = {
        " ".join(words(q.text))
        for split in (Split.PHRASING, Split.COMBINATION)
        for q in questions(split, Language.SPANISH)
    }
    sampler = CallerTextSampler(random.Random(5), (), Language.SPANISH)
    said = [sampler() for _ in range(4000)]
    assert not {" ".join(words(one.text)) for one in said} & kept
    assert {one.question.language for one in said} == {Language.SPANISH}
    unknown = [
        one for one in said if one.question.reply == spanish.UNKNOWN_REPLY and not one.shuffled
    ]
    assert len(unknown) == pytest.approx(
        4000 * (caller_texts.OTHER_SPEECH + caller_texts.FRAGMENT), rel=0.4
    )
    assert not {one.text for one in unknown} & trained
    cold = {one.text for one in said if one.question.reply == spanish.NO_CONTEXT_REPLY}
    assert cold == set(spanish.AGAIN)
    allowed = set(all_reply_texts(Language.SPANISH)) | {NO_REPLY}
    assert {one.question.reply for one in said} <= allowed


def test_one_text_in_twelve_is_spanish() -> None:
    sampler = caller_texts.caller_text_source(random.Random(6))
    foreign = sum(sampler().question.language is Language.SPANISH for _ in range(5000))
    assert foreign / 5000 == pytest.approx(caller_texts.SPANISH, rel=0.2)
    assert set(caller_texts.samplers(random.Random(0), ("hello",))) == {Language.ENGLISH}


def test_only_the_named_families_are_drawn() -> None:
    sampler = CallerTextSampler(random.Random(4), ("capital", "hello"))
    assert {sampler.question().family for _ in range(200)} == {"capital", "hello"}
    with pytest.raises(ValueError, match="names of families"):
        CallerTextSampler(random.Random(4), ("no such",))


@pytest.mark.parametrize(("language", "name"), [("en", "hello"), ("es", "es hello")])
def test_a_false_start_never_makes_a_held_out_question(language: str, name: str) -> None:
    sampler = CallerTextSampler(random.Random(7), (name,), Language(language))
    said = {" ".join(words(sampler().text)) for _ in range(6000)}
    kept = questions(Split.PHRASING, Language(language))
    assert not said & {" ".join(words(q.text)) for q in kept if q.family == name}
