"""Converts the codec's mel frames to those that the public HiFi-GAN was trained on.

| | the codec | the checkpoint |
|---|---|---|
| sample rate | 24 kHz | 22.05 kHz |
| hop, window | 240, 1,024 samples: 10, 42.7 ms | 256, 1,024: 11.6, 46.4 ms |
| bins | 80 up to 12 kHz | 80 up to 8 kHz |
| a frame lies | wholly before its end | around its middle |

Both are log magnitudes in filters of unit area. So the second follows from the first by
interpolation, between bin centres along frequency and between frame centres along time. The
logarithm of the density of FFT bins, 24,000 / 22,050, is added. This is an approximation: the codec
has fewer bins under 8 kHz (61), so it averages neighbours that the other resolves.
`tests/unit/workers/models/hifigan/test_mel.py` measures the error.
"""

import math
from typing import Final

import torch
from torch import Tensor

from workers.models.mel import MelConfig, mel_edges_hz

SOURCE: Final = MelConfig()
TARGET: Final = MelConfig(22_050, hop=256, high_hz=8_000.0)
DENSITY: Final = math.log(SOURCE.sample_rate_hz / TARGET.sample_rate_hz)  # 0.085 nepers
# The codec's frames in one of the checkpoint's: 1.161.
FRAMES_PER_FRAME: Final = TARGET.hop / TARGET.sample_rate_hz * SOURCE.sample_rate_hz / SOURCE.hop
# Frame t of the codec uses samples up to (t + 1) * hop; its middle lies 1.13 frames back.
MIDDLE: Final = (SOURCE.window / 2 - SOURCE.hop) / SOURCE.hop


def place(frames: Tensor) -> Tensor:
    """Numbers of the checkpoint's frames (any shape) -> where they lie among the codec's."""
    return (frames.double() + 0.5) * FRAMES_PER_FRAME + MIDDLE


def bin_map() -> Tensor:
    """Weights (80, 80), float32: the codec's bins @ map = the checkpoint's bins, both logs."""
    ours, theirs = mel_edges_hz(SOURCE)[1:-1], mel_edges_hz(TARGET)[1:-1]
    above = torch.searchsorted(ours, theirs).clamp(1, len(ours) - 1)
    part = ((theirs - ours[above - 1]) / (ours[above] - ours[above - 1])).clamp(0, 1)
    weights = torch.zeros(len(ours), len(theirs), dtype=torch.float64)
    columns = torch.arange(len(theirs))
    weights[above - 1, columns] = 1 - part
    weights[above, columns] += part
    return weights.float()


def resampled(mel: Tensor, at: Tensor) -> Tensor:
    """The codec's frames (B, T, 80), read at places (B, K) in [0, T - 1] -> (B, K, 80)."""
    low = at.floor().long().clamp(0, mel.shape[1] - 2)
    part = (at - low).to(mel.dtype)[..., None]
    index = low[..., None].expand(-1, -1, mel.shape[2])
    return torch.lerp(mel.gather(1, index), mel.gather(1, index + 1), part)
