"""The codec's mel, converted to the checkpoint's, against the true analysis of the same sound."""

import math

import torch
from torch import Tensor
from torchaudio.functional import resample

from workers.models.hifigan.mel import DENSITY, SOURCE, TARGET, bin_map, place, resampled
from workers.models.mel import LogMel

# Log-mel L1 in nepers on a made-up voice with noise; the codec's own error is about .32.
WORST = 0.25


def voice(seconds: float = 2.0) -> Tensor:
    """A gliding pitch, harmonics that fall off and move, and noise, (1, N) at 24 kHz."""
    t = torch.arange(int(seconds * 24_000)) / 24_000
    phase = 2 * math.pi * (140 * t + 15 * (2 * math.pi * t).sin() / (2 * math.pi))
    sound = torch.zeros_like(t)
    for k in range(1, 50):
        size = k**-0.7 * (1 + 0.8 * torch.cos(2 * math.pi * (1.3 * t + k / 9)))
        sound += size * torch.sin(k * phase)
    noise = torch.randn(len(t), generator=torch.Generator().manual_seed(0))
    return (0.02 * sound + 0.002 * noise)[None]


def test_the_mapping_is_near_the_true_analysis() -> None:
    sound = voice()
    mel = LogMel(SOURCE)(sound)
    pad = TARGET.window - TARGET.hop
    low = torch.nn.functional.pad(resample(sound, 24_000, 22_050), (pad // 2, pad // 2))
    wanted = LogMel(TARGET)(low)[:, pad // TARGET.hop :]
    numbers = torch.arange(wanted.shape[1] - 6)
    read = resampled(mel, place(numbers)[None]) @ bin_map() + DENSITY
    error = (read - wanted[:, : read.shape[1]])[:, 6:].abs().mean()
    assert error < WORST
    # Neither a frame earlier nor one later fits better: time is right to half a frame.
    for shift in (-1, 1):
        other = (read[:, 7:-1] - wanted[:, 7 + shift : read.shape[1] - 1 + shift]).abs().mean()
        assert other > error


def test_the_weights_of_a_bin_add_up_to_one() -> None:
    assert torch.allclose(bin_map().sum(dim=0), torch.ones(80))
