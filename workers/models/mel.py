"""Computes log-mel frames, causal and streaming: frame t uses samples up to (t + 1) * hop.

Letters: B rows, N samples, T frames, M mel bins.
The convention is HiFi-GAN's: magnitude spectrum, Slaney filters of unit area, natural logarithm.
"""

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor, nn

from shared.audio import CHUNK_SAMPLES, SAMPLE_RATE_HZ

# Slaney's mel scale: linear below 1 kHz, logarithmic above.
_LINEAR_HZ_PER_MEL: Final = 200.0 / 3.0
_BREAK_HZ: Final = 1000.0
_BREAK_MEL: Final = _BREAK_HZ / _LINEAR_HZ_PER_MEL  # 15
_LOG_STEP: Final = 0.06875177742094912  # ln(6.4) / 27


@dataclass(frozen=True, slots=True)
class MelConfig:
    """The parameters of a mel frame. Every weights folder records them in parity.json."""

    sample_rate_hz: int = SAMPLE_RATE_HZ
    hop: int = 240  # samples: 10 ms
    window: int = 1024  # samples, also the FFT's size: 42.7 ms, all of it in the past
    bins: int = 80
    low_hz: float = 0.0
    high_hz: float = 12_000.0
    floor: float = 1e-5

    @property
    def past(self) -> int:
        """How many earlier samples the next frame still needs: 784."""
        return self.window - self.hop

    @property
    def frames_per_step(self) -> int:
        """Mel frames in a model step of 80 ms: 8."""
        return CHUNK_SAMPLES // self.hop


def hz_to_mel(hz: Tensor) -> Tensor:
    """Hertz -> Slaney mels, any shape."""
    above = _BREAK_MEL + torch.log(hz.clamp(min=1e-3) / _BREAK_HZ) / _LOG_STEP
    return torch.where(hz < _BREAK_HZ, hz / _LINEAR_HZ_PER_MEL, above)


def mel_to_hz(mel: Tensor) -> Tensor:
    """Slaney mels -> Hertz, any shape."""
    above = _BREAK_HZ * torch.exp(_LOG_STEP * (mel - _BREAK_MEL))
    return torch.where(mel < _BREAK_MEL, mel * _LINEAR_HZ_PER_MEL, above)


def mel_edges_hz(config: MelConfig) -> Tensor:
    """The corners of the triangular filters in Hertz, shape (M + 2,); bin m peaks at m + 1."""
    ends = hz_to_mel(torch.tensor([config.low_hz, config.high_hz], dtype=torch.float64))
    return mel_to_hz(torch.linspace(float(ends[0]), float(ends[1]), config.bins + 2).double())


def mel_filters(config: MelConfig) -> Tensor:
    """Triangular filters of unit area, shape (window // 2 + 1, M), float32."""
    bins_hz = torch.linspace(0, config.sample_rate_hz / 2, config.window // 2 + 1).double()
    edges = mel_edges_hz(config)
    low, peak, high = edges[:-2], edges[1:-1], edges[2:]
    rising = (bins_hz[:, None] - low) / (peak - low)
    falling = (high - bins_hz[:, None]) / (high - peak)
    triangles = torch.minimum(rising, falling).clamp(min=0)
    return (triangles * 2.0 / (high - low)).float()


class LogMel(nn.Module):
    """Samples -> log-mel frames. Chunks of whole hops give the frames of the whole recording."""

    filters: Tensor
    taper: Tensor

    def __init__(self, config: MelConfig | None = None) -> None:
        super().__init__()
        self.config = config or MelConfig()
        self.register_buffer("filters", mel_filters(self.config), persistent=False)
        taper = torch.hann_window(self.config.window)
        self.register_buffer("taper", taper, persistent=False)

    def initial(self, rows: int) -> Tensor:
        """The state of `rows` fresh streams: silence, shape (rows, window - hop), float32."""
        return self.taper.new_zeros(rows, self.config.past)

    def stream(self, samples: Tensor, past: Tensor) -> tuple[Tensor, Tensor]:
        """Samples (B, N), N a multiple of hop, in [-1, 1] -> frames (B, N // hop, M), new past."""
        if samples.shape[-1] % self.config.hop:
            raise ValueError(
                f"Expected whole hops of {self.config.hop} samples, got {samples.shape[-1]} samples"
            )
        joined = torch.cat([past, samples], dim=-1)
        frames = joined.unfold(-1, self.config.window, self.config.hop)  # (B, T, window)
        magnitude = torch.fft.rfft(frames * self.taper).abs()
        mel = torch.log((magnitude @ self.filters).clamp(min=self.config.floor))
        return mel, joined[:, joined.shape[-1] - self.config.past :]

    def forward(self, samples: Tensor) -> Tensor:
        """Whole recordings (B, N) -> frames (B, N // hop, M). Drops an incomplete last hop."""
        whole = samples.shape[-1] - samples.shape[-1] % self.config.hop
        return self.stream(samples[:, :whole], self.initial(len(samples)))[0]
