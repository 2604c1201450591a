"""The recorded questions at the API's rate, for a client of OpenAI's protocols."""

from pathlib import Path

import soundfile

from client.resampling import resample
from shared.audio import SAMPLE_RATE_HZ
from tests.e2e.test_spoken import QUESTIONS


def at_24_khz(name: str, folder: Path) -> str:
    """Write a recorded question as 24 kHz PCM16 WAV; its path."""
    path = folder / f"{name}.wav"
    samples = resample(*soundfile.read(QUESTIONS / f"{name}.wav"))
    soundfile.write(path, samples, SAMPLE_RATE_HZ, subtype="PCM_16")
    return str(path)
