"""How long a caller waits for the log and for an answer."""

import pytest

from gateway.telemetry.stopwatch import KNOWN_RECORDS, Stopwatch


def test_a_record_is_timed_from_its_coming_to_its_receipt() -> None:
    watch = Stopwatch()
    watch.received(1, 10.0)
    watch.received(3, 10.5)
    assert watch.stored(1, 11.0) == 1.0
    assert watch.stored(3, 11.0) == 0.5
    assert watch.stored(3, 12.0) is None  # told before


def test_a_receipt_for_what_an_earlier_connection_said_is_not_timed() -> None:
    assert Stopwatch().stored(40, 1.0) is None


def test_an_answer_is_timed_from_the_audio_that_ended_the_turn() -> None:
    watch = Stopwatch()
    watch.received(7, 5.0)
    watch.stored(7, 5.01)
    watch.turn_ended(7)
    assert watch.reply_started(5.25) == pytest.approx(0.25)
    assert watch.reply_started(9.0) is None  # once


def test_a_reply_that_nobody_waited_for_is_not_timed() -> None:
    watch = Stopwatch()
    watch.received(1, 0.0)
    assert watch.reply_started(1.0) is None


def test_a_turn_whose_audio_is_long_gone_is_not_timed_from_another() -> None:
    watch = Stopwatch()
    for n in range(1, KNOWN_RECORDS + 50):
        watch.received(n, float(n))
    watch.turn_ended(KNOWN_RECORDS + 50)
    assert watch.reply_started(1e6) is None
