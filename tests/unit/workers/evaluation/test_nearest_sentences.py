"""Sentences by the words that they share."""

from workers.evaluation.nearest_sentences import SentenceIndex


def test_the_nearest_share_the_most_words_and_the_sentence_is_none_of_its_own() -> None:
    alike = SentenceIndex(
        ["two plus two is four", "two plus three is five", "hello", "is it four", "four"]
    )
    assert alike.nearest("two plus two is four", 2) == ["two plus three is five", "is it four"]
    assert len(alike.nearest("two plus two is four", 9)) == 4


def test_a_word_counts_as_often_as_it_is_said() -> None:
    alike = SentenceIndex(["ha ha", "ha ha ha", "ha"])
    assert alike.nearest("ha ha ha ha", 3) == ["ha ha ha", "ha ha", "ha"]


def test_ties_come_in_no_alphabet() -> None:
    words = [f"you said {a}{b}" for a in "abcdefgh" for b in "abcdefgh"]
    near = SentenceIndex(words).nearest("you said it", 20)
    assert near == SentenceIndex(words[::-1]).nearest("you said it", 20)
    assert len({text[9] for text in near}) > 4
