"""Text tokens become text."""

from pathlib import Path

import pytest

from shared.errors import ConfigError
from tests.moshi.tiny import TOKENIZER
from workers.models.moshi.text import TextTokens, byte_decoder


def test_pieces_join_to_the_text_and_marks_are_silent() -> None:
    tokens = TextTokens(TOKENIZER)
    found = tokens.encode("the call goes on")
    pending = byte_decoder()
    assert "".join(tokens.piece(token, pending) for token in found) == " the call goes on"
    assert [tokens.piece(mark, pending) for mark in range(4)] == [""] * 4
    assert tokens.piece(100, pending) == ""  # the initial token


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.model").write_bytes(b"nothing")
    with pytest.raises(ConfigError, match="Expected a sentencepiece model"):
        TextTokens(tmp_path / "tokenizer.model")
