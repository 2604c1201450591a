"""The rows of voices and styles, and their section in the report."""

import numpy as np
import pytest
import torch

from shared.audio import Floats
from shared.voices import Persona
from workers.evaluation.voice_styles import BEGIN, END, StyleRow, placed, section, spoken
from workers.models.tokenizer.codec import CodecConfig, SpeechCodec
from workers.models.voice.repertoire import Repertoire, Style, Timbre
from workers.models.voice.vocoder import Vocoder, VocoderConfig
from workers.models.voice.voice import Voice


def gliding(low_hz: float, high_hz: float) -> Floats:
    """Two seconds of a voice-like tone that glides evenly in semitones."""
    hz = low_hz * (high_hz / low_hz) ** (np.arange(48_000) / 48_000)
    turns = np.cumsum(hz) / 24_000
    tone = np.sum([np.sin(2 * np.pi * k * turns) / k for k in range(1, 12)], axis=0)
    found: Floats = (0.1 * tone).astype(np.float32)
    return found


@pytest.mark.parametrize("low_hz", [80.0, 150.0])
def test_pitch_and_melody_are_measured_in_the_sound(low_hz: float) -> None:
    row = StyleRow.of(Persona("a", "b"), [gliding(low_hz, 2 * low_hz)], [True, False])
    assert row.pitch_hz == pytest.approx(low_hz * 2**0.5, rel=0.02)
    assert row.melody_semitones == pytest.approx(0.8 * 12, rel=0.05)
    assert row.right == 0.5
    assert row.low < 0.5 < row.high


def test_each_persona_sounds_different() -> None:
    torch.manual_seed(1)
    sizes = {"encoder_blocks": 1, "decoder_blocks": 1, "fine_blocks": 1, "codebooks": 2}
    codec = SpeechCodec(CodecConfig(width=16, hidden=16, fine_width=8, fine_hidden=8, **sizes))
    vocoder = Vocoder(VocoderConfig(width=16, hidden=16, blocks=1))
    repertoire = Repertoire({"own": Timbre(), "low": Timbre(0.5)}, {"own": Style()})
    voice = Voice(codec.eval(), vocoder.eval(), 2, repertoire)
    recording = np.random.default_rng(0).integers(-9_000, 9_000, 6_000).astype(np.int16)
    own, low = spoken(voice, recording, [Persona("own"), Persona("low")])
    assert len(own) == len(low) >= len(recording)
    assert not np.allclose(own, low, atol=1e-4)


def test_the_section_replaces_only_itself() -> None:
    rows = [StyleRow("a", "b", 60, 110.0, 5.0, -24.0, 0.9, 0.8, 0.95)]
    once = placed("# Evaluation\n\ntext\n", section(rows))
    assert once.startswith("# Evaluation\n\ntext\n\n" + BEGIN)
    later = placed(once.replace("110", "99") + "after\n", section(rows))
    assert later == once + "after\n"
    assert later.count(END) == 1
