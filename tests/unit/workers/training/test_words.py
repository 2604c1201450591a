"""The listener's texts: broad, and without the words kept for the evaluation."""

import random

from workers.training import dialogue, words
from workers.training.dialogue import Split, questions


def test_training_never_speaks_a_held_out_word() -> None:
    rng = random.Random(1)
    said = {word for _ in range(2000) for word in dialogue.words(words.broad_text(rng))}
    assert len(said) > 1500
    held_out = set(words.unheard_words())
    assert len(held_out) > 300
    assert not said & held_out


def test_training_never_speaks_a_held_out_phrasing_or_combination() -> None:
    rng = random.Random(2)
    said = {words.broad_text(rng) for _ in range(3000)}
    kept = {q.text for split in (Split.PHRASING, Split.COMBINATION) for q in questions(split)}
    assert not said & kept


def test_numbers_are_spelled() -> None:
    assert [words.spoken_number(n) for n in (0, 7, 13, 40, 58, 100, 342)] == [
        "zero",
        "seven",
        "thirteen",
        "forty",
        "fifty eight",
        "one hundred",
        "three hundred and forty two",
    ]


def test_symbols_leave_out_punctuation_and_stress() -> None:
    spelled = "".join(words.CHARACTERS[c - 1] for c in words.characters("Who's there, Ann?"))
    assert spelled == "who's there ann"
    assert [words.PHONES[p - 1] for p in words.phones("a cat!")] == ["AH", "K", "AE", "T"]
    assert max(words.characters("zzz")) < 29
