"""A synthetic person as unlike all trained callers as can be made, who reads the prompts.

A trained caller is at most 15 % smaller or larger than its voice (`augment.Strength.warp`); this
one's formants and pitch lie `size` times higher, on top of an accent and variant never trained.
"""

from pathlib import Path
from typing import Final

import numpy as np
import soundfile

from shared.audio import SAMPLE_RATE_HZ
from workers.training.speech.callers import UNSEEN_ESPEAK
from workers.training.speech.tts import SpeechJob, speak
from workers.training.tuning.adapt import sheet, write_sheet

EDGE_S: Final = 0.2
NOISE: Final = 0.0005  # RMS: a room, and a microphone


def main(folder: Path, count: int, size: float) -> None:
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
