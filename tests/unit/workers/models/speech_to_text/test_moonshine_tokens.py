"""Moonshine's tokens, of a small file in the format of its own."""

import pytest

from workers.models.speech_to_text.moonshine_tokens import (
    BEGIN,
    BYTES,
    END,
    PIECES,
    SPACE,
    MoonshineTokens,
)

# In the order of their merges; the letters come last.
WORDS = ["th", "the", f"{SPACE}the", "ee", f"{SPACE}t", "e", "t", "h", SPACE]
LONG = "x" * 200


def _file(*words: str) -> bytes:
    pieces = [b"<unk>", b"<s>", b"</s>", *(bytes([byte]) for byte in range(256))]
    pieces += [word.encode() for word in words]
    return b"".join(_length(len(piece)) + piece for piece in pieces)


def _length(count: int) -> bytes:
    return bytes([count]) if count < 128 else bytes([count % 128 + 128, count // 128])


@pytest.fixture(scope="module")
def tokens() -> MoonshineTokens:
    return MoonshineTokens(_file(*WORDS))


def test_the_most_frequent_merge_comes_first(tokens: MoonshineTokens) -> None:
    known = {word: PIECES + at for at, word in enumerate(WORDS)}
    assert tokens.encode("the") == [known[f"{SPACE}the"]]
    assert tokens.encode("thee te") == [
        known[f"{SPACE}the"],
        known["e"],
        known[f"{SPACE}t"],
        known["e"],
    ]


def test_what_no_piece_spells_is_written_in_bytes(tokens: MoonshineTokens) -> None:
    assert tokens.encode("é")[1:] == [BYTES + byte for byte in "é".encode()]


def test_the_text_comes_back_without_control_tokens(tokens: MoonshineTokens) -> None:
    for text in ("the tee", "é, 7 the"):
        assert tokens.text([BEGIN, *tokens.encode(text), END]) == text


def test_an_incomplete_character_is_left_out(tokens: MoonshineTokens) -> None:
    assert tokens.text([*tokens.encode("the"), BYTES + "é".encode()[0]]) == "the"


def test_a_token_may_be_longer_than_127_bytes() -> None:
    tokens = MoonshineTokens(_file(LONG, "the"))
    assert tokens.text([PIECES, PIECES + 1]) == f"{LONG}the"
