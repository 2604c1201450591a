"""Random pieces of the assistant's recordings, to train the codec and the vocoder.

Letters: B pieces, T mel frames, M mel bins, H = 240 samples a frame.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch import Tensor

from shared.audio import SAMPLE_RATE_HZ, Floats, Pcm16, floats_from_pcm16
from workers.models.mel import LogMel, MelConfig
from workers.training.speech.assistant import load_shard

HOP: Final = MelConfig().hop
SHARDS: Final = ("broad", "replies", "spanish")
SILENCE_S: Final = 0.6  # after every recording: the codec must learn silence and the end of speech
# The voice's pitch lies between 130 and 240 Hz; values far outside are octave errors of the
# tracker.
LOW_HZ: Final = 110.0
HIGH_HZ: Final = 300.0
OCTAVE_COST: Final = 0.15
VOICED_ABOVE: Final = 0.6  # normalised autocorrelation


def padded(samples: Pcm16) -> Floats:
    """A recording with silence after it, in whole steps of 80 ms, float32."""
    step = HOP * 8
    length = -(-(len(samples) + round(SILENCE_S * SAMPLE_RATE_HZ)) // step) * step
    return np.pad(floats_from_pcm16(samples), (0, length - len(samples)))


def pitch(audio: Tensor, low_hz: float = LOW_HZ, high_hz: float = HIGH_HZ) -> Tensor:
    """Samples (N,), N a multiple of H -> F0 in Hertz at samples k * H, (N / H,); 0: unvoiced.

    It takes the peak of the normalised autocorrelation over 1,024 samples, refined by a parabola.
    """
    size, low, high = 1024, int(SAMPLE_RATE_HZ / high_hz), int(SAMPLE_RATE_HZ / low_hz)
    frames = torch.nn.functional.pad(audio, (size // 2, size // 2)).unfold(0, size, HOP)[:-1]
    taper = torch.hann_window(size)
    own = torch.fft.irfft(torch.fft.rfft(taper, n=2 * size).abs().square())[:size]
    spectrum = torch.fft.rfft((frames - frames.mean(1, keepdim=True)) * taper, n=2 * size)
    power = torch.fft.irfft(spectrum.abs().square())[:, :size]
    shape = power / (power[:, :1] + 1e-7) / (own / own[0])
    # Two periods correlate as well as one: the shorter lag wins unless the longer is clearly
    # better.
    favour = 1 - OCTAVE_COST * torch.arange(low, high) / high
    lag = (shape[:, low:high] * favour).argmax(dim=1) + low
    near = torch.stack([shape.gather(1, (lag + d)[:, None])[:, 0] for d in (-1, 0, 1)])
    bend = (near[0] - 2 * near[1] + near[2]).clamp(max=-1e-6)
    exact = lag + (0.5 * (near[0] - near[2]) / bend).clamp(-0.5, 0.5)
    voiced = (near[1] > VOICED_ABOVE) & (power[:, 0] > 1e-3)
    return torch.where(voiced, SAMPLE_RATE_HZ / exact, torch.zeros(()))


class Clips:
    """All recordings of some shards in memory, with their mels and, `with_pitch`, their pitch."""

    def __init__(
        self, runs: Path, shards: Sequence[str] = SHARDS, with_pitch: bool = False
    ) -> None:
        parts = [load_shard(runs, shard) for shard in shards]
        recordings = [utterance.samples for part in parts for utterance in part]
        whole = [torch.from_numpy(padded(samples)) for samples in recordings]
        log_mel = LogMel()
        self.starts = np.cumsum([0] + [len(audio) // HOP for audio in whole])
        # The number of each shard's first recording.
        self.shards = np.cumsum([0] + [len(part) for part in parts])
        self.mel = torch.cat([log_mel(audio[None])[0] for audio in whole])
        self.audio = torch.cat(whole)
        self.f0 = torch.cat([pitch(audio) for audio in whole]) if with_pitch else torch.zeros(0)

    def offsets(self, rng: np.random.Generator, count: int, frames: int) -> list[int]:
        """Where pieces of `frames` mel frames begin; a quarter begin with a recording."""
        last = int(self.starts[-1]) - frames
        anywhere = rng.integers(0, last, size=count)
        begins = self.starts[rng.integers(0, len(self.starts) - 1, size=count)]
        chosen = np.where(rng.random(count) < 0.25, np.minimum(begins, last), anywhere)
        return [int(offset) for offset in chosen]

    def mels(self, offsets: Sequence[int], frames: int) -> Tensor:
        """-> (B, T, M)."""
        return torch.stack([self.mel[o : o + frames] for o in offsets])

    def sounds(self, offsets: Sequence[int], frames: int) -> Tensor:
        """-> (B, T * H)."""
        return torch.stack([self.audio[o * HOP : (o + frames) * HOP] for o in offsets])

    def pitches(self, offsets: Sequence[int], frames: int) -> Tensor:
        """-> (B, T) Hertz, 0 where unvoiced."""
        return torch.stack([self.f0[o : o + frames] for o in offsets])
