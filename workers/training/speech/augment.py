"""Distorts batches of log-mels: speaker, room, microphone, noise, tempo and level.

Working on log-mels, one synthesis gives many renditions. A batch is (B, T, M) float32 with true
lengths (B,). Frames beyond a row's length are silence, and stay so except for noise. All draws come
from the augmenter's generator.
"""

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional as F

from workers.models.mel import MelConfig, hz_to_mel, mel_edges_hz

SILENCE: Final = -11.5129  # log(1e-5): the mel floor
FLUTTER_FRAMES: Final = 4096  # of the noise's random fluctuation
_NEPER_DB: Final = 8.686  # decibels in one neper of amplitude


@dataclass(frozen=True, slots=True)
class Strength:
    """The range of each distortion; the defaults train the listener."""

    warp: tuple[float, float] = (0.87, 1.15)  # factor of the frequency axis: vocal tract length
    stretch: tuple[float, float] = (0.85, 1.2)  # factor of the duration
    stretch_rows: bool = True  # False: one factor for a batch, which keeps equal lengths equal
    gain_db: tuple[float, float] = (-16.0, 8.0)
    channel_db: float = 5.0  # of each of four cosines over the mel axis
    narrow: float = 0.15  # share of rows limited to a telephone-like band
    noise_db: tuple[float, float] = (3.0, 45.0)  # signal-to-noise ratio
    quiet: float = 0.25  # share of rows without noise
    babble: float = 0.15  # share of noisy rows with another row's speech as noise
    room: float = 0.35  # share of rows with reverberation
    masks: int = 2  # of each kind, time and frequency
    mask_frames: int = 12
    mask_bins: int = 10


# Speaker and tempo only, for samples that already carry rooms, microphones and noise.
SPEAKER_AND_TEMPO: Final = Strength(
    stretch_rows=False,
    gain_db=(0.0, 0.0),
    channel_db=0.0,
    narrow=0.0,
    quiet=1.0,
    room=0.0,
    masks=1,
)


class Augmenter:
    """Applies distortions of a `Strength` with a seeded generator."""

    def __init__(self, strength: Strength | None = None, seed: int = 0) -> None:
        self.strength = strength or Strength()
        self._draws = torch.Generator().manual_seed(seed)
        edges = mel_edges_hz(MelConfig())[1:-1]
        # Drawn once and read at random places: drawing it for each batch doubled the cost.
        self._flutter = 0.45 * torch.randn(FLUTTER_FRAMES, len(edges), generator=self._draws)
        self._centres_hz = edges.float()
        self._bin_mels = hz_to_mel(edges).float()

    def __call__(self, mels: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """(B, T, M), (B,) -> distorted (B, T', M) and new lengths; the input stays unchanged."""
        mels, lengths = self.tempo(mels, lengths)
        mels = self.line(self.room(self.warp(mels)))
        return self.masks(self.noise(mels)), lengths

    def _uniform(self, rows: int, low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(rows, generator=self._draws)

    def _chosen(self, rows: int, share: float) -> Tensor:
        return torch.rand(rows, generator=self._draws) < share

    def tempo(self, mels: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Stretch each row in time, keeping its pitch."""
        B, T, M = mels.shape
        factor = self._uniform(B if self.strength.stretch_rows else 1, *self.strength.stretch)
        factor = factor.expand(B)
        stretched = (lengths * factor).long().clamp(min=8)
        frames = torch.arange(int(stretched.max()))
        source = (frames[None] / factor[:, None]).clamp(max=T - 1)  # (B, T')
        low = source.long()
        part = (source - low)[..., None]
        index = low[..., None].expand(-1, -1, M)
        above = (index + 1).clamp(max=T - 1)
        y = torch.lerp(mels.gather(1, index), mels.gather(1, above), part)
        outside = frames[None] >= stretched[:, None]
        return y.masked_fill(outside[..., None], SILENCE), stretched

    def warp(self, mels: Tensor) -> Tensor:
        """Scale each row's frequency axis, as a longer or shorter vocal tract does."""
        B, T, M = mels.shape
        factor = self._uniform(B, *self.strength.warp)
        wanted = hz_to_mel(self._centres_hz[None] * factor[:, None])  # (B, M)
        spacing = (self._bin_mels[-1] - self._bin_mels[0]) / (M - 1)
        source = ((wanted - self._bin_mels[0]) / spacing).clamp(0, M - 1)
        low = source.long().clamp(max=M - 2)
        index = low[:, None].expand(B, T, M)
        return torch.lerp(mels.gather(2, index), mels.gather(2, index + 1), (source - low)[:, None])

    def room(self, mels: Tensor) -> Tensor:
        """Smear the energy of some rows over time: a room with 0.15 to 0.6 s of reverberation."""
        chosen = self._chosen(len(mels), self.strength.room)
        if not chosen.any():
            return mels
        rows = mels[chosen]
        reverberation_s = self._uniform(len(rows), 0.15, 0.6)
        decay = torch.exp(-6.9 * 0.01 / reverberation_s)  # of amplitude squared a frame of 10 ms
        level = self._uniform(len(rows), 0.02, 0.25)
        lag = torch.arange(1, 33)
        kernel = level[:, None] * (1 - decay)[:, None] * decay[:, None] ** lag  # (R, 32)
        kernel = torch.cat([kernel.flip(1), torch.ones(len(rows), 1)], dim=1)
        energy = (2 * rows).exp().permute(2, 0, 1)  # (R, T, M) -> (M, R, T)
        smeared = F.conv1d(F.pad(energy, (32, 0)), kernel[:, None], groups=len(rows))
        y = mels.clone()
        y[chosen] = 0.5 * smeared.clamp(min=1e-10).log().permute(1, 2, 0)
        return y

    def line(self, mels: Tensor) -> Tensor:
        """Apply a gain, a smooth frequency response, and in some rows a narrow band."""
        B, _, M = mels.shape
        position = torch.linspace(0, torch.pi, M)
        cosines = torch.stack([(k * position).cos() for k in range(1, 5)])  # (4, M)
        weight = torch.randn(B, 4, generator=self._draws) * self.strength.channel_db / 2
        curve = weight @ cosines + self._uniform(B, *self.strength.gain_db)[:, None]
        low = self._uniform(B, 150, 350)[:, None]
        high = self._uniform(B, 3300, 6000)[:, None]
        outside = (self._centres_hz < low) | (self._centres_hz > high)  # (B, M)
        narrow = self._chosen(B, self.strength.narrow)[:, None] & outside
        curve = curve - 40.0 * narrow
        return (mels + (curve / _NEPER_DB)[:, None]).clamp(min=SILENCE)

    def noise(self, mels: Tensor) -> Tensor:
        """Add coloured noise, or another row's speech, at a random distance below the speech."""
        B, T, M = mels.shape
        loud = mels.amax(dim=1).mean(dim=1)  # (B,) approximate level of the speech
        distance = self._uniform(B, *self.strength.noise_db) / _NEPER_DB
        tilt = self._uniform(B, -2.5, 0.5)[:, None] * torch.linspace(0, 1, M)  # nepers over M
        bumps = torch.randn(B, 10, generator=self._draws)[:, None] * 0.4
        colour = tilt + F.interpolate(bumps, M, mode="linear", align_corners=True)[:, 0]
        offset = torch.randint(FLUTTER_FRAMES, (B,), generator=self._draws)
        place = (offset[:, None] + torch.arange(T)) % FLUTTER_FRAMES
        flutter = self._flutter[place]  # (B, T, M)
        steady = colour[:, None] - colour.mean(1)[:, None, None] + flutter
        voices = mels.roll(1, dims=0).roll(T // 3, dims=1) - loud.roll(1)[:, None, None]
        babble = self._chosen(B, self.strength.babble)[:, None, None]
        noise = torch.where(babble, voices, steady) + (loud - distance)[:, None, None]
        clean = self._chosen(B, self.strength.quiet)[:, None, None]
        noise = noise.masked_fill(clean, SILENCE)
        return torch.logaddexp(2 * mels, 2 * noise) / 2

    def masks(self, mels: Tensor) -> Tensor:
        """Replace short times and narrow bands by the row's mean."""
        B, T, M = mels.shape
        hidden = torch.zeros(B, T, M, dtype=torch.bool)
        for _ in range(self.strength.masks):
            hidden |= self._stripes(B, T, self.strength.mask_frames)[:, :, None]
            hidden |= self._stripes(B, M, self.strength.mask_bins)[:, None, :]
        mean = mels.mean(dim=(1, 2), keepdim=True)
        return torch.where(hidden, mean, mels)

    def _stripes(self, rows: int, size: int, widest: int) -> Tensor:
        width = self._uniform(rows, 0, widest)[:, None]
        start = self._uniform(rows, 0, max(1, size - widest))[:, None]
        place = torch.arange(size)[None]
        return (place >= start) & (place < start + width)


def whole_steps(mels: Tensor) -> Tensor:
    """Pad (B, F, M) with silence to a multiple of 8 frames."""
    return F.pad(mels, (0, 0, 0, -mels.shape[1] % 8), value=SILENCE)


def padded(mels: Tensor, before: int, after: int) -> Tensor:
    """Pad a recording with silence: (T, M) -> (before + T + after, M)."""
    return F.pad(mels, (0, 0, before, after), value=SILENCE)
