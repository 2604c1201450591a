"""The judge's choices: the answers that are easiest to take for the right one."""

from workers.training.dialogue import words
from workers.training.judge import CHOICES, likest


def test_the_choices_are_the_answers_with_the_most_words_in_common() -> None:
    found = likest("three plus four is seven.")
    assert found[0] == "three plus four is seven."
    assert len(found) == len(set(found)) == CHOICES + 1
    assert {"three plus five is eight.", "four plus four is eight."} <= set(found)
    shared = [len(set(words(text)) & {"three", "plus", "four", "is", "seven"}) for text in found]
    assert min(shared) >= 2
