"""The split: training uses no held-out question, and held-out questions have trained parts."""

import pytest

from workers.models.speech_to_speech.vocabulary import Vocabulary
from workers.training.questions import spanish
from workers.training.questions.catalogue import (
    FAMILIES,
    LEADS,
    Split,
    all_reply_texts,
    language_of,
    questions,
    vocabulary_words,
    words,
)
from workers.training.questions.question_families import Language

TRAIN = list(questions(Split.TRAIN))
PHRASING = list(questions(Split.PHRASING))
COMBINATION = list(questions(Split.COMBINATION))
BOTH = pytest.mark.parametrize("language", list(Language))


def test_there_are_enough_intents() -> None:
    assert len({q.intent for q in TRAIN}) >= 3500
    assert len({q.intent for q in COMBINATION}) >= 500
    assert len({q.intent for q in TRAIN if q.family == "repeat"}) >= 1000


def test_every_family_has_held_out_phrasings() -> None:
    for family in FAMILIES + spanish.SPANISH:
        assert any(form.unseen for form in family.forms), family.name


@BOTH
def test_training_has_no_held_out_question(language: Language) -> None:
    trained = {q.text for q in questions(Split.TRAIN, language)}
    assert not trained & {q.text for q in questions(Split.PHRASING, language)}
    assert not trained & {q.text for q in questions(Split.COMBINATION, language)}


@BOTH
def test_a_lead_word_never_turns_a_trained_question_into_a_held_out_one(language: Language) -> None:
    kept = questions(Split.PHRASING, language) + questions(Split.COMBINATION, language)
    held_out = {" ".join(words(q.text)) for q in kept}
    leads = LEADS if language is Language.ENGLISH else spanish.LEADS
    for question in questions(Split.TRAIN, language):
        for lead in ("", *leads):
            assert " ".join(words(f"{lead} {question.text}")) not in held_out


def test_trained_and_held_out_phrasings_differ() -> None:
    assert not {q.phrasing_id for q in TRAIN} & {q.phrasing_id for q in PHRASING}


def test_held_out_combinations_share_neither_intent_nor_reply_with_training() -> None:
    assert not {q.intent for q in TRAIN} & {q.intent for q in COMBINATION}
    # Callers compare two numbers in two orders, and guess a capital right or wrong.
    same = {"bigger", "is bigger", "is it the capital"}
    assert not {q.reply for q in TRAIN} & {q.reply for q in COMBINATION if q.family not in same}


def test_held_out_combinations_consist_of_trained_words() -> None:
    # A word to repeat or spell is itself a combination, of its sounds.
    open_words = {"repeat", "spelling"}
    composed = [q for q in COMBINATION if q.family not in open_words]
    trained = {word for q in TRAIN for word in words(q.text)}
    assert {word for q in composed for word in words(q.text)} <= trained
    said = {word for q in TRAIN for word in words(q.reply)}
    assert {word for q in composed for word in words(q.reply)} <= said


def test_repeated_words_are_spelled_by_letters() -> None:
    known = set(vocabulary_words())
    said = {q.slots[0] for q in TRAIN if q.family == "repeat"}
    assert len(said - known) > 900


def test_spanish_has_enough_questions_and_its_own_split() -> None:
    trained = questions(Split.TRAIN, Language.SPANISH)
    kept = questions(Split.COMBINATION, Language.SPANISH)
    assert len({q.intent for q in trained}) >= 100
    assert len({q.intent for q in kept}) >= 10
    assert not {q.reply for q in trained} & {q.reply for q in kept}
    assert {w for q in kept for w in words(q.reply)} <= {w for q in trained for w in words(q.reply)}
    assert {q.language for q in trained} == {Language.SPANISH}


def test_a_reply_has_one_language() -> None:
    both = [{*all_reply_texts(language)} for language in Language]
    assert not both[0] & both[1]
    for language in Language:
        assert {language_of(text) for text in all_reply_texts(language)} == {language}


def test_a_word_keeps_its_accents() -> None:
    assert words("¿Cuánto suman años y ÓSCAR's?") == ["cuánto", "suman", "años", "y", "óscar's"]


def test_equal_texts_have_equal_replies() -> None:
    replies: dict[str, str] = {}
    foreign = [q for split in Split for q in questions(split, Language.SPANISH)]
    for question in TRAIN + PHRASING + COMBINATION + foreign:
        assert replies.setdefault(question.text, question.reply) == question.reply


def test_slots_occur_in_the_reply() -> None:
    for question in TRAIN + COMBINATION:
        assert set(question.slots) <= set(words(question.reply))
        assert question.slots


def test_the_vocabulary_covers_every_reply() -> None:
    vocabulary = Vocabulary(vocabulary_words())
    for text in (text for language in Language for text in all_reply_texts(language)):
        tokens = [token for word in words(text) for token in vocabulary.encode(word)]
        assert words(vocabulary.text(tokens)) == words(text)
    assert len(vocabulary) < 1000  # each word costs 1.3 kB of weights


def test_spanish_words_come_after_the_english_ones_whose_numbers_stay() -> None:
    every = vocabulary_words()
    ends = [i for i in range(1, len(every)) if every[i] < every[i - 1]]
    assert len(ends) == 1  # two sorted runs
    english, added = every[: ends[0]], every[ends[0] :]
    said = {word for text in all_reply_texts() for word in words(text)}
    spoken = {word for text in all_reply_texts(Language.SPANISH) for word in words(text)}
    assert set(english) <= said
    assert set(added) == spoken - set(english)
    assert {"adiós", "más", "repita"} <= set(added)
