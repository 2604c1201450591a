"""The measurements of the talking client."""

import numpy as np
import pytest

from client.measurements import CallMeasurements, speech_end_s
from shared.audio import Pcm16

LOUD = b"\0\x10\0\xf0" * 240
QUIET = b"\x20\0" * 480


def test_the_first_audible_frame_counts_and_not_the_first_frame() -> None:
    found = CallMeasurements()
    found.take_event({"type": "speech_stopped", "sample": 0}, 1.0)
    for number, pcm in enumerate([QUIET, QUIET, LOUD], 1):
        found.take_frame(number, 1, pcm, 2.0)
    # All three arrived at once, but two frames play first.
    assert found.first_audible_at() == pytest.approx(2.04)
    assert found.decided_sample == 1920


def test_missing_numbers_are_gaps_unless_an_event_explains_them() -> None:
    found = CallMeasurements()
    found.take_frame(1, 1, LOUD, 0.0)
    found.take_frame(5, 1, LOUD, 0.0)
    assert found.gaps == 3
    found.take_event({"type": "skip", "first": 6, "last": 9, "reason": "trimmed"}, 0.0)
    found.take_frame(10, 1, LOUD, 0.0)
    found.take_event({"type": "clear", "generation": 1, "next_frame": 51}, 0.1)
    found.take_frame(51, 2, LOUD, 0.1)
    assert found.gaps == 3


def test_a_clear_drops_what_was_not_played() -> None:
    found = CallMeasurements()
    for number in range(1, 11):
        found.take_frame(number, 1, LOUD, 0.0)
    found.take_event({"type": "clear", "generation": 1, "next_frame": 11}, 0.05)
    assert [f.number for f in found.frames] == [1, 2, 3]
    assert found.played(0.05) == 2


def test_a_frame_after_the_buffer_ran_dry_is_an_underrun() -> None:
    found = CallMeasurements()
    for number in range(1, 21):  # the buffer covers 60 ms
        found.take_frame(number, 1, LOUD, number * 0.02 + (0.05 if number % 2 else 0.0))
    assert found.underruns == 0
    found.take_frame(21, 1, LOUD, 1.0)
    assert found.underruns == 1
    found.take_event({"type": "reply_started", "generation": 2, "frame": 22}, 9.0)
    found.take_frame(22, 2, LOUD, 9.0)
    assert found.underruns == 1


def test_speech_ends_with_the_last_loud_part() -> None:
    samples = np.zeros(48_000, dtype=np.int16)
    samples[4_800:24_000] = tone(19_200)
    samples[40_000:] = np.random.default_rng(1).integers(-20, 21, 8_000)  # room noise
    assert speech_end_s(samples) == pytest.approx(1.0, abs=0.02)
    for offset in (164, 655, 1_638):  # 0.5, 2 and 5 % of full scale
        shifted = (samples + offset).astype(np.int16)
        assert speech_end_s(shifted) == pytest.approx(1.0, abs=0.02)
    drift = (samples + np.linspace(-1_600, 1_600, len(samples))).astype(np.int16)
    assert speech_end_s(drift) == pytest.approx(1.0, abs=0.02)


def test_an_offset_is_not_audible() -> None:
    found = CallMeasurements()
    offset = np.full(480, 1_638, dtype=np.int16)
    found.take_frame(1, 1, offset.tobytes(), 1.0)
    found.take_frame(2, 1, (offset + tone(480)).astype(np.int16).tobytes(), 1.0)
    assert found.first_audible_at() == pytest.approx(1.02)


def test_replies_are_joined_with_a_space_and_unheard_words_are_dropped() -> None:
    found = CallMeasurements()
    for generation, frame, text in [
        (1, 1, "It is "),
        (1, 5, "noon."),
        (2, 9, "You "),
        (2, 12, "a"),
    ]:
        words = {"type": "text", "generation": generation, "frame": frame, "text": text}
        found.take_event(words, 0.0)
    assert found.transcript == "It is noon. You a"
    for number in range(1, 13):
        found.take_frame(number, 1 + (number > 8), LOUD, 0.0)
    found.take_event({"type": "clear", "generation": 2, "next_frame": 13}, 0.02 * 8.5)
    assert found.transcript == "It is noon. You"


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 48_000])
def test_positions_are_counted_at_the_rate_of_the_call(rate_hz: int) -> None:
    found = CallMeasurements(rate_hz=rate_hz)
    found.take_event({"type": "speech_stopped", "sample": 0}, 1.0)
    assert found.decided_sample == rate_hz * 80 // 1_000
    samples = np.concatenate([tone(rate_hz), np.zeros(rate_hz, dtype=np.int16)])
    assert speech_end_s(samples, rate_hz) == pytest.approx(1.0, abs=0.02)


def tone(samples: int) -> Pcm16:
    return np.asarray(8_000 * np.sin(0.3 * np.arange(samples)), dtype=np.int16)
