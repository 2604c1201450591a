"""Moonshine's tokens: the byte-pair encoding of the file tokenizer.bin. Pure.

The file holds one token after the other: its length, then its bytes. A length of 128 or more takes
two bytes. The first 3 tokens control, the next 256 are single bytes, and the others are pieces of
words, the most frequent merge first. "▁" stands for a space.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

BEGIN: Final = 1
END: Final = 2
BYTES: Final = 3  # the token of byte 0
PIECES: Final = BYTES + 256  # the first piece
SPACE: Final = "\N{LOWER ONE EIGHTH BLOCK}"


class MoonshineTokens:
    """Converts text to tokens and back."""

    def __init__(self, data: bytes) -> None:
        self._tokens = _parsed(data)
        self._numbers = {piece: at for at, piece in enumerate(self._tokens) if at >= PIECES}

    def __len__(self) -> int:
        return len(self._tokens)

    def text(self, tokens: Sequence[int]) -> str:
        """The text of tokens, without control tokens."""
        spelled = b"".join(self._tokens[token] for token in tokens if token >= BYTES)
        return spelled.decode(errors="ignore").replace(SPACE, " ").strip()

    def encode(self, text: str) -> list[int]:
        """The tokens of a text, without control tokens."""
        parts = [letter.encode() for letter in (SPACE + text).replace(" ", SPACE)]
        while (at := self._next_merge(parts)) is not None:
            parts[at : at + 2] = [parts[at] + parts[at + 1]]
        return [token for part in parts for token in self._of_part(part)]

    def _next_merge(self, parts: Sequence[bytes]) -> int | None:
        """Where the two neighbours are whose merge is the most frequent."""
        pairs = (a + b for a, b in pairwise(parts))
        found = [(self._numbers[p], at) for at, p in enumerate(pairs) if p in self._numbers]
        return min(found)[1] if found else None

    def _of_part(self, part: bytes) -> list[int]:
        known = self._numbers.get(part)
        return [BYTES + byte for byte in part] if known is None else [known]


def _parsed(data: bytes) -> list[bytes]:
    found = []
    at = 0
    while at < len(data):
        size = data[at]
        at += 1
        if size >= 128:
            size += 128 * data[at] - 128
            at += 1
        found.append(data[at : at + size])
        at += size
    return found
