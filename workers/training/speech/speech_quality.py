"""Objective measures of speech at 16 kHz: STOI, PESQ and a recogniser's word error rate.

STOI lies between 0 and 1, wide-band PESQ between 1 and 4.6. The recogniser is pocketsphinx with its
English language model.
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from rapidfuzz.distance import Levenshtein

from shared.audio import Floats
from workers.training.questions.catalogue import words

SPEECH_RATE_HZ: Final = 16_000


def at_16k(samples: Floats) -> Floats:
    """24 kHz -> 16 kHz."""
    from scipy.signal import resample_poly

    return np.asarray(resample_poly(samples, 2, 3), dtype=np.float32)


def likeness(pairs: Sequence[tuple[Floats, Floats]]) -> dict[str, float]:
    """Mean STOI and PESQ of (recorded, synthesised) pairs at 16 kHz."""
    from pesq import pesq
    from pystoi import stoi

    return {
        "stoi": float(np.mean([stoi(a, b, SPEECH_RATE_HZ) for a, b in pairs])),
        "pesq": float(np.mean([pesq(SPEECH_RATE_HZ, a, b, "wb") for a, b in pairs])),
    }


def word_error_rate(sounds: Sequence[Floats], texts: Sequence[str]) -> float:
    """The recogniser's word error rate over all sentences at 16 kHz."""
    from pocketsphinx import Decoder

    # Narrower than the defaults: random words keep far more hypotheses alive than sentences do.
    decoder: Any = Decoder(
        samprate=SPEECH_RATE_HZ, loglevel="FATAL", ds=2, maxhmmpf=4000, maxwpf=10
    )
    wrong = total = 0
    for sound, text in zip(sounds, texts, strict=True):
        decoder.start_utt()
        decoder.process_raw(_pcm(sound), full_utt=True)
        decoder.end_utt()
        recognised = decoder.hyp().hypstr.split() if decoder.hyp() else []
        wrong += Levenshtein.distance(words(text), recognised)
        total += len(words(text))
    return wrong / total


def _pcm(sound: Floats) -> bytes:
    """float32 -> PCM16 bytes, with a quarter of a second of faint noise on both sides."""
    noise = np.random.default_rng(0).normal(0, 3e-4, len(sound) + SPEECH_RATE_HZ // 2)
    noise[SPEECH_RATE_HZ // 4 :][: len(sound)] += sound
    return (np.clip(noise, -1, 1) * 32767).astype("<i2").tobytes()
