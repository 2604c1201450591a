"""The vocoder, log-mel -> 24 kHz: a causal neural source-filter model that streams exactly.

From mel frames, a network gives pitch, voicing and the cepstra of two minimum-phase filters for
every 10 ms. A band-limited pulse train and noise pass through these filters. Letters: B rows,
T frames, M mel bins, H = 240 samples a hop, C cepstral coefficients.

Time: the parameters of frame k describe sample k * H and depend on mel frames up to
k + LOOKAHEAD. Hop j, samples j * H to (j + 1) * H, moves from parameters j to j + 1. So it needs
mel frame j + LOOKAHEAD + 1: DELAY = 6 frames, 60 ms. A stream's output is silence for DELAY frames,
then the offline output. `DELAY` more frames of silence give the rest.
"""

import math
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from shared.audio import SAMPLE_RATE_HZ
from workers.models.layers.convnext import ConvNeXtStack, State
from workers.models.layers.transformer import CausalConv1d
from workers.models.tokenizer.codec import MEL_MEAN, MEL_SPREAD
from workers.models.voice.shaping import Shape, shape_filter, shape_pitch

HOP: Final = 240
LOOKAHEAD: Final = 5  # frames
DELAY: Final = LOOKAHEAD + 1  # frames: 60 ms, 1,440 samples
FFT: Final = 1024  # a hop of 240 samples and 784 samples of a filter's response
FADE: Final = 256  # samples over which a response ends
SMOOTHING: Final = 12  # the cepstrum of this number has half the weight of the first
LOW_HZ: Final = 70.0
HIGH_HZ: Final = 500.0
SILENT_MEL: Final = math.log(1e-5)  # MelConfig.floor
NOISE_HOPS: Final = 1024  # a fixed table of 10.24 s of noise, so that a reply is reproducible


@dataclass(frozen=True, slots=True)
class VocoderConfig:
    """Sizes of the vocoder. The defaults are `tiny`."""

    mel_bins: int = 80
    width: int = 256
    hidden: int = 512
    blocks: int = 5
    kernel: int = 7
    harmonic_cepstra: int = 128
    noise_cepstra: int = 64


VOCODER_PRESETS: Final = {
    "tiny": VocoderConfig(),
    "base": VocoderConfig(width=384, hidden=1152, blocks=6),
}


class Parameters(NamedTuple):
    """The parameters of the sound; T is the number of frames."""

    log_f0: Tensor  # (B, T) natural logarithm of Hertz, float32
    voicing: Tensor  # (B, T) logit
    harmonic: Tensor  # (B, T, Ch) causal cepstrum of the harmonic filter
    noise: Tensor  # (B, T, Cn)


def pulses(log_f0: Tensor, phase: Tensor, live: Tensor) -> tuple[Tensor, Tensor]:
    """A band-limited pulse train of unit power, in closed form.

    log_f0: (B, T + 1), at the ends of T hops.
    phase: (B,), float64, in turns, at the first sample.
    live: (B, T), bool. Hops before the reply do not advance the phase.
    -> samples (B, T, H), float32, and the phase after them.

    Every harmonic below 12 kHz has the same amplitude:
    sum of cos(k x), k = 1..K, is sin((K + 1/2) x) / (2 sin(x / 2)) - 1/2.
    """
    f0 = log_f0.double().exp()
    start, end = f0[:, :-1], f0[:, 1:]
    whole = ((start + end) * live * (HOP / (2 * SAMPLE_RATE_HZ))).cumsum(dim=1)  # (B, T)
    before = functional.pad(whole, (1, 0))[:, :-1] + phase[:, None]
    # Within a hop float32 is exact enough (5 turns at most); the phase of a reply is not.
    at = torch.arange(HOP, dtype=torch.float32, device=f0.device)
    first, slope, bend = (
        part.float()[..., None]
        for part in (
            before - before.floor(),
            start / SAMPLE_RATE_HZ,
            (end - start) / (2 * HOP * SAMPLE_RATE_HZ),
        )
    )
    turn = first + at * (slope + bend * at)
    x = math.tau * (turn - turn.round())  # near 0: a pulse
    count = torch.floor(0.5 / (slope + 2 * bend * at))  # harmonics
    half = torch.sin(x / 2)
    near = half.abs() < 1e-5
    ratio = torch.sin((count + 0.5) * x) / (2 * torch.where(near, torch.ones_like(half), half))
    train = torch.where(near, count, ratio - 0.5) * torch.sqrt(2 / count)
    return train, torch.remainder(phase + whole[:, -1], 1.0)


def cepstral_weights(cepstrum: Tensor) -> Tensor:
    """The weight of each coefficient of (..., C): (C,), falling from 1."""
    return 1 / (1 + torch.arange(cepstrum.shape[-1], device=cepstrum.device) / SMOOTHING)


def response(cepstrum: Tensor, taper: Tensor) -> Tensor:
    """Causal cepstra (..., C) -> the minimum-phase frequency response (..., FFT / 2 + 1).

    Higher cepstra have less weight, as in speech, so filters stay smooth. The taper (FFT,) fades
    the impulse response out. A longer one would wrap around onto the start of its hop, which sounds
    like a buzz at the frame rate.
    """
    log = torch.fft.rfft(cepstrum.float() * cepstral_weights(cepstrum), n=FFT)
    # exp, cos and sin are vectorised only on contiguous tensors, and `polar` never is. Before this
    # change the two took most of the time.
    size, angle = torch.exp(log.real.contiguous()), log.imag.contiguous()
    spectrum = torch.complex(size * torch.cos(angle), size * torch.sin(angle))
    faded: Tensor = torch.fft.rfft(torch.fft.irfft(spectrum, n=FFT) * taper)
    return faded


def response_taper() -> Tensor:
    """Ones, then a falling raised cosine, then zeros for the last hop: (FFT,)."""
    length = FFT - HOP
    fade = 0.5 + 0.5 * torch.cos(math.pi * torch.arange(FADE) / FADE)
    return torch.cat([torch.ones(length - FADE), fade, torch.zeros(HOP)])


class Vocoder(nn.Module):
    """The vocoder's network and synthesis. The caller keeps the streaming state."""

    delay: int = DELAY
    table: Tensor
    rising: Tensor
    taper: Tensor

    def __init__(self, config: VocoderConfig) -> None:
        super().__init__()
        self.config = config
        self.enter = CausalConv1d(config.mel_bins, config.width, 3)
        self.stack = ConvNeXtStack(config.width, config.hidden, config.blocks, config.kernel)
        self.norm = nn.LayerNorm(config.width)
        outputs = 2 + config.harmonic_cepstra + config.noise_cepstra
        self.out = nn.Linear(config.width, outputs)
        with torch.no_grad():
            self.out.weight.mul_(0.1)
            self.out.bias.zero_()
            self.out.bias[2] = self.out.bias[2 + config.harmonic_cepstra] = -5.0
        noise = np.random.default_rng(1).standard_normal((NOISE_HOPS, HOP), dtype=np.float32)
        self.register_buffer("table", torch.from_numpy(noise), persistent=False)
        rising = 0.5 - 0.5 * torch.cos(math.pi * torch.arange(HOP) / HOP)
        self.register_buffer("rising", rising, persistent=False)
        self.register_buffer("taper", response_taper(), persistent=False)

    def initial(self, rows: int) -> State:
        """The state of new streams: frames read, phase, overlap, last parameters, network."""
        weight = self.out.weight
        last = weight.new_zeros(rows, self.out.out_features)
        return (
            torch.zeros(rows, dtype=torch.int64, device=weight.device),
            torch.zeros(rows, dtype=torch.float64, device=weight.device),
            torch.zeros(rows, FFT - HOP, device=weight.device),
            last.float(),
            self.enter.initial(rows),
            *self.stack.initial(rows),
        )

    def stream(self, mel: Tensor, state: State, shape: Shape | None = None) -> tuple[Tensor, State]:
        """Log-mel (B, T, M) -> samples (B, T * H), float32, late by DELAY frames; new state.

        A row's shape must stay the same while its stream lasts.
        """
        count, phase, overlap, last, *network = state
        raw, network_state = self.read(mel, tuple(network))
        raw = torch.cat([last[:, None], raw], dim=1)
        hop = count[:, None] - DELAY + torch.arange(mel.shape[1], device=mel.device)
        samples, phase, overlap = self.speak(self.parameters_of(raw, shape), hop, phase, overlap)
        count = count + mel.shape[1]
        return samples, (count, phase, overlap, raw[:, -1], *network_state)

    def follow(self, mel: Tensor, state: State, shape: Shape | None = None) -> State:
        """The state after more log-mel (B, T, M), without the sound."""
        return self.stream(mel, state, shape)[1]

    def read(self, mel: Tensor, state: State) -> tuple[Tensor, State]:
        """The network: log-mel (B, T, M) -> raw parameters (B, T, 2 + Ch + Cn), float32."""
        x = ((mel - MEL_MEAN) / MEL_SPREAD).transpose(1, 2)  # (B, T, M) -> (B, M, T)
        y, past = self.enter.stream(x, state[0])
        z, pasts = self.stack.stream(y.transpose(1, 2), state[1:])  # (B, C, T) -> (B, T, C)
        return self.out(self.norm(z)).float(), (past, *pasts)

    def parameters_of(self, raw: Tensor, shape: Shape | None = None) -> Parameters:
        """Raw network output (B, T, 2 + Ch + Cn) -> parameters, in the rows' voices."""
        split = 2 + self.config.harmonic_cepstra
        low, high = math.log(LOW_HZ), math.log(HIGH_HZ)
        log_f0 = low + (high - low) * torch.sigmoid(raw[..., 0])
        said = Parameters(log_f0, raw[..., 1], raw[..., 2:split], raw[..., split:])
        if shape is None:
            return said
        return Parameters(
            shape_pitch(said.log_f0, shape),
            said.voicing,
            shape_filter(said.harmonic, shape),
            shape_filter(said.noise, shape),
        )

    def speak(
        self, said: Parameters, hop: Tensor, phase: Tensor, overlap: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Parameters at the ends of T hops (B, T + 1, .), hop numbers (B, T) -> samples (B, T * H).

        phase (B,) and overlap (B, FFT - H) are those of the state; returns them after T hops.
        Hops below 0 lie before the reply and are silent.
        """
        live = hop >= 0
        train, phase = pulses(said.log_f0, phase, live)
        voiced = self._glide(torch.sigmoid(said.voicing))
        tone = train * voiced
        # Voiced sound gets no noise: training once put noise in place of the low harmonics and did
        # not recover (STOI .75). The voice of the training data is pulses or noise as well.
        noise = self.table[hop.clamp(min=0) % NOISE_HOPS] * (1 - voiced)
        mute = live[..., None].float()
        blocks = self._filter(tone * mute, said.harmonic) + self._filter(noise * mute, said.noise)
        samples, overlap = overlap_add(torch.fft.irfft(blocks, n=FFT), overlap)
        return samples, phase, overlap

    def _glide(self, ends: Tensor) -> Tensor:
        """Values at the ends of hops (B, T + 1) -> straight lines between them (B, T, H)."""
        at = torch.arange(HOP, device=ends.device) / HOP
        return ends[:, :-1, None] * (1 - at) + ends[:, 1:, None] * at

    def _filter(self, source: Tensor, cepstra: Tensor) -> Tensor:
        """Source (B, T, H) through filters (B, T + 1, C), cross-faded -> spectra (B, T, .)."""
        filters = response(cepstra, self.taper)
        falling = torch.fft.rfft(source * (1 - self.rising), n=FFT)
        rising = torch.fft.rfft(source * self.rising, n=FFT)
        spectra = torch.addcmul(falling * filters[:, :-1], rising, filters[:, 1:])
        return spectra

    def forward(self, mel: Tensor) -> Tensor:
        """Whole utterances (B, T, M) -> samples (B, T * H), aligned with the mel's samples."""
        silence = mel.new_full((len(mel), DELAY, mel.shape[2]), SILENT_MEL)
        late, _ = self.stream(torch.cat([mel, silence], dim=1), self.initial(len(mel)))
        return late[:, DELAY * HOP :]


def overlap_add(blocks: Tensor, overlap: Tensor) -> tuple[Tensor, Tensor]:
    """Add blocks (B, T, FFT), a hop apart, to the rest of earlier ones (B, FFT - H)."""
    rows, steps, _ = blocks.shape
    parts = -(-FFT // HOP)  # hops that a block reaches into
    blocks = functional.pad(blocks, (0, parts * HOP - FFT)).view(rows, steps, parts, HOP)
    kept = functional.pad(overlap, (0, (parts + steps - 1) * HOP - overlap.shape[1]))
    hops = kept.view(rows, steps + parts - 1, HOP)
    for part in range(parts):
        hops[:, part : part + steps] += blocks[:, :, part]
    folded = hops.view(rows, -1)
    return folded[:, : steps * HOP], folded[:, steps * HOP : (steps - 1) * HOP + FFT]
