"""The bench's own logic: how a ladder ends, what a run leaves behind when a part of it fails."""

import json
import math
from pathlib import Path

import pytest

from tests.load import parts
from tests.load.ladder import Rung, climb, largest
from tests.load.parts import Bench
from tests.load.record import Record
from tests.load.report import path
from tests.load.report.goals import goals
from tests.load.transport import LEAN, OURS, Rivals


def rung(callers: int, p95: float = 10.0, lost: int = 0, each_ms: float = 2.0) -> Rung:
    return Rung(callers, 5, p95, p95, 1, 1, lost, 1, {"gateway": each_ms * callers})


class Server:
    """Holds so many; every rung that was asked for is noted."""

    def __init__(self, holds: int, *, falls: bool = False, p95: float = 150.0) -> None:
        self.p95 = p95
        self.holds = holds
        self.falls = falls
        self.asked: list[int] = []

    def __call__(self, callers: int) -> Rung:
        self.asked.append(callers)
        if callers <= self.holds:
            return rung(callers)
        return Rung.fallen(callers, "no more") if self.falls else rung(callers, p95=self.p95)


def test_a_ladder_ends_at_the_first_number_that_does_not_hold_twice() -> None:
    server = Server(140)
    rungs = climb(server, (1, 50, 100, 200, 500), bisections=2)
    assert server.asked == [1, 50, 100, 200, 200, 150, 125]
    assert largest(rungs) == 125


def test_a_server_that_fell_over_or_is_far_from_it_is_not_asked_again() -> None:
    for server in (Server(60, falls=True), Server(60, p95=1_000.0)):
        rungs = climb(server, (50, 100), bisections=0)
        assert server.asked == [50, 100]
        assert largest(rungs) == 50
        assert math.isnan(rungs[-1].cpu_per_caller) == server.falls


def test_a_number_that_holds_at_the_second_time_is_climbed_over() -> None:
    answers = iter([rung(1), rung(50, lost=3), rung(50), rung(100)])
    rungs = climb(lambda _: next(answers), (1, 50, 100), bisections=0)
    assert [r.callers for r in rungs if r.holds] == [1, 50, 100]


def test_what_is_known_is_not_measured_again() -> None:
    server = Server(90)
    rungs = climb(server, (80, 120), bisections=1, known=[rung(50)])
    assert server.asked == [80, 120, 120, 100]
    assert largest(rungs) == 80


def test_a_record_gives_back_what_it_was_given(tmp_path: Path) -> None:
    record = Record(tmp_path / "bench.json")
    found = Rivals({OURS: [rung(50)], LEAN: [Rung.fallen(50, "why")]}, {LEAN: [rung(80)]})
    record.keep("peers", found, "here")
    json.loads(record.path.read_text(), parse_constant=pytest.fail)
    again = Record(record.path)
    assert again.found("peers", Rivals) == found
    assert again.place("peers") == "here"
    assert again.found("transport", list[Rung]) is None
    record.keep("peers", [1], "there")
    assert Record(record.path).found("peers", Rivals) is None


def test_a_part_that_fails_loses_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_: Bench) -> None:
        raise RuntimeError("Expected luck")

    def succeed(bench: Bench) -> None:
        bench.record.keep("transport", [rung(1), rung(200)], "here")

    monkeypatch.setattr(parts, "PARTS", {"peers": fail, "transport": succeed})
    bench = Bench(tmp_path / "new")
    assert bench.run(["peers", "transport"]) == ["peers"]
    assert "Expected luck" in capsys.readouterr().out
    assert (
        "| added latency p99, 200 callers | at most 60 ms | 10 ms | yes |"
        in bench.paper.read_text()
    )


def test_the_goals_say_what_was_not_measured() -> None:
    text = goals(None, None, None, None)
    assert text.count("not measured") == 7


def test_the_ratio_to_the_peer() -> None:
    losing = rung(50, lost=9, each_ms=0.1)  # what it did not do must not make it cheap
    side = {OURS: [rung(50, each_ms=3.0), losing], LEAN: [rung(50, each_ms=6.0)]}
    found = Rivals(side, {LEAN: [rung(50), rung(80, lost=1)]})
    text = path.peers(found, [rung(50), rung(150)], "here")
    assert "| CPU per session, ours / pipecat (50 callers) | 0.50x |" in text
    assert "| sessions per core, ours / pipecat | 3.00x |" in text
    assert "| 80 |" in text
