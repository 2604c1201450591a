"""`make vad`: compares how the VADs detect speech in noise, and when they end a turn.

Both VADs get the same synthetic calls. Unseen voices ask questions with pauses between them, and
one of five noises lies at a fixed distance below the speech. The clean recording gives the truth.
Each call ends with only noise, which must not begin a turn.
"""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from shared.audio import (
    CHUNK_SAMPLES,
    FRAME_MS,
    FRAME_SAMPLES,
    SAMPLE_RATE_HZ,
    Floats,
    Pcm16,
    pcm16_from_floats,
)
from shared.modes import DEFAULT_SILENCE_MS, VadName
from shared.settings import Settings
from workers.audio.endpointing import Endpoint
from workers.audio.energy_vad import Vad
from workers.audio.silero_vad import SileroVad, listen_ahead
from workers.runtime.conversation.speech_detector import AnyVad
from workers.training.questions.catalogue import Split, questions
from workers.training.speech.callers import UNSEEN_ESPEAK
from workers.training.speech.tts import SpeechJob, speak

SNRS_DB: Final = (30, 20, 10, 5)
SPEECH_LEVEL: Final = 0.07  # RMS of the speech, of full scale
PAUSE_S: Final = (1.2, 3.0)
ALONE_S: Final = 20.0  # of noise at the end of each call
QUIET: Final = 0.01  # of an utterance's loudest 20 ms; quieter is no speech ...
CLOSURE_FRAMES: Final = 10  # ... unless it lasts less than 200 ms
LATEST_S: Final = 2.0  # a turn's end that comes later counts as missed

SpeechFlags = NDArray[np.bool_]
NoiseMaker = Callable[[int, np.random.Generator], Floats]


def _white(count: int, rng: np.random.Generator) -> Floats:
    return rng.standard_normal(count).astype(np.float32)


def _pink(count: int, rng: np.random.Generator) -> Floats:
    spectrum = np.fft.rfft(rng.standard_normal(count))
    spectrum[1:] /= np.sqrt(np.arange(1, len(spectrum)))
    return np.asarray(np.fft.irfft(spectrum, count), dtype=np.float32)


def _hum(count: int, rng: np.random.Generator) -> Floats:
    t = np.arange(count) / SAMPLE_RATE_HZ
    tones = [np.sin(2 * np.pi * 100 * k * t + rng.uniform(0, 6)) / k for k in range(1, 8)]
    sound = np.sum(tones, axis=0) + 0.1 * rng.standard_normal(count)
    return np.asarray(sound, dtype=np.float32)


def _keys(count: int, rng: np.random.Generator) -> Floats:
    sound = 0.02 * rng.standard_normal(count)
    length = SAMPLE_RATE_HZ // 50
    fall = np.exp(-np.arange(length) / (SAMPLE_RATE_HZ * 0.004))
    for at in np.cumsum(rng.uniform(0.08, 0.5, count // 2_000)) * SAMPLE_RATE_HZ:
        if at + length < count:
            sound[int(at) : int(at) + length] += rng.standard_normal(length) * fall
    return sound.astype(np.float32)


def _babble(count: int, rng: np.random.Generator) -> Floats:
    texts = [question.text for question in questions(Split.PHRASING)]
    sound = np.zeros(count, dtype=np.float32)
    for voice in UNSEEN_ESPEAK[-6:]:
        jobs = [
            SpeechJob(voice, str(t), pitch=float(rng.uniform(0.8, 1.2)))
            for t in rng.choice(texts, 8)
        ]
        one = np.concatenate(speak(jobs))
        sound += np.roll(np.resize(one, count), int(rng.integers(count)))
    return sound


NOISES: Final[dict[str, NoiseMaker]] = {
    "white": _white, "pink": _pink, "hum": _hum, "keys": _keys, "babble": _babble,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class NoisyCall:
    """One call: its sound, which frames are speech, and where utterances begin and end."""

    pcm: Pcm16  # (N,), whole chunks
    speech: SpeechFlags  # (N / 480,)
    spans_s: tuple[tuple[float, float], ...]


def noisy_call(noise: NoiseMaker, snr_db: float, minutes: float, seed: int) -> NoisyCall:
    """A seeded call of about so many minutes."""
    rng = np.random.default_rng(seed)
    texts = [question.text for question in questions(Split.PHRASING)]
    parts, flags, spans, length = [], [], [], 0
    while length < minutes * 60 * SAMPLE_RATE_HZ:
        pause = int(rng.uniform(*PAUSE_S) * SAMPLE_RATE_HZ) // FRAME_SAMPLES * FRAME_SAMPLES
        voice = UNSEEN_ESPEAK[int(rng.integers(len(UNSEEN_ESPEAK) - 6))]
        said = speak(
            [SpeechJob(voice, str(rng.choice(texts)), pitch=float(rng.uniform(0.85, 1.2)))]
        )[0]
        said = np.pad(said, (0, -len(said) % FRAME_SAMPLES)) * np.float32(SPEECH_LEVEL / _rms(said))
        loud = _loud(said)
        first, last = int(np.flatnonzero(loud)[0]), int(np.flatnonzero(loud)[-1]) + 1
        begin = length + pause
        spans.append(tuple((begin + f * FRAME_SAMPLES) / SAMPLE_RATE_HZ for f in (first, last)))
        parts += [np.zeros(pause, np.float32), said]
        flags += [np.zeros(pause // FRAME_SAMPLES, bool), loud]
        length = begin + len(said)
    rest = int(ALONE_S * SAMPLE_RATE_HZ) + -length % CHUNK_SAMPLES
    rest += -rest % FRAME_SAMPLES
    clean = np.concatenate([*parts, np.zeros(rest, np.float32)])
    clean = clean[: len(clean) // CHUNK_SAMPLES * CHUNK_SAMPLES]
    under = noise(len(clean), rng)
    mixed = clean + under * np.float32(SPEECH_LEVEL * 10 ** (-snr_db / 20) / _rms(under))
    speech = np.concatenate([*flags, np.zeros(rest // FRAME_SAMPLES, bool)])
    pcm = pcm16_from_floats(mixed.astype(np.float32))
    return NoisyCall(pcm, speech[: len(clean) // FRAME_SAMPLES], tuple((a, b) for a, b in spans))


def _rms(samples: Floats) -> float:
    return float(np.sqrt(np.mean(samples.astype(np.float64) ** 2)))


def _loud(said: Floats) -> SpeechFlags:
    """Which frames of a clean utterance are speech, including short closures."""
    level = np.abs(said.reshape(-1, FRAME_SAMPLES)).max(axis=1)
    loud: SpeechFlags = level > QUIET * level.max()
    places = np.flatnonzero(loud)
    for before, after in pairwise(places.tolist()):
        if after - before <= CLOSURE_FRAMES:
            loud[before:after] = True
    return loud


@dataclass(frozen=True, slots=True)
class VadResult:
    """One VAD in one condition."""

    vad: str
    noise: str
    snr_db: float
    f1: float
    # Median from the end of speech to the turn's end, 600 of which are silence. None: no turn
    # ended.
    end_delay_ms: int | None
    missed_ends: float  # share of turns without an end within LATEST_S
    false_ends: float  # ends within an utterance, for each turn
    false_turns_min: float  # turns without speech, for each minute without speech


def judge(vad: AnyVad, call: NoisyCall, settings: Settings, noise: str, snr_db: float) -> VadResult:
    """Run a VAD over a call as the runtime does, and compare with the truth."""
    chunks = call.pcm.reshape(-1, CHUNK_SAMPLES)
    found = np.array([vad.hear(chunk, settings.vad_threshold) for chunk in chunks])
    right = int((found.reshape(-1) & call.speech).sum())
    ends = turn_ends(found, settings)
    late = [_delay(ends, span, call.spans_s) for span in call.spans_s]
    timely = [delay for delay in late if delay is not None]
    within = sum(any(a < end < b for end in ends) for a, b in call.spans_s)
    unspoken = [e for e in ends if not any(a < e < b + LATEST_S for a, b in call.spans_s)]
    silent_s = float((~call.speech).sum()) * FRAME_MS / 1000
    return VadResult(
        str(VadName.SILERO if isinstance(vad, SileroVad) else VadName.ENERGY),
        noise,
        snr_db,
        round(2 * right / max(1, int(found.sum()) + int(call.speech.sum())), 4),
        round(1000 * float(np.median(timely))) if timely else None,
        round(1 - len(timely) / len(late), 3),
        round(within / len(late), 3),
        round(len(unspoken) * 60 / silent_s, 2),
    )


def turn_ends(found: SpeechFlags, settings: Settings) -> list[float]:
    """When turns end, in seconds, by the runtime's rules; `found` has frames (chunks, 4)."""
    endpoint, confirmed, ends = Endpoint(), False, []
    for number, frames in enumerate(found, 1):
        run_ms = endpoint.hear(frames.tolist())
        confirmed |= run_ms >= settings.turn_min_speech_ms
        if confirmed and endpoint.silence_ms >= (settings.turn_silence_ms or DEFAULT_SILENCE_MS):
            ends.append(number * CHUNK_SAMPLES / SAMPLE_RATE_HZ)
            confirmed = False
    return ends


def _delay(
    ends: Sequence[float], span: tuple[float, float], spans: Sequence[tuple[float, float]]
) -> float | None:
    """From the end of speech to the end of its turn; None: too late, or after the next speech."""
    following = [start for start, _ in spans if start > span[1]]
    limit = min([span[1] + LATEST_S, *following])
    return next((end - span[1] for end in ends if span[1] <= end <= limit), None)


def table(results: Sequence[VadResult]) -> str:
    """The results in Markdown."""
    head = (
        "| noise, dB | VAD | F1 | turn end after, ms | ends missed | false ends a turn "
        "| turns without speech a minute |\n|---|---|---|---|---|---|---|\n"
    )
    lines = [
        f"| {r.noise} {r.snr_db:g} | {r.vad} | {r.f1:.3f} | {r.end_delay_ms or '-'} "
        f"| {r.missed_ends:.0%} | {r.false_ends:.2f} | {r.false_turns_min:.1f} |"
        for r in results
    ]
    return head + "\n".join(lines)


def spent_us(chunks: Sequence[Pcm16], together: int) -> float:
    """CPU time of Silero's VAD for a chunk of one caller, in a batch of so many callers."""
    vads = [SileroVad() for _ in range(together)]
    start = time.process_time()
    for chunk in chunks:
        listen_ahead([(vad, [chunk]) for vad in vads])
        for vad in vads:
            vad.hear(chunk, 0.001)
    return 1e6 * (time.process_time() - start) / len(chunks) / together


def compared(minutes: float) -> list[VadResult]:
    """Every VAD in every condition; all noises of one level together last `minutes`."""
    settings = Settings.model_construct()  # the defaults, whatever the environment says
    each = minutes / len(NOISES)
    calls = {
        (name, snr_db): noisy_call(noise, snr_db, each, seed)
        for seed, (name, noise) in enumerate(NOISES.items())
        for snr_db in SNRS_DB
    }
    trained = [SileroVad() for _ in calls]
    chunks = [list(call.pcm.reshape(-1, CHUNK_SAMPLES)) for call in calls.values()]
    listen_ahead(list(zip(trained, chunks, strict=True)))
    results = []
    for (condition, call), silero in zip(calls.items(), trained, strict=True):
        results += [judge(vad, call, settings, *condition) for vad in (Vad(), silero)]
    return results


def main(output: Path, minutes: float) -> None:
    """Judge every VAD in every condition; write the JSON and print the table."""
    results = compared(minutes)
    chunks = list(noisy_call(NOISES["pink"], 20, 0.2, 0).pcm.reshape(-1, CHUNK_SAMPLES))
    costs = {f"silero_us_{n}_together": round(spent_us(chunks[:50], n)) for n in (1, 8)}
    output.parent.mkdir(parents=True, exist_ok=True)
    report = {"conditions": [asdict(result) for result in results], **costs}
    output.write_text(json.dumps(report, indent=1) + "\n")
    print(table(results))
    print(costs)
