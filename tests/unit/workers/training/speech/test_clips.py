"""The pitch tracker, and pieces of recordings."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from workers.training.speech.assistant import Utterance, save_shard
from workers.training.speech.clips import HOP, Clips, padded, pitch


@pytest.mark.parametrize("hz", [130.0, 181.3, 240.0])
def test_the_pitch_of_a_voice_like_tone_is_found(hz: float) -> None:
    at = torch.arange(24_000) / 24_000
    tone = torch.stack([torch.sin(math.tau * hz * k * at) / k for k in range(1, 12)]).sum(0) * 0.1
    found = pitch(tone)
    assert found.shape == (100,)
    assert (found[5:95] / hz - 1).abs().max() < 0.01


def test_noise_and_silence_have_no_pitch() -> None:
    noise = 0.1 * torch.randn(24_000, generator=torch.Generator().manual_seed(0))
    assert (pitch(noise) > 0).float().mean() < 0.05
    assert not pitch(torch.zeros(4800)).any()


def test_a_recording_is_padded_to_whole_steps_of_silence() -> None:
    whole = padded(np.full(1000, 16384, dtype=np.int16))
    assert len(whole) % 1920 == 0
    assert (whole[:1000] == 0.5).all()
    assert not whole[1000:].any()
    assert len(whole) >= 1000 + 0.6 * 24_000


def test_pieces_of_sound_mel_and_pitch_belong_together(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    said = [Utterance(t, rng.integers(-9000, 9000, 9600).astype(np.int16), []) for t in "ab"]
    save_shard(tmp_path, "few", said)
    clips = Clips(tmp_path, ["few"], with_pitch=True)
    assert len(clips.mel) * HOP == len(clips.audio) == len(clips.f0) * HOP
    second = int(clips.starts[1])
    sounds = clips.sounds([second], 40)
    assert torch.equal(sounds[0], torch.from_numpy(said[1].samples / np.float32(32768)))
    assert clips.mels([0, second], 12).shape == (2, 12, 80)
    offsets = clips.offsets(rng, 200, 50)
    assert min(offsets) >= 0
    assert max(offsets) + 50 <= clips.starts[-1]
    assert offsets.count(second) > 5
