"""Acoustic scenes between the caller and the model: rooms, microphones, babble, noise, clipping.

They apply to samples, before the mel front end, so that each rendition of an utterance has its own
waveform. `augment.py` changes speaker and tempo on the mels, where it costs less. All draws come
from the given generator.

Letters: N samples.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, next_fast_len, rfft, rfftfreq

from shared.audio import SAMPLE_RATE_HZ, Floats
from workers.training.speech.waveforms import LEVEL

NOISE_S: Final = 12.0  # length of each noise, from which random pieces are cut
NOISES: Final = 16
BANK_SEED: Final = 17
TAIL_S: Final = 0.4  # length of a room's impulse response
DIRECT_DB: Final = (-2.0, 16.0)  # direct to reverberant sound
REVERBERATION_S: Final = (0.12, 0.8)
# Shares of sounds without speech; the others are tones.
SILENT: Final = 0.3
NOISY: Final = 0.35


@dataclass(frozen=True, slots=True)
class AcousticScene:
    """How likely and how strong each distortion is; the defaults train the listener.

    Each share is one of all utterances, unless stated otherwise.
    """

    room: float = 0.35  # share with reverberation
    line: float = 0.6  # share with a microphone's frequency response
    line_db: float = 5.0  # of each of four cosines over the logarithm of the frequency
    narrow: float = 0.12  # share limited to a telephone-like band
    noise: float = 0.65  # share with noise
    noise_db: tuple[float, float] = (5.0, 30.0)  # signal-to-noise ratio
    babble: float = 0.3  # share of the noisy ones that have other callers as noise
    clip: float = 0.06  # share with clipping
    gain_db: tuple[float, float] = (-16.0, 10.0)


MILD: Final = AcousticScene(
    room=0.1, line=0.3, narrow=0.0, noise=0.3, noise_db=(15.0, 30.0), clip=0.0
)


@cache
def _noises() -> tuple[Floats, ...]:
    """Noises of RMS 1: coloured, and some of them swelling, humming or ticking."""
    rng = np.random.default_rng(BANK_SEED)
    return tuple(_noise(rng) for _ in range(NOISES))


def _noise(rng: np.random.Generator) -> Floats:
    count = next_fast_len(round(NOISE_S * SAMPLE_RATE_HZ), real=True)
    hz = rfftfreq(count, 1 / SAMPLE_RATE_HZ)
    colour = (hz + 40.0) ** -rng.uniform(0.0, 1.3) * _response(hz, rng, 6.0)
    colour *= hz > rng.uniform(20, 120)
    y = irfft(rfft(rng.standard_normal(count).astype(np.float32)) * colour, count)
    y /= y.std()
    seconds = np.arange(count) / SAMPLE_RATE_HZ
    if rng.random() < 0.5:  # swells, as passing cars and wind do
        y *= 10 ** (rng.uniform(0, 0.5) * np.sin(2 * np.pi * rng.uniform(0.1, 3) * seconds))
    if rng.random() < 0.3:  # mains and fans
        base = rng.choice((50.0, 60.0, rng.uniform(80, 300)))
        for k in range(1, 8):
            y += rng.uniform(0, 1.2 / k) * np.sin(2 * np.pi * (base * k * seconds + rng.random()))
    if rng.random() < 0.3:  # keys, dishes, crackles
        for at in rng.integers(0, count - 2400, size=rng.integers(20, 120)):
            decay = np.exp(-np.arange(2400) / rng.uniform(30, 600))
            y[at : at + 2400] += rng.uniform(2, 12) * decay * rng.standard_normal(2400)
    noise: Floats = (y / y.std()).astype(np.float32)
    return noise


def _response(hz: NDArray[np.floating], rng: np.random.Generator, depth_db: float) -> Floats:
    """A smooth random frequency response (amplitude) at these frequencies."""
    place = np.linspace(0, np.pi, 64)  # the logarithm of 60 Hz to 12 kHz
    curve = rng.normal(0, depth_db / 2, 4) @ np.cos(np.arange(1, 5)[:, None] * place)
    gains = np.interp(hz, 60.0 * 200.0 ** (place / np.pi), 10 ** (curve / 20))
    response: Floats = gains.astype(np.float32)
    return response


def _room(rng: np.random.Generator) -> Floats:
    """An impulse response: the direct sound at 0, early echoes, and a decaying tail."""
    count = round(TAIL_S * SAMPLE_RATE_HZ)
    seconds = np.arange(count) / SAMPLE_RATE_HZ
    tail = rng.standard_normal(count) * 10 ** (-3 * seconds / rng.uniform(*REVERBERATION_S))
    tail[: round(0.002 * SAMPLE_RATE_HZ)] = 0.0
    early = rng.integers(round(0.002 * SAMPLE_RATE_HZ), round(0.04 * SAMPLE_RATE_HZ), size=8)
    tail[early] += rng.normal(0, 6, size=8)
    tail *= 10 ** (-rng.uniform(*DIRECT_DB) / 20) / np.sqrt((tail**2).sum())
    tail[0] = 1.0
    response: Floats = tail.astype(np.float32)
    return response


def _filtered(samples: Floats, scene: AcousticScene, rng: np.random.Generator) -> Floats:
    """The samples after room and microphone, as one filter in the frequency domain."""
    room, line = rng.random() < scene.room, rng.random() < scene.line
    narrow = rng.random() < scene.narrow
    if not (room or line or narrow):
        return samples
    size = next_fast_len(len(samples) + round(TAIL_S * SAMPLE_RATE_HZ), real=True)
    spectrum = rfft(samples, size)
    hz = rfftfreq(size, 1 / SAMPLE_RATE_HZ)
    if room:
        spectrum *= rfft(_room(rng), size)
    if line:
        spectrum *= _response(hz, rng, scene.line_db)
    if narrow:
        low, high = rng.uniform(150, 350), rng.uniform(3300, 6000)
        spectrum *= 1 / (1 + (low / np.maximum(hz, 1)) ** 8) / (1 + (hz / high) ** 16)
    filtered: Floats = irfft(spectrum, size)[: len(samples)].astype(np.float32)
    return filtered


def _babble(count: int, others: Sequence[Floats], rng: np.random.Generator) -> Floats:
    """One to five other voices that speak without pause, of RMS 1."""
    y = np.zeros(count, np.float32)
    for _ in range(rng.integers(1, 6)):
        voice = others[int(rng.integers(len(others)))]
        y += np.resize(np.roll(voice, int(rng.integers(len(voice)))), count)
    return y / np.float32(y.std() + 1e-6)


def _piece(count: int, rng: np.random.Generator) -> Floats:
    noise = _noises()[rng.integers(NOISES)]
    start = int(rng.integers(max(1, len(noise) - count)))
    return np.resize(noise[start : start + count], count)


def add_noise(samples: Floats, noise: Floats, distance_db: float) -> Floats:
    """Add noise of RMS 1, at this distance below speech of LEVEL."""
    return samples + noise * np.float32(LEVEL * 10 ** (-distance_db / 20))


def apply_scene(
    samples: Floats, scene: AcousticScene, others: Sequence[Floats], rng: np.random.Generator
) -> Floats:
    """Samples (N,) at LEVEL, with silence around -> the samples that a microphone records, (N,).

    `others` are other callers' samples, for babble.
    """
    y = _filtered(samples, scene, rng)
    if rng.random() < scene.noise:
        babble = len(others) > 0 and rng.random() < scene.babble
        noise = _babble(len(y), others, rng) if babble else _piece(len(y), rng)
        # Babble at 5 dB would turn one caller into two.
        y = add_noise(y, noise, rng.uniform(*scene.noise_db) + 5.0 * babble)
    if rng.random() < scene.clip:
        limit = np.abs(y).max() * rng.uniform(0.15, 0.6)
        y = np.clip(y, -limit, limit)
    y = y * np.float32(10 ** (rng.uniform(*scene.gain_db) / 20))
    clipped: Floats = np.clip(y, -1.0, 1.0)
    return clipped


def with_pause(samples: Floats, seconds: float, within: tuple[float, float]) -> Floats:
    """The utterance (N,) with a pause at its quietest place between these two shares of it."""
    hop = SAMPLE_RATE_HZ // 50
    level = np.abs(samples[: len(samples) // hop * hop].reshape(-1, hop)).max(axis=1)
    if not len(level):
        return samples
    start, end = (min(round(part * len(level)), len(level) - 1) for part in within)
    at = (start + int(np.argmin(level[start : max(start + 1, end)]))) * hop
    pause = np.zeros(round(seconds * SAMPLE_RATE_HZ), np.float32)
    return np.concatenate([samples[:at], pause, samples[at:]])


def noise_alone(count: int, rng: np.random.Generator) -> Floats:
    """`count` samples of noise without speech, at a random level."""
    return _piece(count, rng) * np.float32(LEVEL * 10 ** (-rng.uniform(0, 40) / 20))


def sound_alone(count: int, rng: np.random.Generator) -> Floats:
    """`count` samples of silence, noise or tones, which may begin a turn although no one speaks."""
    luck = rng.random()
    if luck < SILENT:
        return np.zeros(count, np.float32)
    return noise_alone(count, rng) if luck < SILENT + NOISY else _tones(count, rng)


def _tones(count: int, rng: np.random.Generator) -> Floats:
    """Bells, beeps and tunes: notes of a few harmonics with rests, some of them trills."""
    y = np.zeros(count, np.float32)
    note_s, trill_hz = rng.uniform(0.05, 0.6), rng.uniform(12, 30) * (rng.random() < 0.4)
    scale = rng.uniform(180, 1200) * 2 ** (rng.integers(0, 13, size=4) / 12)
    at = 0
    while at < count:
        seconds = np.arange(min(count - at, round(note_s * SAMPLE_RATE_HZ))) / SAMPLE_RATE_HZ
        hz = np.full(len(seconds), rng.choice(scale))
        hz *= np.where(seconds * trill_hz % 1 < 0.5, 1.0, rng.uniform(1.05, 1.3))
        phase = 2 * np.pi * np.cumsum(hz) / SAMPLE_RATE_HZ
        loudest = range(1, 1 + min(4, int(SAMPLE_RATE_HZ / 2 // hz.max())))
        note = sum(np.sin(k * phase) / k ** rng.uniform(1, 3) for k in loudest)
        if rng.random() < 0.85:
            y[at : at + len(seconds)] = note * np.exp(-seconds * rng.uniform(0, 8))
        at += round(note_s * SAMPLE_RATE_HZ)
    loudness = LEVEL * 10 ** (-rng.uniform(-3, 35) / 20)
    return y * np.float32(loudness / (y.std() + 1e-6))


def with_fixed_noise(samples: Floats, distance_db: float, seed: int) -> Floats:
    """The samples with noise that the seed determines, at this distance below the speech."""
    return add_noise(samples, _piece(len(samples), np.random.default_rng(seed)), distance_db)
