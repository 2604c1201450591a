"""Reads prompts with a synthetic speaker unlike all trained callers, to try `adapt` on.

A trained caller is at most 15 % smaller or larger than its voice (`augment.Strength.warp`). This
speaker's formants and pitch lie `size` times higher, and its accent and variant are unseen.
"""

from pathlib import Path
from typing import Final

import numpy as np
import soundfile

from shared.audio import SAMPLE_RATE_HZ
from workers.training.speech.callers import UNSEEN_ESPEAK
from workers.training.speech.tts import SpeechJob, speak
from workers.training.tuning.prompts import sheet, write_sheet

EDGE_S: Final = 0.2
NOISE: Final = 0.0005  # RMS of a room and a microphone


def main(folder: Path, *, count: int, size: float) -> None:
    """Write the sheet and its recordings."""
    texts = sheet(count)
    write_sheet(folder, texts)
    rng = np.random.default_rng(9)
    rates = rng.uniform(0.85, 1.1, len(texts))
    voice = UNSEEN_ESPEAK[0]
    jobs = [
        SpeechJob(voice, text, float(r), 1.1, size) for text, r in zip(texts, rates, strict=True)
    ]
    edge = round(EDGE_S * SAMPLE_RATE_HZ)
    for number, samples in enumerate(speak(jobs), 1):
        whole = np.pad(samples, (edge, edge))
        whole = whole + NOISE * rng.standard_normal(len(whole), dtype=np.float32)
        soundfile.write(folder / f"{number:02d}.wav", whole, SAMPLE_RATE_HZ, subtype="PCM_16")
