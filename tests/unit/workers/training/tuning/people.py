"""Tiny models with random weights, and synthetic conversations, for tests of tuning."""

import json
from pathlib import Path

import numpy as np
import soundfile
import torch

from shared.audio import SAMPLE_RATE_HZ, Floats, floats_from_pcm16
from tests.sounds import voice
from workers.models.checkpoint import write_part
from workers.models.layers.transformer import TransformerConfig
from workers.models.speech_to_speech.hybrid_s2s import HybridS2S, S2SConfig
from workers.models.speech_to_speech.vocabulary import Vocabulary
from workers.models.tokenizer.codec import CodecConfig, SpeechCodec
from workers.models.tokenizer.listener import Listener, ListenerConfig

LISTENER = ListenerConfig(channels=(16, 16, 24), width=24, layers=2, heads=2, window=20)
CODEC = CodecConfig(
    width=24, hidden=32, encoder_blocks=1, decoder_blocks=1, fine_width=8, fine_hidden=16,
    fine_blocks=1, latent=8, codebooks=2, codebook_size=16,
)  # fmt: skip
WORDS = ("yes", "no")
# The pitch of the caller's buzz -> the assistant's answer; the vocabulary lacks the last two words.
ANSWERS = {90.0: "yes", 300.0: "zebra crossing"}


def weights(folder: Path) -> Path:
    """A weights folder of untrained parts."""
    torch.manual_seed(0)
    listener, codec = Listener(LISTENER), SpeechCodec(CODEC)
    codec.rvq.books.normal_()
    texts = len(Vocabulary(WORDS))
    temporal = TransformerConfig(width=32, layers=2, heads=2, window=160, expansion=2)
    config = S2SConfig(24, texts, 2, 16, temporal, depth_width=16, depth_layers=1, depth_heads=2)
    write_part(folder, "listener", listener, LISTENER, {})
    write_part(folder, "codec", codec, CODEC, {})
    write_part(folder, "s2s", HybridS2S(config), config, {"words": list(WORDS)})
    return folder


def buzz(pitch_hz: float, seconds: float) -> Floats:
    """The caller: a sound (N,) that the VAD takes for speech."""
    chunks = voice(round(seconds / 0.08), pitch_hz, 0.2)
    return floats_from_pcm16(np.concatenate(chunks))


def conversation(folder: Path, name: str, pitches: list[float]) -> None:
    """One stereo recording: each question is a buzz of 0.8 s, answered 0.8 s later."""
    length = round((3.2 * len(pitches) + 1) * SAMPLE_RATE_HZ)
    sound = 0.0003 * np.random.default_rng(len(pitches)).standard_normal((length, 2))
    alignments: list[object] = []
    for i, pitch in enumerate(pitches):
        asked = round((3.2 * i + 0.4) * SAMPLE_RATE_HZ)
        question = buzz(pitch, 0.8)
        sound[asked : asked + len(question), 1] += question
        at = 3.2 * i + 2.0
        for word in ANSWERS[pitch].split():
            said = buzz(200.0, 0.24) * 0.5
            start = round(at * SAMPLE_RATE_HZ)
            sound[start : start + len(said), 0] += said
            alignments.append([word.capitalize() + ",", [at, at + 0.24], "SPEAKER_MAIN"])
            at += 0.3
        alignments.append(["what?", [3.2 * i + 0.4, 3.2 * i + 1.2], "SPEAKER_CALLER"])
    soundfile.write(folder / f"{name}.wav", sound, SAMPLE_RATE_HZ, subtype="PCM_16")
    (folder / f"{name}.json").write_text(json.dumps({"alignments": alignments}))
    with (folder / "data.jsonl").open("a") as index:
        entry = {"path": f"{name}.wav", "duration": length / SAMPLE_RATE_HZ}
        index.write(json.dumps(entry) + "\n")


def conversations(folder: Path) -> Path:
    """A folder of two recordings with eight questions each."""
    folder.mkdir(parents=True)
    for name in ("a", "b"):
        conversation(folder, name, [90.0, 300.0, 300.0, 90.0] * 2)
    return folder
