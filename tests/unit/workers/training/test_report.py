"""Shares and their intervals, as EVALUATION.md says them."""

import pytest

from workers.training.report import Row, interval


def call(text: bool, audio: bool) -> dict[str, object]:
    return {
        "text_right": text,
        "audio_right": audio,
        "original_right": True,
        "reply_seconds": 2.0,
    }


def test_an_answer_is_right_when_text_and_audio_are() -> None:
    row = Row.of("callers", [call(True, True), call(True, False), call(False, True)], 1.0)
    assert row.calls == 3
    assert row.text == pytest.approx(2 / 3)
    assert row.right == pytest.approx(1 / 3)
    assert row.ceiling == 1.0


@pytest.mark.parametrize(
    ("hits", "count", "low", "high"), [(80, 100, 0.711, 0.867), (0, 10, 0.0, 0.278)]
)
def test_wilsons_interval(hits: int, count: int, low: float, high: float) -> None:
    assert interval(hits, count) == pytest.approx((low, high), abs=1e-3)


def test_the_line_is_a_row_of_seven_cells() -> None:
    line = Row.of("callers", [call(True, True)], 1.0).line()
    assert line.count("|") == 8
    assert "**100%**" in line
