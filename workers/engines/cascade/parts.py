"""The three parts of the cascade: what hears, what thinks, what speaks.

Numpy arrays and Python types cross these borders; torch, CTranslate2 and onnxruntime stay behind
them. One thread calls a part, with every caller of the worker in one batch.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from shared.audio import Floats
from shared.voices import Offer, Persona

Logits = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class TurnTranscript:
    """What a caller said in one turn."""

    text: str  # as a person would write it; "" where nothing was said (silence, noise, music)
    no_speech: float  # probability that nobody spoke, 0..1
    log_prob: float  # mean log probability a token


class SpeechToText(Protocol):
    """Speech to text."""

    def transcribe(self, turns: Sequence[Floats], *, final: bool = True) -> list[TurnTranscript]:
        """One transcript a turn, in order.

        Each turn is float32 mono at 24 kHz of full scale 1, shape (samples,), at most 30 s.
        `final` False asks for a partial while the caller still speaks: cheaper, same thresholds.
        A turn's transcript does not depend on its neighbours beyond float rounding.
        """

    def warm_up(self) -> None:
        """Run once what a call will run, so that the first caller does not wait for it."""


class TextTokenizer(Protocol):
    """Text to a language model's tokens and back."""

    def encode(self, text: str) -> list[int]:
        """The tokens of plain text; text that looks like a control token is not made one."""

    def decode(self, tokens: Sequence[int]) -> str:
        """The text of tokens; control tokens give none."""


class LanguageModel(Protocol):
    """Rows of token contexts, extended as one batch. Policy, prompts and sampling live above it.

    No row's logits depend on its neighbours beyond float rounding.
    """

    slots: int  # rows
    capacity: int  # positions a row holds

    @property
    def tokenizer(self) -> TextTokenizer:
        """Text to its tokens and back."""

    def share(self, tokens: Sequence[int]) -> None:
        """The prefix that rows begin with; its keys and values are computed once."""

    def reset(self, row: int, *, shared: bool = True) -> None:
        """The row holds the shared prefix, or nothing."""

    def length(self, row: int) -> int:
        """Positions that the row holds, the shared prefix included."""

    def cut(self, row: int, length: int) -> None:
        """Forget positions from `length` on."""

    def extend(self, rows: Sequence[int], tokens: Sequence[Sequence[int]]) -> Logits:
        """Append tokens to rows, any count each -> (len(rows), vocabulary) after each row's last.

        One token each is one decoding step of all who answer. Bounding a long prefill is the
        caller's part: it passes pieces.
        """


@dataclass(frozen=True, slots=True)
class Sound:
    """The words that one call of `TextToSpeech.say` said."""

    pcm: Floats  # float32 mono 24 kHz, peak within 1, any length
    # Sample at which each word begins in `pcm`, and the word with its punctuation as in the text.
    words: tuple[tuple[int, str], ...]
    said: int  # words of the sentence said by now: the `since` of the next call


class TextToSpeech(Protocol):
    """Text to speech, a sentence in pieces while it is still being written."""

    offer: Offer  # voices and styles it has

    def say(self, sentence: str, since: int, *, whole: bool, seed: int, persona: Persona) -> Sound:
        """Say the words of `sentence` from word number `since` on.

        `sentence` is what is known so far; `whole`: it is complete, with its end mark. If not
        whole, the last two words are look-ahead and are not said now. The first piece begins with
        at most 20 ms of silence; the last ends with a pause that fits the end mark. Equal
        arguments give equal samples.
        """

    def warm_up(self) -> None:
        """Run once what a call will run, so that the first caller does not wait for it."""
