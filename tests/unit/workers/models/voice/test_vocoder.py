"""The vocoder: streaming equals offline, rows are independent, the pulse train is exact."""

import math

import pytest
import torch
from torch import Tensor

from tests.tolerances import FLOAT32_SOUND
from workers.models.voice.vocoder import (
    DELAY,
    FFT,
    HOP,
    SILENT_MEL,
    Vocoder,
    VocoderConfig,
    pulses,
    response,
    response_taper,
)

TOLERANCE = FLOAT32_SOUND
CONFIG = VocoderConfig(width=24, hidden=48, blocks=2, harmonic_cepstra=16, noise_cepstra=8)


@pytest.fixture
def vocoder() -> Vocoder:
    torch.manual_seed(0)
    made = Vocoder(CONFIG).eval().requires_grad_(False)
    made.out.weight.mul_(5.0)
    return made


@pytest.fixture
def mel() -> Tensor:
    torch.manual_seed(1)
    return torch.randn(3, 48, 80) * 2 - 6


@pytest.mark.parametrize("chunks", [[54], [8] * 6 + [6], [1] * 54, [5, 8, 1, 30, 10]])
def test_any_chunking_is_the_offline_sound_late_by_the_delay(
    vocoder: Vocoder, mel: Tensor, chunks: list[int]
) -> None:
    silence = torch.full((3, DELAY, 80), SILENT_MEL)
    state, parts = vocoder.initial(3), []
    for piece in torch.split(torch.cat([mel, silence], dim=1), chunks, dim=1):
        sound, state = vocoder.stream(piece, state)
        parts.append(sound)
    streamed = torch.cat(parts, dim=1)
    assert not streamed[:, : DELAY * HOP].any()
    offline = vocoder(mel)
    assert offline.shape == (3, 48 * HOP)
    assert (streamed[:, DELAY * HOP :] - offline).abs().max() < TOLERANCE


def test_sound_does_not_depend_on_later_mels(vocoder: Vocoder, mel: Tensor) -> None:
    changed = mel.clone()
    changed[:, 30:] += 3.0
    before = (30 - DELAY + 1) * HOP - HOP
    difference = (vocoder(mel) - vocoder(changed)).abs()
    assert difference[:, :before].max() < TOLERANCE
    assert difference[:, before:].max() > TOLERANCE


def test_a_row_does_not_depend_on_its_neighbours(vocoder: Vocoder, mel: Tensor) -> None:
    assert (vocoder(mel)[1:2] - vocoder(mel[1:2])).abs().max() < TOLERANCE


def test_pulses_have_unit_power_and_their_pitch() -> None:
    hops = 100
    live = torch.ones(1, hops, dtype=torch.bool)
    log_f0 = torch.full((1, hops + 1), math.log(200.0))
    train, phase = pulses(log_f0, torch.zeros(1, dtype=torch.float64), live)
    sound = train.reshape(-1)
    assert sound.square().mean() == pytest.approx(1.0, abs=0.02)
    # Pulses lie at sample 0 and a period of 120 samples later, with none between.
    assert (sound[::120] > 10).all()
    assert sound.reshape(-1, 120)[:, 1:].abs().max() < 3
    turns = float(phase[0])
    assert min(turns, 1 - turns) < 1e-4  # the logarithm of 200 in float32, 100 hops on


def test_pulses_before_the_reply_leave_the_phase_alone() -> None:
    log_f0 = torch.full((1, 4), math.log(210.0))
    phase = torch.full((1,), 0.25, dtype=torch.float64)
    _, after = pulses(log_f0, phase, torch.zeros(1, 3, dtype=torch.bool))
    assert float(after) == 0.25


def test_a_sharp_filter_does_not_wrap_around() -> None:
    sharp = 0.6 * torch.cos(math.tau * 180 / 24_000 * torch.arange(128))  # a resonance at 180 Hz
    heard = torch.fft.irfft(response(sharp, response_taper()), n=FFT)
    assert heard[-HOP:].abs().max() < 1e-5 * heard.abs().max()
    assert heard.abs().max() > 1


def test_a_voiced_sound_has_no_noise_in_it(vocoder: Vocoder) -> None:
    hops = 20
    said = vocoder.parameters_of(torch.zeros(1, hops + 1, vocoder.out.out_features))
    steady = torch.full_like(said.log_f0, math.log(200.0))
    said = said._replace(log_f0=steady, voicing=torch.full_like(steady, 20.0))
    at = torch.arange(hops)[None]
    sound, _, _ = vocoder.speak(
        said, at, torch.zeros(1, dtype=torch.float64), torch.zeros(1, FFT - HOP)
    )
    periods = sound[0, HOP * 4 :].reshape(-1, 120)
    assert (periods - periods[0]).abs().max() < 0.02  # noise would differ by several units
    assert periods.abs().max() > 1.0
