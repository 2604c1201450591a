"""The split: nothing held out is trained, and what is held out is made of trained parts."""

from workers.training.dialogue import (
    LEADS,
    Split,
    all_reply_texts,
    questions,
    reply_texts,
    vocabulary_words,
    words,
)

TRAIN = list(questions(Split.TRAIN))
PHRASING = list(questions(Split.PHRASING))
COMBINATION = list(questions(Split.COMBINATION))


def test_there_are_enough_intents() -> None:
    assert len({q.intent for q in TRAIN}) >= 200
    assert len({q.intent for q in COMBINATION}) >= 20


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
    compositional = {q.reply for q in COMBINATION if q.family != "bigger"}
    assert not {q.reply for q in TRAIN} & compositional


def test_held_out_combinations_are_made_of_trained_words() -> None:
    trained = {word for q in TRAIN for word in words(q.text)}
    assert {word for q in COMBINATION for word in words(q.text)} <= trained
    said = {word for q in TRAIN for word in words(q.reply)}
    assert {word for q in COMBINATION for word in words(q.reply)} <= said


def test_one_text_has_one_reply() -> None:
    replies: dict[str, str] = {}
    for question in TRAIN + PHRASING + COMBINATION:
        assert replies.setdefault(question.text, question.reply) == question.reply


def test_slots_are_words_of_the_reply() -> None:
    for question in TRAIN + COMBINATION:
        assert set(question.slots) <= set(words(question.reply))
        assert question.slots


def test_vocabulary_covers_every_reply() -> None:
    known = set(vocabulary_words())
    for text in all_reply_texts():
        assert set(words(text)) <= known
    assert len(reply_texts()) >= 200
