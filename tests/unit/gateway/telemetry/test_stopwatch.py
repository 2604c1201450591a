"""How long a caller waits for the log and for a reply."""

import pytest

from gateway.telemetry.stopwatch import KNOWN_RECORDS, Stopwatch


def test_a_record_is_timed_from_its_arrival_to_its_receipt() -> None:
    watch = Stopwatch()
    watch.received(1, 10.0)
    watch.received(3, 10.5)
    assert watch.stored(1, 11.0) == 1.0
    assert watch.stored(3, 11.0) == 0.5
    assert watch.stored(3, 12.0) is None  # was reported before


def test_a_receipt_for_an_earlier_connections_record_is_not_timed() -> None:
    assert Stopwatch().stored(40, 1.0) is None


def test_a_reply_is_timed_from_the_audio_that_ended_the_turn() -> None:
    watch = Stopwatch()
    watch.received(7, 5.0)
    watch.stored(7, 5.01)
    watch.turn_ended(7)
    assert watch.reply_started(5.25) == pytest.approx(0.25)
    assert watch.reply_started(9.0) is None  # once


def test_a_reply_without_a_turn_before_it_is_not_timed() -> None:
    watch = Stopwatch()
    watch.received(1, 0.0)
    assert watch.reply_started(1.0) is None


def test_a_turn_whose_audio_is_forgotten_is_not_timed() -> None:
    watch = Stopwatch()
    for n in range(1, KNOWN_RECORDS + 50):
        watch.received(n, float(n))
    watch.turn_ended(KNOWN_RECORDS + 50)
    assert watch.reply_started(1e6) is None
