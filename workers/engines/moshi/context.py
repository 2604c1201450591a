"""Keeps a slot's tokens since the base of its context, and finds its replies. Pure.

Moshi speaks all the time, and most of its output is silence. A reply begins with its first word and
ends after a second without one. The text of a step belongs to the sound of the next one, since
seven of its eight codes lag by a step.
"""

import codecs
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from workers.models.moshi.positions import Tokens
from workers.models.moshi.text import TextTokens, byte_decoder

QUIET_STEPS: Final = 12  # about a second without a word ends a reply
_WIRE: Final = np.dtype("<u2")


def to_bytes(tokens: Tokens) -> bytes:
    """Tokens as the log holds them, two bytes each."""
    return tokens.astype(_WIRE).tobytes()


def from_bytes(logged: bytes) -> Tokens:
    """The tokens of one step: (8,) heard, or (9,) said."""
    return np.frombuffer(logged, _WIRE).astype(np.int64)


@dataclass(frozen=True, slots=True)
class Utterance:
    """The part of one step that callers notice."""

    text: str = ""
    began: bool = False
    ended: bool = False
    sounds: bool = False  # the step's sound is part of a reply


@dataclass(slots=True)
class SlotContext:
    """One call. `said` and `heard` hold the prompt's steps first, then the call's own."""

    seed: int
    said: list[Tokens] = field(default_factory=list)
    heard: list[Tokens] = field(default_factory=list)
    prompt: int = 0  # how many of these steps are the prompt's
    listens: bool = True  # a replay has audio for the codec; False: the codec kept its state
    replying: bool = False
    quiet: int = 0  # steps since the last word
    waiting: int | None = None  # the text token of the previous step
    pending: codecs.IncrementalDecoder = field(default_factory=byte_decoder)

    @property
    def count(self) -> int:
        """Positions so far; seed and count determine every draw."""
        return len(self.said)

    def add(self, said: Tokens, heard: Tokens) -> None:
        """Note a step."""
        self.said.append(said)
        self.heard.append(heard)

    def utter(self, text: int, tokens: TextTokens) -> Utterance:
        """Note a step's text token. Returns what callers notice of the step."""
        word, self.waiting = self.waiting, text
        spoke, began = word is not None and tokens.is_word(word), False
        if spoke and not self.replying:
            self.replying = began = True
            self.pending = byte_decoder()
        self.quiet = 0 if spoke else self.quiet + 1
        sounds = self.replying
        ended = self.replying and self.quiet >= QUIET_STEPS
        if ended:
            self.replying = False
        piece = tokens.piece(word, self.pending) if word is not None and sounds else ""
        return Utterance(piece.lstrip() if began else piece, began, ended, sounds)
