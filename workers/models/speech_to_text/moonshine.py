"""Hears a turn with Moonshine tiny, English: the second listener of turns that Whisper doubts.

    moonshine = load_moonshine()       # of the package moonshine-voice; None without it
    opinion = moonshine.hear(samples)  # float32 at 16 kHz
    opinion.text, opinion.log_probs(["What is it?", "What was it?"])

It reads the samples themselves and needs no padding. Letters: B texts, N samples, P positions of
20 ms, T tokens, V the vocabulary.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from shared.audio import Floats
from workers.models.onnx_model import session
from workers.models.speech_to_text.moonshine_package import DECODER, ENCODER, TOKENS, packaged
from workers.models.speech_to_text.moonshine_tokens import BEGIN, END, MoonshineTokens
from workers.models.speech_to_text.whisper_mel import RATE_HZ

# People say at most about five a second; longer texts are loops.
TOKENS_PER_S: Final = 6
TOKENS_MORE: Final = 10
LEAST: Final = 1_600  # samples: of less the encoder makes no position
PAST: Final = "past_key_values"
_Ids = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Opinion:
    """What Moonshine hears in one sound."""

    model: "Moonshine"
    states: Floats  # (1, P, D) of the encoder
    text: str
    log_prob: float  # mean a token

    def log_probs(self, texts: Sequence[str]) -> list[float]:
        """How likely this sound is each of these texts: mean log probabilities a token."""
        return self.model.log_probs(self.states, texts)


class Moonshine:
    """The model. `encoder` and `decoder` are sessions of onnxruntime. Not thread-safe."""

    def __init__(self, encoder: Any, decoder: Any, tokens: MoonshineTokens) -> None:
        self._encoder = encoder
        self._decoder = decoder
        self._tokens = tokens
        self._outputs = [output.name for output in decoder.get_outputs()]
        self._past_shapes = {
            given.name: given.shape for given in decoder.get_inputs() if PAST in given.name
        }

    def hear(self, sound: Floats) -> Opinion:
        """Samples (N,) float32 at 16 kHz, at most 30 s -> what was said."""
        padded = np.pad(sound, (0, max(0, LEAST - len(sound))))[None]
        given = {"input_values": padded, "attention_mask": np.ones(padded.shape, np.int64)}
        (states,) = self._encoder.run(None, given)
        most = int(len(sound) / RATE_HZ * TOKENS_PER_S) + TOKENS_MORE
        tokens, log_prob = self._written(states, most)
        return Opinion(self, states, self._tokens.text(tokens), log_prob)

    def _written(self, states: Floats, most: int) -> tuple[list[int], float]:
        """The likeliest token after each token until the text ends; their mean log probability."""
        written = [BEGIN]
        total = 0.0
        past = self._no_past(1)
        while len(written) <= most and written[-1] != END:
            last = np.array([written[-1:]])
            logits, present = self._decoded(states, last, past, later=len(written) > 1)
            # A later step returns no keys of the encoder's states: those of the first stay.
            past |= {name: one for name, one in present.items() if one.shape[0] and one.shape[2]}
            log_probs = _log_softmax(logits[0, -1])
            written.append(int(log_probs.argmax()))
            total += float(log_probs.max())
        return written, total / (len(written) - 1)

    def log_probs(self, states: Floats, texts: Sequence[str]) -> list[float]:
        """The mean log probability a token of each text, END included, in these states."""
        rows = [[BEGIN, *self._tokens.encode(text), END] for text in texts]
        longest = max(map(len, rows))
        ids = np.array([row + [END] * (longest - len(row)) for row in rows])  # (B, T)
        all_states = np.repeat(states, len(rows), axis=0)
        logits, _ = self._decoded(all_states, ids[:, :-1], self._no_past(len(rows)), later=False)
        found = _log_softmax(logits)  # (B, T - 1, V)
        return [_mean(given, row[1:]) for given, row in zip(found, rows, strict=True)]

    def _decoded(
        self, states: Floats, ids: _Ids, past: dict[str, Floats], *, later: bool
    ) -> tuple[Floats, dict[str, Floats]]:
        """States (B, P, D), ids (B, T) -> logits (B, T, V), and the past of the next step."""
        given = {
            "encoder_hidden_states": states,
            "encoder_attention_mask": np.ones(states.shape[:2], np.int64),
            "input_ids": ids,
            "use_cache_branch": np.array([later]),
            **past,
        }
        made = dict(zip(self._outputs, self._decoder.run(self._outputs, given), strict=True))
        logits = made.pop("logits")
        return logits, {name.replace("present", PAST): one for name, one in made.items()}

    def _no_past(self, rows: int) -> dict[str, Floats]:
        """Keys and values of no position: each (B, heads, 0, width)."""
        shapes = self._past_shapes.items()
        return {
            name: np.zeros((rows, heads, 0, width), np.float32)
            for name, (_, heads, _, width) in shapes
        }


def load_moonshine(threads: int = 1) -> Moonshine | None:
    """The packaged model; None without the package. Raises ConfigError if a file differs."""
    files = packaged()
    if files is None:
        return None
    encoder, decoder = (session(files[name], threads) for name in (ENCODER, DECODER))
    return Moonshine(encoder, decoder, MoonshineTokens(files[TOKENS]))


def _log_softmax(logits: Floats) -> Floats:
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)))


def _mean(log_probs: Floats, tokens: Sequence[int]) -> float:
    """The mean of these tokens' log probabilities in (T, V)."""
    return float(log_probs[np.arange(len(tokens)), tokens].mean())
