"""Converts Moshi's text tokens to text and back, by the published sentencepiece model."""

import codecs
from pathlib import Path
from typing import Any, Final

from shared.errors import ConfigError

SPACE: Final = "\u2581"  # how sentencepiece writes the beginning of a word
MARKS: Final = 4  # the first tokens say that a word comes, that a text begins or ends, and PAD


class TextTokens:
    """The tokenizer of one checkpoint."""

    def __init__(self, path: Path) -> None:
        """Raises ConfigError if the package is missing or the file is not one of its models."""
        try:
            import sentencepiece
        except ImportError as error:
            raise ConfigError(
                "Expected the package sentencepiece for ENGINE=moshi, got none: install the extra "
                "`moshi`"
            ) from error
        try:
            self._model: Any = sentencepiece.SentencePieceProcessor(model_file=str(path))
        except (OSError, RuntimeError) as error:
            raise ConfigError(f"Expected a sentencepiece model in {path}, got {error}") from error

    @property
    def count(self) -> int:
        """How many tokens there are."""
        size: int = self._model.vocab_size()
        return size

    def is_word(self, token: int) -> bool:
        """Whether the token is a piece of a word and no mark."""
        return token >= MARKS

    def piece(self, token: int, pending: "codecs.IncrementalDecoder") -> str:
        """The text that a token adds, with a space before a word; "" for a mark.

        `pending` holds the bytes of a character that several tokens spell.
        """
        if not self.is_word(token) or token >= self.count:
            return ""
        if self._model.is_byte(token):
            return pending.decode(bytes([int(self._model.id_to_piece(token)[1:-1], 16)]))
        piece: str = self._model.id_to_piece(token)
        return piece.replace(SPACE, " ")

    def encode(self, text: str) -> list[int]:
        """The tokens of a prompt."""
        found: list[int] = self._model.encode(text)
        return found


def byte_decoder() -> codecs.IncrementalDecoder:
    """The `pending` of a new call."""
    return codecs.getincrementaldecoder("utf-8")(errors="ignore")
