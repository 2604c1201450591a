"""Speech synthesis, as far as it needs no engine."""

import numpy as np
import pytest

from shared.audio import Floats
from workers.training.speech.tts import SpeechError, SpeechJob, TtsVoice, _finished, speak
from workers.training.speech.waveforms import LEVEL

VOICE = TtsVoice("flite", "cmu_us_kal")


def tone(rate_hz: int, before: int, length: int, after: int) -> Floats:
    wave = 0.5 * np.sin(np.arange(length) * 2 * np.pi * 300 / rate_hz)
    return np.concatenate([np.zeros(before), wave, np.zeros(after)]).astype(np.float32)


def test_speech_is_trimmed_levelled_and_at_24_khz() -> None:
    y = _finished(SpeechJob(VOICE, "x"), tone(16_000, 8000, 16_000, 4000), 16_000)
    assert abs(len(y) - 24_000 * 1.06) < 500
    assert float(np.sqrt(np.mean(y**2))) == pytest.approx(LEVEL, rel=0.01)


def test_a_smaller_speaker_sounds_higher_and_its_engine_speaks_slower() -> None:
    job = SpeechJob(VOICE, "x", rate=1.0, size=1.25)
    y = _finished(job, tone(16_000, 0, 16_000, 0), 16_000)
    loudest_hz = np.abs(np.fft.rfft(y)).argmax() * 24_000 / len(y)
    assert loudest_hz == pytest.approx(375, rel=0.02)
    assert job.engine_rate == pytest.approx(0.8)


def test_silence_and_an_unknown_engine_are_refused() -> None:
    with pytest.raises(SpeechError, match="is silent for 'x'"):
        _finished(SpeechJob(VOICE, "x"), np.zeros(16_000, np.float32), 16_000)
    with pytest.raises(ValueError, match="got 'parrot'"):
        speak([SpeechJob(TtsVoice("parrot", "polly"), "hello")])
