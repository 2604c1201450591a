"""The listener's texts: broad, and without the evaluation's words."""

import random

from workers.training.questions import catalogue, listener_texts
from workers.training.questions.catalogue import Split, questions


def test_training_never_speaks_a_held_out_word() -> None:
    rng = random.Random(1)
    said = {word for _ in range(2000) for word in catalogue.words(listener_texts.broad_text(rng))}
    assert len(said) > 1500
    held_out = set(listener_texts.untrained_words())
    assert len(held_out) > 300
    assert not said & held_out


def test_training_never_speaks_a_held_out_phrasing_or_combination() -> None:
    rng = random.Random(2)
    said = {listener_texts.broad_text(rng) for _ in range(3000)}
    kept = {q.text for split in (Split.PHRASING, Split.COMBINATION) for q in questions(split)}
    assert not said & kept


def test_some_texts_are_disfluent_and_hesitations_have_phones() -> None:
    rng = random.Random(3)
    said = [listener_texts.broad_text(rng) for _ in range(800)]
    disfluent = [text for text in said if "," in text]
    assert len(disfluent) > 50
    for hesitation in listener_texts.HESITATIONS:
        assert listener_texts.phones(hesitation)


def test_a_false_start_keeps_the_whole_text() -> None:
    rng = random.Random(4)
    for _ in range(50):
        disfluent = catalogue.words(listener_texts.with_disfluency("what is the time", rng))
        rest = iter(disfluent)
        assert all(word in rest for word in ("what", "is", "the", "time"))
        assert len(disfluent) > 4


def test_classes_have_neither_punctuation_nor_stress() -> None:
    spelled = "".join(
        listener_texts.CHARACTERS[c - 1] for c in listener_texts.characters("Who's there, Ann?")
    )
    assert spelled == "who's there ann"
    assert [listener_texts.PHONES[p - 1] for p in listener_texts.phones("a cat!")] == [
        "AH",
        "K",
        "AE",
        "T",
    ]
    assert max(listener_texts.characters("zzz")) < 29
