"""The split: nothing held out is trained, and what is held out is made of trained parts."""

from workers.models.vocabulary import Vocabulary
from workers.training.dialogue import (
    FAMILIES,
    LEADS,
    Split,
    all_reply_texts,
    questions,
    vocabulary_words,
    words,
)

TRAIN = list(questions(Split.TRAIN))
PHRASING = list(questions(Split.PHRASING))
COMBINATION = list(questions(Split.COMBINATION))


def test_there_are_enough_intents() -> None:
    assert len({q.intent for q in TRAIN}) >= 4000
    assert len({q.intent for q in COMBINATION}) >= 500
    assert len({q.intent for q in TRAIN if q.family == "repeat"}) >= 1000


def test_every_family_has_phrasings_that_are_never_trained() -> None:
    for family in FAMILIES:
        assert any(form.unseen for form in family.forms), family.name


def test_no_held_out_question_is_trained() -> None:
    trained = {q.text for q in TRAIN}
    assert not trained & {q.text for q in PHRASING}
    assert not trained & {q.text for q in COMBINATION}


def test_a_lead_word_makes_no_trained_question_a_held_out_one() -> None:
    held_out = {" ".join(words(q.text)) for q in PHRASING + COMBINATION}
    for question in TRAIN:
        for lead in ("", *LEADS):
            assert " ".join(words(f"{lead} {question.text}")) not in held_out


def test_phrasings_are_apart() -> None:
    assert not {q.phrasing_id for q in TRAIN} & {q.phrasing_id for q in PHRASING}


def test_held_out_combinations_share_no_intent_and_no_reply_with_training() -> None:
    assert not {q.intent for q in TRAIN} & {q.intent for q in COMBINATION}
    # Two numbers can be compared in two orders, a capital be guessed right and wrong.
    same = {"bigger", "is bigger", "is it the capital"}
    assert not {q.reply for q in TRAIN} & {q.reply for q in COMBINATION if q.family not in same}


def test_held_out_combinations_are_made_of_trained_words() -> None:
    # A word to be said or spelled is itself the combination, of its sounds.
    open_words = {"repeat", "spelling"}
    composed = [q for q in COMBINATION if q.family not in open_words]
    trained = {word for q in TRAIN for word in words(q.text)}
    assert {word for q in composed for word in words(q.text)} <= trained
    said = {word for q in TRAIN for word in words(q.reply)}
    assert {word for q in composed for word in words(q.reply)} <= said


def test_what_is_said_after_the_caller_is_spelled() -> None:
    known = set(vocabulary_words())
    said = {q.slots[0] for q in TRAIN if q.family == "repeat"}
    assert len(said - known) > 900


def test_one_text_has_one_reply() -> None:
    replies: dict[str, str] = {}
    for question in TRAIN + PHRASING + COMBINATION:
        assert replies.setdefault(question.text, question.reply) == question.reply


def test_slots_are_words_of_the_reply() -> None:
    for question in TRAIN + COMBINATION:
        assert set(question.slots) <= set(words(question.reply))
        assert question.slots


def test_vocabulary_covers_every_reply() -> None:
    vocabulary = Vocabulary(vocabulary_words())
    for text in all_reply_texts():
        tokens = [token for word in words(text) for token in vocabulary.encode(word)]
        assert words(vocabulary.text(tokens)) == words(text)
    assert len(vocabulary) < 900  # each word costs 1.3 kB of weights
