"""The judge chooses among the answers that are most similar to the right one."""

import pytest

from workers.evaluation.judge import CHOICES, Judge, most_similar
from workers.training.questions.catalogue import all_reply_texts, words
from workers.training.questions.question_families import Language


def test_the_choices_are_the_answers_with_the_most_words_in_common() -> None:
    found = most_similar("three plus four is seven.")
    assert found[0] == "three plus four is seven."
    assert len(found) == len(set(found)) == CHOICES + 1
    assert {"three plus five is eight.", "four plus four is eight."} <= set(found)
    shared = [len(set(words(text)) & {"three", "plus", "four", "is", "seven"}) for text in found]
    assert min(shared) >= 2


def test_a_spanish_answer_competes_with_all_spanish_answers() -> None:
    found = most_similar("uno más dos son tres.")
    assert found[0] == "uno más dos son tres."
    assert set(found) == set(all_reply_texts(Language.SPANISH))


def test_the_dictionary_learns_spanish_words_by_their_sound(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sounds = {"más": ("M", "AA", "S"), "día": ("D", "IY", "AA")}
    monkeypatch.setattr(
        "workers.evaluation.judge.spanish_pronunciation.pronounced", sounds.__getitem__
    )
    judge = Judge(["más día.", "día."], Language.SPANISH)
    assert judge._decoder.lookup_word("zzmaqs") == "M AA S"
    assert judge._sentences == {"zzmaqs zzdiqa": "más día", "zzdiqa": "día"}
    with pytest.raises(ValueError, match=r"recogniser's dictionary, got \{'día'\}"):
        Judge(["día."])
