"""The streaming resampler: exact for any chunking, and nothing folds back."""

import numpy as np
import pytest
from numpy.typing import NDArray

from shared.audio import Pcm16
from shared.resampler import Resampler

RATES = [(8_000, 24_000), (16_000, 24_000), (48_000, 24_000)]
RATES += [(24_000, 8_000), (24_000, 16_000), (24_000, 48_000)]
LEVEL = 16_384.0  # -6 dB of full scale


def tone(hz: float, rate_hz: int, seconds: float = 0.25) -> Pcm16:
    time_s = np.arange(round(seconds * rate_hz)) / rate_hz
    return np.rint(LEVEL * np.sin(2 * np.pi * hz * time_s)).astype(np.int16)


def resampled(samples: Pcm16, from_hz: int, to_hz: int) -> Pcm16:
    return Resampler(from_hz, to_hz).process(samples)


def level_db(error: NDArray[np.float64]) -> float:
    """RMS against that of the tone; a hundredth of a sample's unit is the least."""
    rms = max(0.01, float(np.sqrt(np.mean(error**2))))
    return float(20 * np.log10(rms / (LEVEL / np.sqrt(2))))


@pytest.mark.parametrize(("from_hz", "to_hz"), RATES)
def test_any_chunks_give_the_same_samples(from_hz: int, to_hz: int) -> None:
    rng = np.random.default_rng(7)
    samples = rng.integers(-32_768, 32_768, from_hz // 4).astype(np.int16)
    whole = resampled(samples, from_hz, to_hz)
    cuts = np.sort(rng.integers(0, len(samples), 400))  # many of the pieces are 0 to 5 samples
    stream = Resampler(from_hz, to_hz)
    pieces = [stream.process(piece) for piece in np.split(samples, cuts)]
    assert np.array_equal(np.concatenate(pieces), whole)
    assert len(whole) == len(samples) * to_hz // from_hz


@pytest.mark.parametrize(("from_hz", "to_hz"), RATES)
def test_a_20_ms_frame_gives_a_20_ms_frame(from_hz: int, to_hz: int) -> None:
    stream = Resampler(from_hz, to_hz)
    assert [len(stream.process(tone(440, from_hz, 0.02))) for _ in range(3)] == [to_hz // 50] * 3


@pytest.mark.parametrize(("from_hz", "to_hz"), RATES)
def test_a_tone_keeps_its_shape_after_the_stated_delay(from_hz: int, to_hz: int) -> None:
    band_hz = min(from_hz, to_hz) / 2
    late = Resampler(from_hz, to_hz).delay_samples
    for hz in np.linspace(0.01, 0.85, 12) * band_hz:
        found = resampled(tone(hz, from_hz), from_hz, to_hz)[late:].astype(np.float64)
        error = (found - tone(hz, to_hz)[: len(found)])[2 * late :]
        assert level_db(error) < -55, f"{hz} Hz"


@pytest.mark.parametrize(("from_hz", "to_hz"), [pair for pair in RATES if pair[0] > pair[1]])
def test_no_tone_above_the_new_band_folds_back(from_hz: int, to_hz: int) -> None:
    for hz in np.linspace(to_hz / 2, from_hz / 2, 60):
        assert level_db(_settled(hz, from_hz, to_hz)) < -65, f"{hz} Hz"


@pytest.mark.parametrize(("from_hz", "to_hz"), [pair for pair in RATES if pair[0] < pair[1]])
def test_no_tone_has_an_image_above_the_old_band(from_hz: int, to_hz: int) -> None:
    for hz in np.linspace(50, 0.85 * from_hz / 2, 60):
        found = _settled(hz, from_hz, to_hz)
        window = np.blackman(len(found))
        spectrum = np.abs(np.fft.rfft(found * window)) / (window.sum() / 2)
        images = spectrum[np.fft.rfftfreq(len(found), 1 / to_hz) > from_hz / 2]
        assert 20 * np.log10(images.max() / LEVEL) < -65, f"{hz} Hz"


def test_loud_samples_saturate_and_do_not_wrap() -> None:
    square = np.repeat(np.tile([32_767, -32_768], 20), 50).astype(np.int16)
    found = resampled(square, 8_000, 24_000).astype(int)
    assert found.max() == 32_767
    assert found.min() == -32_768
    assert np.abs(np.diff(found)).max() < 40_000


def test_after_a_reset_nothing_of_the_past_is_heard() -> None:
    stream = Resampler(24_000, 8_000)
    stream.process(tone(440, 24_000))
    stream.reset()
    assert not stream.process(np.zeros(4_800, dtype=np.int16)).any()


def test_equal_rates_pass_unchanged() -> None:
    stream = Resampler(24_000, 24_000)
    assert np.array_equal(stream.process(tone(440, 24_000)), tone(440, 24_000))
    assert stream.delay_samples == 0


def test_a_rate_of_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="rates above 0, got 0"):
        Resampler(0, 24_000)


def _settled(hz: float, from_hz: int, to_hz: int) -> NDArray[np.float64]:
    """A resampled tone without the filter's beginning."""
    found = resampled(tone(hz, from_hz), from_hz, to_hz).astype(np.float64)
    return found[2 * Resampler(from_hz, to_hz).delay_samples :]
