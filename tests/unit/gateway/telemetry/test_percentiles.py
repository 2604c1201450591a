"""Percentiles of the last few seconds."""

import pytest

from gateway.telemetry.percentiles import MOST, Window


def test_an_empty_window_knows_nothing() -> None:
    assert Window().percentiles_ms(0.0) == (None, None)


def test_median_and_99th_percentile_in_milliseconds() -> None:
    window = Window()
    window.add([each / 1_000 for each in range(1, 102)], 0.0)
    assert window.percentiles_ms(1.0) == (51.0, 100.0)


def test_what_is_older_than_ten_seconds_counts_no_more() -> None:
    window = Window()
    window.add([5.0], 0.0)
    window.add([0.002], 9.0)
    assert window.percentiles_ms(10.5) == (2.0, 2.0)
    assert window.percentiles_ms(20.0) == (None, None)


@pytest.mark.parametrize("more", [1, MOST])
def test_it_is_bounded_and_keeps_the_newest(more: int) -> None:
    window = Window()
    window.add([1.0] * MOST, 0.0)
    window.add([0.0] * more, 0.0)
    p50, _ = window.percentiles_ms(0.0)
    assert p50 == (0.0 if more == MOST else 1_000.0)
