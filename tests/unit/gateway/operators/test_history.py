"""The ten minutes that the charts show."""

import pytest

from gateway.operators.history import COLUMNS, COUNTED, KEPT_S, FigureHistory


def figures(**some: float | None) -> dict[str, float | None]:
    return {**dict.fromkeys(COLUMNS, 0.0), **some}


def test_a_row_holds_the_counts_of_its_second() -> None:
    history = FigureHistory()
    at = COLUMNS.index("underruns")
    rows = [history.add(figures(underruns=n)) for n in (7, 9, 9, 2)]
    assert [row[at] for row in rows] == [
        0,
        2,
        0,
        0,
    ]  # the fall to 2: a process that counted is gone


def test_levels_stay_as_they_are_and_may_be_missing() -> None:
    row = FigureHistory().add(figures(callers=12, step_ms=None))
    assert row[COLUMNS.index("callers")] == 12
    assert row[COLUMNS.index("step_ms")] is None


def test_it_keeps_ten_minutes_and_no_more() -> None:
    history = FigureHistory()
    for second in range(KEPT_S + 5):
        history.add(figures(at=second))
    assert [row[0] for row in history.rows()] == list(range(5, KEPT_S + 5))


def test_a_missing_figure_is_an_error() -> None:
    with pytest.raises(KeyError):
        FigureHistory().add({"at": 0.0})
    assert set(COUNTED) <= set(COLUMNS)
