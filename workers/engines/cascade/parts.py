"""Declares the interfaces of the cascade's parts: speech to text, language model, text to speech.

They take and return numpy arrays and Python types only; torch, CTranslate2 and onnxruntime stay
inside the parts. One thread calls a part, with all callers of the worker in one batch.
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
    """The transcript of one turn."""

    text: str  # as a person would write it; "" for silence, noise or music
    no_speech: float  # probability that nobody spoke, 0..1
    log_prob: float  # mean log probability a token
    # The other likeliest texts in other words, with their log probabilities; of a final transcript.
    others: tuple[tuple[str, float], ...] = ()


class SpeechToText(Protocol):
    """Speech to text."""

    def transcribe(self, turns: Sequence[Floats], *, final: bool = True) -> list[TurnTranscript]:
        """One transcript a turn, in order.

        Each turn is float32 mono at 24 kHz of full scale 1, shape (samples,), at most 30 s.
        `final` False asks for a partial while the caller still speaks: cheaper, same thresholds.
        A turn's transcript does not depend on the other turns beyond float rounding.
        """

    def warm_up(self) -> None:
        """Run each path of a call once, so that the first caller does not wait for it."""


class TextTokenizer(Protocol):
    """Text to a language model's tokens and back."""

    def encode(self, text: str) -> list[int]:
        """The tokens of plain text, in which a control token's name is ordinary text."""

    def decode(self, tokens: Sequence[int]) -> str:
        """The text of tokens, without control tokens."""


class LanguageModel(Protocol):
    """Rows of token contexts, extended as one batch. It has no policy, prompts or sampling.

    No row's logits depend on the other rows beyond float rounding.
    """

    slots: int  # rows
    capacity: int  # positions a row holds

    @property
    def tokenizer(self) -> TextTokenizer:
        """Converts text to this model's tokens and back."""

    def share(self, tokens: Sequence[int]) -> None:
        """Compute the keys and values of the prefix with which rows begin."""

    def reset(self, row: int, *, shared: bool = True) -> None:
        """Reset the row to the shared prefix, or to nothing."""

    def length(self, row: int) -> int:
        """Positions that the row holds, the shared prefix included."""

    def cut(self, row: int, length: int) -> None:
        """Forget positions from `length` on."""

    def likelihoods(self, start: Sequence[int], sequences: Sequence[Sequence[int]]) -> list[float]:
        """Each sequence's mean log probability a token, after the shared prefix and `start`."""

    def extend(
        self,
        rows: Sequence[int],
        tokens: Sequence[Sequence[int]],
        also: Sequence[tuple[int, int]] = (),
    ) -> Logits:
        """Append tokens to rows, any count each -> (len(rows), vocabulary) after each row's last.

        `also`: pairs of a place in `rows` and a number of its tokens; the logits after so many
        tokens follow. One token each is one decoding step for all replies. The caller bounds a long
        prefill by passing it in pieces.
        """


@dataclass(frozen=True, slots=True)
class Sound:
    """The words that one call of `TextToSpeech.say` spoke."""

    pcm: Floats  # float32 mono 24 kHz, peak within 1, any length
    # Sample at which each word begins in `pcm`, and the word with its punctuation as in the text.
    words: tuple[tuple[int, str], ...]
    said: int  # words of the sentence spoken by now: the `since` of the next call


class TextToSpeech(Protocol):
    """Text to speech, which speaks a sentence in pieces while the model still writes it."""

    offer: Offer  # its voices and styles

    def say(self, sentence: str, since: int, *, whole: bool, seed: int, persona: Persona) -> Sound:
        """Speak the words of `sentence` from word number `since` on.

        `sentence` is the text so far; `whole` means that it is complete, with its end mark. If not
        whole, the last two words are look-ahead and are not spoken yet. The first piece begins with
        at most 20 ms of silence. The last ends with a pause that fits the end mark. Equal
        arguments give equal samples.
        """

    def warm_up(self) -> None:
        """Run once what a call will run, so that the first caller does not wait for it."""
