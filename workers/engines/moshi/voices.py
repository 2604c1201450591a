"""Loads PersonaPlex's voices: recordings, or the published files of embeddings.

A published file (`.pt`) has the reference server's data of a recording: the summed embeddings of
its positions, and the tokens of the last ones. It is a pickle, so it is loaded with `weights_only`,
which runs none of its code. Letters: F frames of the recording, D width.
"""

import pickle
import wave
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from shared.audio import CHUNK_SAMPLES, SAMPLE_RATE_HZ, Floats
from shared.errors import ConfigError
from workers.models.moshi.config import CODES, LmConfig
from workers.models.moshi.mimi import Mimi
from workers.models.moshi.positions import Tokens
from workers.models.moshi.streaming import Rows

VOICES: Final = "voices"  # the folder of voices within the model's folder
RECORDED_STEPS: Final = 125  # ten seconds of a recording are used
EMBEDDED_STEPS: Final = 250  # a file of embeddings cannot be cut
LOUDNESS_RMS: Final = 0.063  # -24 dB of full scale, about the reference's -24 LUFS
RING_SPARE: Final = 3  # the reference's ring of tokens has this many more columns than the delay


@dataclass(frozen=True, slots=True)
class Voice:
    """One voice."""

    codes: Tokens  # (F, 8); with `embeddings` only those of the last two frames count
    embeddings: Tensor | None = None  # (F - 1, D), read instead of the first positions' tokens


def load_voices(folder: Path, config: LmConfig, mimi: Mimi) -> dict[str, Voice]:
    """All voices of a folder by name; none if there is no such folder.

    `mimi` needs a free slot 0. Raises ConfigError for a file that is no voice.
    """
    if not folder.exists():
        return {}
    found = {
        path.stem: Voice(_encode(_recording(path), mimi)[:RECORDED_STEPS])
        for path in sorted(folder.glob("*.wav"))
    }
    found |= {path.stem: load_embedded(path, config) for path in sorted(folder.glob("*.pt"))}
    if not found:
        raise ConfigError(
            f"Expected voices in {folder} (24 kHz mono WAV files, or the .pt files that are "
            "published with PersonaPlex), got none: add some or remove the folder"
        )
    return found


def load_embedded(path: Path, config: LmConfig) -> Voice:
    """A published voice. Raises ConfigError unless it is one for a model of this width."""
    embeddings, ring = _tensors(path)
    steps = embeddings.shape[0] if embeddings.dim() == 4 else 0
    columns = max(config.delays) + RING_SPARE
    wanted = (min(max(steps, 1), EMBEDDED_STEPS - 1), 1, 1, config.dim)
    if embeddings.shape != wanted or ring.shape != (1, 1 + 2 * CODES, columns):
        raise ConfigError(
            f"Expected embeddings (1 to {EMBEDDED_STEPS - 1}, 1, 1, {config.dim}) and a cache "
            f"(1, {1 + 2 * CODES}, {columns}) in {path}, got {tuple(embeddings.shape)} and "
            f"{tuple(ring.shape)}: the voice is of another model"
        )
    # Position F - 1 of the ring holds frame F - 1, as far as it is not delayed; F holds the rest.
    tokens = ring[0, 1 : 1 + CODES].long().numpy()
    now, delayed = tokens[:, steps % columns], tokens[:, (steps + 1) % columns]
    codes = np.zeros((steps + 1, CODES), np.int64)
    late = np.array(config.delays[1 : 1 + CODES]) > 0
    codes[-2, late], codes[-1] = now[late], np.where(late, delayed, now)
    used = codes[-2:]
    if not (torch.isfinite(embeddings).all() and (used >= 0).all() and (used <= config.card).all()):
        raise ConfigError(
            f"Expected finite embeddings and codes from 0 to {config.card} in {path}, got others: "
            "the file is damaged"
        )
    return Voice(codes, embeddings[:, 0, 0])


def _tensors(path: Path) -> tuple[Tensor, Tensor]:
    """The embeddings and the cache of a file."""
    try:
        held: Any = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, OSError, ValueError) as error:
        first = str(error).partition("\n")[0]
        raise ConfigError(
            f"Expected a voice of PersonaPlex in {path}, got a file that does not load without "
            f"running its code: {first}"
        ) from error
    parts = [held.get(name) for name in ("embeddings", "cache")] if isinstance(held, dict) else []
    tensors = [part for part in parts if isinstance(part, Tensor)]
    if len(tensors) < 2 or not tensors[0].is_floating_point() or tensors[1].is_floating_point():
        raise ConfigError(
            f"Expected the tensors `embeddings` (floating) and `cache` (integers) in {path}, got "
            f"{sorted(map(str, held)) if isinstance(held, dict) else type(held).__name__}"
        )
    return tensors[0], tensors[1]


def _recording(path: Path) -> Floats:
    """A recording at 24 kHz, of the loudness that the model knows."""
    try:
        with wave.open(str(path)) as file:
            shape = file.getframerate(), file.getnchannels(), file.getsampwidth()
            data = file.readframes(file.getnframes())
    except (wave.Error, EOFError, OSError) as error:
        raise ConfigError(f"Expected a WAV file in {path}, got an error: {error}") from error
    if shape != (SAMPLE_RATE_HZ, 1, 2):
        raise ConfigError(
            f"Expected 24 kHz mono PCM16 in {path}, got rate, channels, bytes {shape}"
        )
    sound = np.frombuffer(data, "<i2").astype(np.float32) / np.float32(32_768)
    if len(sound) < CHUNK_SAMPLES:
        raise ConfigError(f"Expected at least 80 ms of a voice in {path}, got {len(sound)} samples")
    rms = float(np.sqrt(np.mean(sound**2)))
    return sound * np.float32(LOUDNESS_RMS / max(rms, 1e-6))


@torch.inference_mode()
def _encode(sound: Floats, mimi: Mimi) -> Tokens:
    """Codes (F, 8) of a recording."""
    mimi.reset(0)
    device = next(mimi.parameters()).device
    rows = Rows(0, torch.ones(1, dtype=torch.bool, device=device))
    whole = sound[: len(sound) // CHUNK_SAMPLES * CHUNK_SAMPLES].reshape(-1, 1, CHUNK_SAMPLES)
    codes = [mimi.encode(torch.from_numpy(piece).to(device), rows)[0, :, 0] for piece in whole]
    mimi.reset(0)
    found: Tokens = torch.stack(codes).cpu().numpy()
    return found
