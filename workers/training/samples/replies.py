"""The assistant's replies as training targets: one text token and Q codes a step.

Each reply has one recording, synthesised and encoded at its first use. A word's token lies at the
step in which the word begins, or later if two words begin in one step. So the model sees the word
when it makes its sound.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from shared.audio import CHUNK_MS, CHUNK_SAMPLES, Pcm16, floats_from_pcm16
from workers.models.checkpoint import config_of, fill, read_part
from workers.models.mel import LogMel
from workers.models.speech_to_speech.vocabulary import EOS, PAD, Vocabulary
from workers.models.tokenizer.codec import CodecConfig, SpeechCodec
from workers.training.questions.catalogue import words
from workers.training.speech.assistant import Utterance, synthesise

STEP_S: Final = CHUNK_MS / 1000  # 0.08
# A word's token comes this long before its sound, because it shapes the word's first frames.
LEAD_S: Final = 0.04
MAX_STEPS: Final = 128
SHARD: Final = 500  # replies a shard, about twenty seconds of work

Tokens = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class TargetReply:
    """What the assistant says in each step, and the step in which it ends."""

    text: str
    tokens: Tokens  # (T + 1,): the last is EOS, in a step without sound
    codes: Tokens  # (T, Q)


def place_tokens(starts_s: Sequence[float], pieces: Sequence[Sequence[int]], steps: int) -> Tokens:
    """Put each word's tokens at its start, one a step, in order -> (steps + 1,) with EOS last.

    Raises ValueError if the tokens do not fit into the steps.
    """
    tokens = np.full(steps + 1, PAD, dtype=np.int64)
    tokens[steps] = EOS
    left = sum(len(piece) for piece in pieces)
    place = 0
    for start_s, piece in zip(starts_s, pieces, strict=True):
        wanted = int(max(0.0, start_s - LEAD_S) / STEP_S)
        # Early enough for the tokens that follow.
        place = max(place, min(wanted, steps - left))
        if place + len(piece) > steps:
            raise ValueError(f"Expected the tokens to fit into {steps} steps, {left} are left")
        tokens[place : place + len(piece)] = piece
        place += len(piece)
        left -= len(piece)
    return tokens


def _starts(utterance: Utterance, spoken: Sequence[str]) -> list[float]:
    """When each word begins, in seconds; spread evenly if the voice's words differ from ours."""
    times = [(word.lower(), start) for word, start, _ in utterance.words]
    if [word for word, _ in times] == list(spoken):
        return [start for _, start in times]
    length_s = len(utterance.samples) / 24_000
    return [length_s * i / len(spoken) for i in range(len(spoken))]


def make_reply(
    text: str, begins_s: Sequence[float], codes: Tokens, vocabulary: Vocabulary
) -> TargetReply:
    """A reply from a recording's codes and word times. Raises ValueError beyond 128 steps."""
    if not 0 < len(codes) <= MAX_STEPS:
        raise ValueError(f"Expected a reply of 1 to {MAX_STEPS} steps, got {len(codes)}: {text!r}")
    pieces = [vocabulary.encode(word) for word in words(text)]
    return TargetReply(text, place_tokens(begins_s, pieces, len(codes)), codes)


class ReplyCache:
    """Keeps the codes and word times of every reply used so far on disk.

    A shard in `folder` is `<codec>-<n>.npy` (codes, int16, end to end) and `.jsonl`. Recordings
    are not kept: 7,000 replies last five hours, and their codes take four megabytes.
    """

    def __init__(self, folder: Path, codec: SpeechCodec, name: str) -> None:
        self._folder, self._codec, self._name = folder, codec, name
        self._front = LogMel()
        folder.mkdir(parents=True, exist_ok=True)
        self._held: dict[str, tuple[list[float], Tokens]] = {}
        self._shards = sorted(folder.glob(f"{name}-*.jsonl"))
        for path in self._shards:
            self._read(path)

    def _read(self, path: Path) -> None:
        codes = np.load(path.with_suffix(".npy"))
        for row in map(json.loads, path.read_text().splitlines()):
            part = codes[row["start"] : row["start"] + row["steps"]].astype(np.int64)
            self._held[row["text"]] = (row["begins"], part)

    def _encoded(self, samples: Pcm16) -> Tokens:
        length = -(-len(samples) // CHUNK_SAMPLES) * CHUNK_SAMPLES
        whole = np.pad(floats_from_pcm16(samples), (0, length - len(samples)))
        codes: Tokens = self._codec.encode(self._front(torch.from_numpy(whole)[None]))[0].numpy()
        return codes

    def _record(self, texts: Sequence[str]) -> None:
        """Synthesise, encode and store these texts as one shard."""
        path = self._folder / f"{self._name}-{len(self._shards):03d}.jsonl"
        start, lines, parts = 0, [], []
        for said in synthesise(texts):
            codes, begins = self._encoded(said.samples), _starts(said, words(said.text))
            self._held[said.text] = (begins, codes)
            row = {"text": said.text, "start": start, "steps": len(codes), "begins": begins}
            lines.append(json.dumps(row))
            parts.append(codes)
            start += len(codes)
        np.save(path.with_suffix(".npy"), np.concatenate(parts).astype(np.int16))
        path.write_text("\n".join(lines) + "\n")
        self._shards.append(path)

    def require(self, texts: Sequence[str]) -> None:
        """Make the replies that are missing."""
        missing = [text for text in dict.fromkeys(texts) if text and text not in self._held]
        for start in range(0, len(missing), SHARD):
            self._record(missing[start : start + SHARD])

    def reply(self, text: str, vocabulary: Vocabulary) -> TargetReply:
        """One reply; for '', a reply that ends in its only step."""
        if not text:
            quiet = np.zeros((0, self._codec.config.codebooks), np.int64)
            return TargetReply(text, np.array([EOS]), quiet)
        begins, codes = self._held[text]
        return make_reply(text, begins, codes, vocabulary)


def load_replies(
    runs: Path, weights: Path, texts: Sequence[str], vocabulary: Vocabulary
) -> dict[str, TargetReply]:
    """The replies in the assistant's voice, encoded by the codec of the weights folder."""
    part = read_part(weights, "codec")
    codec = SpeechCodec(config_of(CodecConfig, part))
    fill(codec, part)
    # Training the decoder further, as `train_voice.py` does, changes no code.
    kept = sorted(name for name in part.tensors if not name.startswith("decoder"))
    digest = hashlib.sha256(b"".join(part.tensors[name].numpy().tobytes() for name in kept))
    cache = ReplyCache(runs / "replies", codec, digest.hexdigest()[:8])
    cache.require(texts)
    return {text: cache.reply(text, vocabulary) for text in texts}
