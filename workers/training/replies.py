"""The assistant's replies as the model is to say them: one text token and Q codes a step.

Each reply has one canonical recording. A word's token stands at the step in which the word begins
(moved on when two begin in one step), so that its sound is made with the word in view.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from shared.audio import CHUNK_MS, CHUNK_SAMPLES, Pcm16, floats_from_pcm16
from workers.models.mel import LogMel
from workers.models.tokenizer.codec import Codec
from workers.models.vocabulary import EOS, PAD, Vocabulary
from workers.training.assistant import Utterance, load_shard
from workers.training.dialogue import words

STEP_S: Final = CHUNK_MS / 1000  # 0.08
# A word's token comes this long before its sound: the first frames of a word are shaped by it.
LEAD_S: Final = 0.04
MAX_STEPS: Final = 128

Tokens = NDArray[np.int64]
Encode = Callable[[Pcm16], Tokens]  # samples -> codes (T, Q)


@dataclass(frozen=True, slots=True)
class Reply:
    """What is said, step by step, and the step of its end."""

    text: str
    tokens: Tokens  # (T + 1,): the last is EOS, in a step that makes no sound
    codes: Tokens  # (T, Q)


def spread(starts_s: Sequence[float], pieces: Sequence[Sequence[int]], steps: int) -> Tokens:
    """Put each word's tokens at its start, one a step, in order -> (steps + 1,) with EOS last.

    Raises ValueError when the words do not fit into the steps.
    """
    tokens = np.full(steps + 1, PAD, dtype=np.int64)
    tokens[steps] = EOS
    left = sum(len(piece) for piece in pieces)
    place = 0
    for start_s, piece in zip(starts_s, pieces, strict=True):
        wanted = int(max(0.0, start_s - LEAD_S) / STEP_S)
        # Not so late that what follows would not fit.
        place = max(place, min(wanted, steps - left))
        if place + len(piece) > steps:
            raise ValueError(f"Expected the tokens to fit into {steps} steps, {left} are left")
        tokens[place : place + len(piece)] = piece
        place += len(piece)
        left -= len(piece)
    return tokens


def _starts(utterance: Utterance, spoken: Sequence[str]) -> list[float]:
    """When each word begins, in seconds; spread evenly where the voice's words differ from ours."""
    times = [(word.lower(), start) for word, start, _ in utterance.words]
    if [word for word, _ in times] == list(spoken):
        return [start for _, start in times]
    length_s = len(utterance.samples) / 24_000
    return [length_s * i / len(spoken) for i in range(len(spoken))]


def make_reply(utterance: Utterance, encode: Encode, vocabulary: Vocabulary) -> Reply:
    """One recording -> its tokens and codes. Raises ValueError beyond 128 steps."""
    codes = encode(utterance.samples)
    if not 0 < len(codes) <= MAX_STEPS:
        raise ValueError(
            f"Expected a reply of 1 to {MAX_STEPS} steps, got {len(codes)}: {utterance.text!r}"
        )
    spoken = words(utterance.text)
    pieces = [vocabulary.encode(word) for word in spoken]
    return Reply(utterance.text, spread(_starts(utterance, spoken), pieces, len(codes)), codes)


def make_replies(
    utterances: Sequence[Utterance], encode: Encode, vocabulary: Vocabulary
) -> dict[str, Reply]:
    """Every reply by its text."""
    return {said.text: make_reply(said, encode, vocabulary) for said in utterances}


def load_replies(runs: Path, codec: Codec, vocabulary: Vocabulary) -> dict[str, Reply]:
    """The canonical recordings of `assistant.py`, encoded: every trained reply by its text."""
    front = LogMel()

    def encode(samples: Pcm16) -> Tokens:
        length = -(-len(samples) // CHUNK_SAMPLES) * CHUNK_SAMPLES
        whole = np.pad(floats_from_pcm16(samples), (0, length - len(samples)))
        codes: Tokens = codec.encode(front(torch.from_numpy(whole)[None]))[0].numpy()
        return codes

    return make_replies(load_shard(runs, "replies"), encode, vocabulary)
