"""Figures over several rows."""

from dataclasses import replace

from tests.unit.workers.evaluation.test_figures import verdict
from workers.evaluation.conditions import CLEAN, SPOKEN
from workers.evaluation.figures import CallVerdict, Share
from workers.evaluation.findings import grouped, interrupted, of_calls

NOISY = next(row.name for row in SPOKEN if row.noise_db == 10.0)
STREAM = next(row.name for row in SPOKEN if row.mode == "stream")


def call(condition: str, asked: str = "", right: bool = True, began_s: float = 0.6) -> CallVerdict:
    plain = verdict(text=right)
    return replace(plain, condition=condition, asked=asked, began_s=began_s)


def test_the_cost_of_noise_compares_the_same_questions() -> None:
    calls = [call(CLEAN, "one"), call(CLEAN, "two"), call(CLEAN, "three", right=False)]
    calls += [call(NOISY, "one"), call(NOISY, "two", right=False)]
    found = of_calls(calls, {"sum": Share(1, 1)})
    assert found["lost_in_noise"] == {NOISY: {"count": 2, "clean": 1.0, "points": 50.0}}


def test_a_reply_in_stream_mode_may_begin_early_and_still_be_inaudible() -> None:
    # The first 20 ms are inaudible.
    calls = [call(STREAM, began_s=at) for at in (-0.5, -0.01, 0.4, 0.8)]
    streams = of_calls(calls, {"sum": Share(1, 1)})["streams"]
    assert isinstance(streams, dict)
    assert streams[STREAM]["answered_early"]["share"] == 0.5
    assert streams[STREAM]["talked_over"]["share"] == 0.25


def test_an_interruption_counts_if_the_reply_stops_in_time_and_the_answer_is_right() -> None:
    calls = [
        replace(verdict(text=right), cleared_s=cleared_s)
        for right, cleared_s in ((True, 0.3), (True, 1.3), (False, 0.3), (True, None))
    ]
    found = interrupted(calls)
    assert found["in_time"] == Share(2, 4).figures()
    assert found["answered"] == Share(3, 4).figures()
    assert found["both"] == Share(1, 4).figures()


def test_every_family_belongs_to_one_group() -> None:
    names = ["sum", "day after", "capital", "repeat", "joke"]
    found = grouped([verdict(family=name) for name in names])
    assert [len(group) for group in found.values()] == [1] * 5
