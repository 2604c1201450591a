"""Removes the generator's own hum: subtracts its output for silence from every spectrum.

Letters: B rows, N samples, K frames of a short-time spectrum a hop of 256 apart. The frames lie on
the grid of the mel frames, so the result does not depend on where a window begins.
"""

from typing import Final

import torch
from torch import Tensor, nn

from workers.models.hifigan.generator import HifiGanGenerator

FFT: Final = 1024
HOP: Final = 256
EDGE: Final = FFT - HOP  # samples at both ends of a window that too few frames cover
STRENGTH: Final = 0.005  # the value of the checkpoint's authors
SILENT_FRAMES: Final = 88  # frames of zeros, also as the authors use


class Denoiser(nn.Module):
    """Subtracts `strength` times the magnitude of the generator's sound for a mel of zeros."""

    hum: Tensor
    taper: Tensor

    def __init__(self, generator: HifiGanGenerator, strength: float = STRENGTH) -> None:
        super().__init__()
        weight = generator.conv_pre.weight
        self.strength = strength
        self.register_buffer("taper", torch.hann_window(FFT, device=weight.device))
        zeros = weight.new_zeros(1, generator.config.mel_bins, SILENT_FRAMES)
        with torch.no_grad():
            sound = generator(zeros)[0]
        start = len(sound) // 2 // HOP * HOP
        frame = sound[start : start + FFT] * self.taper
        self.register_buffer("hum", torch.fft.rfft(frame).abs())

    def forward(self, sound: Tensor) -> Tensor:
        """(B, N), N a multiple of 256 -> (B, N); `EDGE` samples at both ends are incomplete."""
        frames = sound.unfold(-1, FFT, HOP) * self.taper  # (B, K, FFT)
        spectrum = torch.fft.rfft(frames)
        size = spectrum.abs()
        kept = (size - self.strength * self.hum).clamp(min=0) / size.clamp(min=1e-9)
        clean = torch.fft.irfft(spectrum * kept, n=FFT) * self.taper
        return self._overlapped(clean) / self._overlapped(
            self.taper.square().expand_as(clean)
        ).clamp(min=1e-6)

    def _overlapped(self, frames: Tensor) -> Tensor:
        """(B, K, FFT) a hop apart -> their sum (B, (K - 1) * HOP + FFT)."""
        length = (frames.shape[1] - 1) * HOP + FFT
        folded = nn.functional.fold(
            frames.transpose(1, 2), (1, length), (1, FFT), stride=(1, HOP)
        )  # (B, K, FFT) -> (B, FFT, K) -> (B, 1, 1, N)
        return folded.reshape(len(frames), length)
