"""A script cuts a reply into pieces for the voice: each word once, in order, for any chunking."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.engines.cascade.script import FIRST_WORDS, LOOK_AHEAD, PIECE_WORDS, Script, SpeechPiece

WORDS = st.sampled_from(["Yes.", "No!", "well,", "the", "Moon", "is", "3.5", "far?", "away..."])


def speak(script: Script) -> list[str]:
    """All words that can be spoken now."""
    words: list[str] = []
    while (piece := script.next()) is not None:
        sentence = piece.sentence.split()
        said = len(sentence) if piece.whole else len(sentence) - LOOK_AHEAD
        assert said > piece.since
        words += sentence[piece.since : said]
        script.spoken(piece, said)
    return words


@given(st.lists(WORDS, max_size=60), st.integers(1, 9))
def test_every_word_is_spoken_once_and_in_order(words: list[str], size: int) -> None:
    text = " ".join(words)
    script = Script()
    spoken: list[str] = []
    for at in range(0, len(text), size):
        script.write(text[at : at + size], complete=False)
        spoken += speak(script)
    script.write("", complete=True)
    spoken += speak(script)
    assert spoken == words
    assert script.over


def test_the_first_piece_is_short_and_has_its_look_ahead() -> None:
    script = Script()
    script.write("The capital of France is Paris, which", complete=False)
    piece = script.next()
    assert piece == SpeechPiece("The capital of France is", 0, whole=False)
    assert len(piece.sentence.split()) == FIRST_WORDS + LOOK_AHEAD


def test_a_piece_waits_for_its_look_ahead() -> None:
    script = Script()
    script.write("The capital of France ", complete=False)
    assert script.next() is None
    script.write("is", complete=False)
    assert script.next() is None  # the word may still grow
    script.write(" ", complete=False)
    assert script.next() is not None


def test_a_short_sentence_is_one_piece() -> None:
    script = Script()
    script.write("Yes, it is. And", complete=False)
    assert script.next() == SpeechPiece("Yes, it is.", 0, whole=True)


def test_a_long_sentence_is_never_longer_than_a_piece_at_once() -> None:
    script = Script()
    script.write(" ".join(["word"] * 40) + ".", complete=True)
    longest = 0
    while (piece := script.next()) is not None:
        count = len(piece.sentence.split())
        said = count if piece.whole else count - LOOK_AHEAD
        longest = max(longest, said - piece.since)
        script.spoken(piece, said)
    assert longest <= PIECE_WORDS + LOOK_AHEAD


@pytest.mark.parametrize("text", ["It is 3.5 meters.", "At 7.30 we eat!"])
def test_a_number_does_not_end_a_sentence(text: str) -> None:
    script = Script()
    script.write(text, complete=True)
    piece = script.next()
    assert piece is not None
    assert piece.sentence == text


def test_an_empty_reply_is_over_at_once() -> None:
    script = Script()
    script.write("  ", complete=True)
    assert script.next() is None
    assert script.over
