"""Shares, their intervals, rows of the table, and error rates."""

import math

import pytest

from workers.evaluation.figures import (
    CallVerdict,
    Share,
    error_rate,
    expected_ceiling,
    families,
    interval,
    row,
    spread,
)
from workers.training.questions.small_talk import UNKNOWN_REPLY


def verdict(
    text: bool = True, audio: bool = True, family: str = "sum", said: str = ""
) -> CallVerdict:
    return CallVerdict(
        condition="callers",
        family=family,
        asked="what is it?",
        expected="it is four.",
        text=said,
        recognised="",
        text_right=text,
        audio_right=audio,
        reason="end",
        reply_s=2.0,
        decided_s=0.6,
        began_s=0.6,
        steps=0,
        head_s=0.02,
    )


@pytest.mark.parametrize(
    ("hits", "count", "low", "high"), [(80, 100, 0.711, 0.867), (0, 10, 0.0, 0.278), (0, 0, 0, 1)]
)
def test_the_interval_is_wilsons(hits: int, count: int, low: float, high: float) -> None:
    assert interval(hits, count) == pytest.approx((low, high), abs=1e-3)


@pytest.mark.parametrize(("hits", "count"), [(0, 92), (1, 60), (171, 184), (457, 552), (92, 92)])
def test_the_interval_equals_the_closed_formula(hits: int, count: int) -> None:
    z, p = 1.959964, hits / count
    middle = (p + z * z / (2 * count)) / (1 + z * z / count)
    half = z * math.sqrt(p * (1 - p) / count + z * z / (4 * count**2)) / (1 + z * z / count)
    assert interval(hits, count) == pytest.approx((middle - half, middle + half), abs=1e-6)


def test_an_answer_is_right_if_text_and_audio_are() -> None:
    calls = [verdict(), verdict(audio=False), verdict(text=False, said=UNKNOWN_REPLY)]
    found = row("callers", calls, {"sum": Share(9, 10)})
    assert found["text"] == Share(2, 3).figures()
    assert found["right"] == Share(1, 3).figures()
    assert found["unsure"] == Share(1, 3).figures()
    assert found["of_ceiling"] == pytest.approx(1 / 3 / 0.9, abs=1e-4)


def test_a_ceiling_is_that_of_the_families_asked() -> None:
    known = {"sum": Share(5, 10), "joke": Share(10, 10)}
    assert expected_ceiling(["sum", "sum", "joke"], known) == pytest.approx(2 / 3)
    assert expected_ceiling(["never judged"], known) == pytest.approx(0.75)


def test_families_have_separate_shares() -> None:
    calls = [verdict(), verdict(text=False), verdict(family="joke")]
    assert {name: share["share"] for name, share in families(calls).items()} == {
        "sum": 0.5,
        "joke": 1.0,
    }


def test_a_spread_has_the_median_and_two_percentiles() -> None:
    assert spread(float(n) for n in range(101)) == {
        "count": 101,
        "median": 50.0,
        "p5": 5.0,
        "p95": 95.0,
    }
    assert spread([]) == {"count": 0}


@pytest.mark.parametrize(
    ("wanted", "recognised", "errors"),
    [
        ("two and two", "two and two", 0),
        ("two and two", "two and", 1),
        ("two and two", "to and two", 1),
        ("two and two", "well two and two now", 2),
        ("two and two", "", 3),
        ("a b c d", "b c d e", 2),
    ],
)
def test_word_errors_are_insertions_deletions_and_substitutions(
    wanted: str, recognised: str, errors: int
) -> None:
    rate = error_rate([(wanted, recognised)], str.split)
    assert rate == pytest.approx(errors / len(wanted.split()), abs=1e-4)


def test_error_rates_cover_all_utterances_together() -> None:
    said = [("two and two", "two and too"), ("four", "")]
    assert error_rate(said, str.split) == pytest.approx(2 / 4)
    assert error_rate([("", "noise")], str.split) is None
