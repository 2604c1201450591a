"""Whisper's log-mel spectrogram against torch's."""

import numpy as np
import pytest
import torch
from torchaudio.functional import melscale_fbanks

from workers.models.speech_to_text.whisper_mel import _filters, log_mel


@pytest.mark.parametrize("bins", [80, 128])
def test_the_filters_are_slaneys(bins: int) -> None:
    wanted = melscale_fbanks(201, 0.0, 8_000.0, bins, 16_000, norm="slaney", mel_scale="slaney")
    assert np.abs(_filters(bins) - wanted.numpy()).max() < 1e-6


def test_the_spectrogram_is_whispers() -> None:
    rng = np.random.default_rng(5)
    samples = (0.1 * rng.standard_normal(32_000) * np.linspace(0, 1, 32_000)).astype("f4")
    spectrum = torch.stft(
        torch.from_numpy(samples), 400, 160, window=torch.hann_window(400), return_complex=True
    )
    power = spectrum[:, :-1].abs() ** 2
    filters = melscale_fbanks(201, 0.0, 8_000.0, 80, 16_000, norm="slaney", mel_scale="slaney")
    logs = torch.clamp(filters.T @ power, min=1e-10).log10()
    wanted = (torch.maximum(logs, logs.max() - 8.0) + 4.0) / 4.0
    found = log_mel(samples, 80)
    assert found.shape == (80, 200)
    assert found.dtype == np.float32
    assert np.abs(found - wanted.numpy()).max() < 1e-4


def test_silence_is_the_floor_everywhere() -> None:
    found = log_mel(np.zeros(16_000, np.float32), 80)
    assert np.allclose(found, (-10.0 + 4.0) / 4.0)
