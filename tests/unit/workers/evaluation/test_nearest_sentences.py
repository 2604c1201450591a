"""The index of sentences by the words that they share."""

from workers.evaluation.nearest_sentences import SentenceIndex


def test_the_nearest_sentences_share_most_words_and_exclude_the_sentence_itself() -> None:
    index = SentenceIndex(
        ["two plus two is four", "two plus three is five", "hello", "is it four", "four"]
    )
    assert index.nearest("two plus two is four", 2) == ["two plus three is five", "is it four"]
    assert len(index.nearest("two plus two is four", 9)) == 4


def test_a_repeated_word_counts_repeatedly() -> None:
    index = SentenceIndex(["ha ha", "ha ha ha", "ha"])
    assert index.nearest("ha ha ha ha", 3) == ["ha ha ha", "ha ha", "ha"]


def test_ties_are_not_in_alphabetical_order() -> None:
    words = [f"you said {a}{b}" for a in "abcdefgh" for b in "abcdefgh"]
    near = SentenceIndex(words).nearest("you said it", 20)
    assert near == SentenceIndex(words[::-1]).nearest("you said it", 20)
    assert len({text[9] for text in near}) > 4
