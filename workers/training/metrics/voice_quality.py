"""Compares the assistant's voice after codec and vocoder with its own recordings.

It measures held-out sentences and replies. The held-out sentences are strings of random words that
no language model expects. So word errors are high on the recordings too; compare the two rates.
"""

from pathlib import Path
from typing import Final, Protocol

import torch

from shared.audio import Floats
from workers.models.mel import LogMel
from workers.models.tokenizer.codec import SpeechCodec
from workers.models.voice.vocoder import Vocoder
from workers.training.speech.assistant import Utterance, load_shard
from workers.training.speech.clips import padded
from workers.training.speech.speech_quality import at_16k, likeness, word_error_rate

SENTENCES: Final = 60


class VoiceParts(Protocol):
    """The voice under test; `train_voice.CodecAndVocoder` is one."""

    codec: SpeechCodec
    vocoder: Vocoder


def measure(voice: VoiceParts, runs: Path) -> dict[str, float]:
    """Every measure on up to 60 held-out sentences and 60 replies."""
    found: dict[str, float] = {}
    every = len(load_shard(runs, "replies")) // SENTENCES + 1
    sets = {
        "heldout": load_shard(runs, "heldout")[:SENTENCES],
        "replies": load_shard(runs, "replies")[::every],
    }
    for name, said in sets.items():
        pairs = [(at_16k(padded(u.samples)), at_16k(resynthesised(voice, u))) for u in said]
        found |= {f"{name}_{key}": value for key, value in likeness(pairs).items()}
        texts = [u.text for u in said]
        found[f"{name}_wer_recorded"] = word_error_rate([pair[0] for pair in pairs], texts)
        found[f"{name}_wer"] = word_error_rate([pair[1] for pair in pairs], texts)
    return {key: round(value, 4) for key, value in found.items()}


@torch.inference_mode()
def resynthesised(voice: VoiceParts, utterance: Utterance) -> Floats:
    """A recording through encoder, all codebooks, decoder and vocoder: (N,), float32."""
    mel = LogMel()(torch.from_numpy(padded(utterance.samples))[None])
    sound: Floats = voice.vocoder(voice.codec.decode(voice.codec.encode(mel)))[0].numpy()
    return sound
