"""Numbers the assistant's text tokens: marks, characters and the words of its trained replies."""

from collections.abc import Sequence
from typing import Final

PAD: Final = 0  # no word begins in this step
GO: Final = 1  # a reply begins with the next step
EOS: Final = 2  # the reply has ended
MASK: Final = 3  # training only: a hidden input, never a target
MARKS: Final = 4
SPELL: Final = "_"  # begins a word that follows letter by letter
CHARACTERS: Final = SPELL + "abcdefghijklmnopqrstuvwxyz'"


class Vocabulary:
    """Token numbers: marks first, then the characters, then whole words in the order given."""

    def __init__(self, words: Sequence[str]) -> None:
        """`words` are distinct, in lower case, of letters and apostrophes."""
        if len(set(words)) != len(words):
            raise ValueError("Expected distinct words in the vocabulary, got some twice")
        self.words = tuple(words)
        self._number = {word: MARKS + len(CHARACTERS) + i for i, word in enumerate(words)}

    def __len__(self) -> int:
        return MARKS + len(CHARACTERS) + len(self.words)

    def encode(self, word: str) -> list[int]:
        """One token for a known word, else SPELL and its characters. Drops unknown characters."""
        number = self._number.get(word)
        if number is not None:
            return [number]
        return [MARKS + CHARACTERS.index(c) for c in SPELL + word if c in CHARACTERS]

    def piece(self, token: int) -> str:
        """What a token adds to the text: ' word', ' ' for SPELL, a character; '' for marks.

        The text is all pieces joined, without the first blank.
        """
        if token < MARKS:
            return ""
        index = token - MARKS
        if index < len(CHARACTERS):
            return " " if CHARACTERS[index] == SPELL else CHARACTERS[index]
        return " " + self.words[index - len(CHARACTERS)]

    def text(self, tokens: Sequence[int]) -> str:
        """The text of a reply's tokens."""
        return "".join(self.piece(token) for token in tokens).strip()
