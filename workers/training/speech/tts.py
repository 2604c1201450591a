"""Text to speech for the callers, with the Debian engines espeak-ng, flite and festival.

`speak(jobs)` accepts any mix of voices and returns the utterances in the order of the jobs. They
are trimmed mono float32 at 24 kHz and -23 dBFS. espeak-ng and flite run in this process through
ctypes. On one core espeak-ng is about 700 times faster than real time, and flite 50 to 1,400 times.
Festival runs as one batch process for each voice. The libraries keep global state, so this module
is not thread-safe.
"""

import ctypes
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
from scipy.signal import resample_poly

from shared.audio import SAMPLE_RATE_HZ, Floats
from workers.training.questions.question_families import Language
from workers.training.speech import spanish_pronunciation
from workers.training.speech.espeak import espeak
from workers.training.speech.speech_library import SpeechError, festival, quotable, shared_library
from workers.training.speech.waveforms import levelled, read_wave, sound_bounds

__all__ = ["SpeechError", "SpeechJob", "TtsVoice", "speak"]

EDGE_S: Final = 0.03  # silence kept at both ends
QUIET: Final = 0.01  # of the loudest 10 ms; quieter is silence
# Mean pitch of the flite voices in Hertz, scaled by `SpeechJob.pitch`.
FLITE_PITCH_HZ: Final = {
    "cmu_us_kal": 105.0,
    "cmu_us_kal16": 105.0,
    "cmu_us_awb": 125.0,
    "cmu_us_rms": 100.0,
    "cmu_us_slt": 175.0,
}
FESTIVAL_PACKAGES: Final = {
    "ked_diphone": "festvox-kdlpc16k",
    "kal_diphone": "festvox-kallpc16k",
}


@dataclass(frozen=True, slots=True)
class TtsVoice:
    """An engine's voice: espeak `gmw/en-US+f3`, flite `cmu_us_awb`, festival `kal_diphone`.

    A festival voice speaks Spanish in its English phones (`spanish_pronunciation.py`).
    """

    engine: str  # "espeak", "flite" or "festival"
    name: str
    language: Language = Language.ENGLISH

    def __str__(self) -> str:
        return f"{self.engine}:{self.name}"


@dataclass(frozen=True, slots=True)
class SpeechJob:
    """One utterance. `rate` and `pitch` scale the voice's own values; festival ignores `pitch`.

    `size` > 1 makes a smaller speaker: formants and pitch rise together, the duration stays.
    """

    voice: TtsVoice
    text: str
    rate: float = 1.0
    pitch: float = 1.0
    size: float = 1.0

    @property
    def engine_rate(self) -> float:
        """The speed that the engine is given; resampling to `size` changes it to `rate`."""
        return self.rate / self.size


def speak(jobs: Sequence[SpeechJob]) -> list[Floats]:
    """Synthesise every job; raises SpeechError if an engine is missing or returns silence."""
    found: list[Floats | None] = [None] * len(jobs)
    batches: dict[TtsVoice, list[int]] = {}
    for i, job in enumerate(jobs):
        if job.voice.engine == "festival":
            batches.setdefault(job.voice, []).append(i)
        else:
            found[i] = _finished(job, *_direct(job.voice.engine)(job))
    for places in batches.values():
        for i, (samples, rate_hz) in zip(places, _festival([jobs[i] for i in places]), strict=True):
            found[i] = _finished(jobs[i], samples, rate_hz)
    return [samples for samples in found if samples is not None]


def _direct(engine: str) -> Callable[[SpeechJob], tuple[Floats, int]]:
    engines = {"espeak": _espeak, "flite": _flite}
    if engine not in engines:
        raise ValueError(f"Expected engine espeak, flite or festival, got {engine!r}")
    return engines[engine]


def _finished(job: SpeechJob, samples: Floats, rate_hz: int) -> Floats:
    """Resample to 24 kHz, cut the silence at both ends, set the level."""
    if len(samples) < rate_hz // 50 or not np.abs(samples).max() > 0:
        raise SpeechError(f"{job.voice} is silent for {job.text!r}: is the voice installed?")
    ratio = Fraction(SAMPLE_RATE_HZ, rate_hz)
    if job.size != 1.0:
        ratio = (ratio / Fraction(job.size)).limit_denominator(200)
    y = resample_poly(samples, ratio.numerator, ratio.denominator).astype(np.float32)
    return levelled(y[sound_bounds(y, QUIET, EDGE_S, EDGE_S)])


class _Wave(ctypes.Structure):
    """flite's cst_wave."""

    _fields_ = (
        ("type", ctypes.c_char_p),
        ("rate_hz", ctypes.c_int),
        ("count", ctypes.c_int),
        ("channels", ctypes.c_int),
        ("samples", ctypes.POINTER(ctypes.c_short)),
    )


class _FliteVoice(ctypes.Structure):
    """The first fields of flite's cst_voice."""

    _fields_ = (("name", ctypes.c_char_p), ("features", ctypes.c_void_p))


class _Flite:
    """The flite library, and one library for each voice."""

    def __init__(self) -> None:
        self._lib = shared_library("libflite.so.1", "flite")
        shared_library("libflite_cmulex.so.1", "flite")
        shared_library("libflite_usenglish.so.1", "flite")
        self._lib.flite_init()
        self._lib.flite_text_to_wave.restype = ctypes.POINTER(_Wave)
        self._lib.flite_text_to_wave.argtypes = [ctypes.c_char_p, ctypes.c_void_p]
        self._lib.delete_wave.argtypes = [ctypes.POINTER(_Wave)]
        self._lib.feat_set_float.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_float]
        self._voices: dict[str, Any] = {}

    def _voice(self, name: str) -> Any:
        if name not in self._voices:
            if name not in FLITE_PITCH_HZ:
                raise SpeechError(f"Expected one of {sorted(FLITE_PITCH_HZ)}, got {name!r}")
            register = getattr(shared_library(f"libflite_{name}.so.1", "flite"), f"register_{name}")
            register.restype = ctypes.POINTER(_FliteVoice)
            self._voices[name] = register(None)
        return self._voices[name]

    def say(self, job: SpeechJob) -> tuple[Floats, int]:
        voice = self._voice(job.voice.name)
        features = voice.contents.features
        pitch_hz = FLITE_PITCH_HZ[job.voice.name] * job.pitch
        self._lib.feat_set_float(features, b"duration_stretch", 1.0 / job.engine_rate)
        self._lib.feat_set_float(features, b"int_f0_target_mean", pitch_hz)
        made = self._lib.flite_text_to_wave(job.text.encode(), voice)
        samples = np.ctypeslib.as_array(made.contents.samples, (made.contents.count,))
        copy = samples.astype(np.float32) / np.float32(32768.0)
        rate_hz = int(made.contents.rate_hz)
        self._lib.delete_wave(made)
        return copy, rate_hz


@cache
def _flite_library() -> _Flite:
    return _Flite()


def _espeak(job: SpeechJob) -> tuple[Floats, int]:
    library = espeak()
    samples = library.say(job.voice.name, job.text, job.engine_rate, job.pitch)
    return samples, library.rate_hz


def _flite(job: SpeechJob) -> tuple[Floats, int]:
    return _flite_library().say(job)


def _festival(jobs: Sequence[SpeechJob]) -> list[tuple[Floats, int]]:
    """All jobs of one festival voice in one batch process."""
    with tempfile.TemporaryDirectory(prefix="festival-") as name:
        folder = Path(name)
        script = folder / "batch.scm"
        lines = [f"(voice_{jobs[0].voice.name})"]
        texts = [job.text for job in jobs]
        if jobs[0].voice.language is Language.SPANISH:
            lines += spanish_pronunciation.entries(texts)
            texts = [spanish_pronunciation.respelled(text) for text in texts]
        for i, job in enumerate(jobs):
            text = quotable(texts[i])
            lines.append(f"(Parameter.set 'Duration_Stretch {1 / job.engine_rate:.3f})")
            lines.append(f"(set! utt (eval (list 'Utterance 'Text \"{text}\")))")
            lines.append(f'(utt.synth utt) (utt.save.wave utt "{folder}/{i}.wav" \'riff)')
        script.write_text("\n".join(lines) + "\n")
        voice = jobs[0].voice.name
        festival(script, voice, FESTIVAL_PACKAGES[voice])
        return [read_wave(folder / f"{i}.wav") for i in range(len(jobs))]
