"""Percentiles of the last few seconds."""

import pytest

from shared.recent import MOST, WINDOW_S, Recent

BOTH = (0.5, 0.99)


def test_without_measurements_there_are_no_percentiles() -> None:
    assert Recent().percentiles(BOTH, 0.0) == []


def test_median_and_99th_percentile() -> None:
    recent = Recent()
    recent.add(range(1, 102), 0.0)
    assert recent.percentiles(BOTH, 1.0) == [51, 100]
    assert recent.percentiles(BOTH, 1.0, least=102) == []


def test_measurements_older_than_ten_seconds_do_not_count() -> None:
    recent = Recent()
    recent.add([5.0], 0.0)
    recent.add([0.002], 9.0)
    assert recent.percentiles(BOTH, WINDOW_S + 0.5) == [0.002, 0.002]
    assert recent.percentiles(BOTH, 20.0) == []


@pytest.mark.parametrize("more", [1, MOST])
def test_it_is_bounded_and_keeps_the_newest(more: int) -> None:
    recent = Recent()
    recent.add([1.0] * MOST, 0.0)
    recent.add([0.0] * more, 0.0)
    assert recent.percentiles((0.5,), 0.0) == [0.0 if more == MOST else 1.0]


def test_new_measurements_show_at_once_when_many_and_soon_when_few() -> None:
    recent = Recent()
    recent.add([1.0], 0.0)
    assert recent.percentiles((0.5,), 0.0) == [1.0]
    recent.add([2.0] * 3, 0.1)
    assert recent.percentiles((0.5,), 0.6) == [2.0]
    recent.add([3.0] * 30, 0.7)
    assert recent.percentiles((0.5,), 0.7) == [3.0]
