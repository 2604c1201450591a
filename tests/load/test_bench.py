"""The bench's own logic: how a ladder ends, and what a run writes when one of its parts fails."""

import json
import math
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.load import moshi, parts
from tests.load.dialects import NATIVE, REALTIME, DialectCost
from tests.load.ladder import Rung, climb, largest
from tests.load.moshi import MoshiResult, MoshiStep
from tests.load.parts import Bench, Part
from tests.load.record import Record
from tests.load.report import path
from tests.load.report.goals import goals
from tests.load.transport import LEAN, OURS, PeerComparison

KINDS = ("redis", "worker", "gateway")


def rung(callers: int, p95: float = 10.0, lost: int = 0, each_ms: float = 2.0) -> Rung:
    return Rung(callers, 5, p95, p95, 1, 1, lost, 1, {"gateway": each_ms * callers})


class Server:
    """Holds so many callers, and notes every rung that the ladder asks for."""

    def __init__(self, holds: int, *, fails: bool = False, p95: float = 150.0) -> None:
        self.p95 = p95
        self.holds = holds
        self.fails = fails
        self.asked: list[int] = []

    def __call__(self, callers: int) -> Rung:
        self.asked.append(callers)
        if callers <= self.holds:
            return rung(callers)
        return Rung.failed(callers, "no more") if self.fails else rung(callers, p95=self.p95)


def test_a_ladder_ends_at_the_first_number_that_does_not_hold_twice() -> None:
    server = Server(140)
    rungs = climb(server, (1, 50, 100, 200, 500), bisections=2)
    assert server.asked == [1, 50, 100, 200, 200, 150, 125]
    assert largest(rungs) == 125


def test_a_server_that_failed_or_is_far_too_slow_gets_no_second_try() -> None:
    for server in (Server(60, fails=True), Server(60, p95=1_000.0)):
        rungs = climb(server, (50, 100), bisections=0)
        assert server.asked == [50, 100]
        assert largest(rungs) == 50
        assert math.isnan(rungs[-1].cpu_per_caller) == server.fails


def test_a_ladder_goes_on_when_the_second_try_holds() -> None:
    answers = iter([rung(1), rung(50, lost=3), rung(50), rung(100)])
    rungs = climb(lambda _: next(answers), (1, 50, 100), bisections=0)
    assert [r.callers for r in rungs if r.holds] == [1, 50, 100]


def test_known_rungs_are_not_measured_again() -> None:
    server = Server(90)
    rungs = climb(server, (80, 120), bisections=1, known=[rung(50)])
    assert server.asked == [80, 120, 120, 100]
    assert largest(rungs) == 80


def test_a_record_returns_what_it_keeps(tmp_path: Path) -> None:
    record = Record(tmp_path / "bench.json")
    found = PeerComparison({OURS: [rung(50)], LEAN: [Rung.failed(50, "why")]}, {LEAN: [rung(80)]})
    record.keep("peers", found, "here")
    json.loads(record.path.read_text(), parse_constant=pytest.fail)
    again = Record(record.path)
    assert again.found("peers", PeerComparison) == found
    assert again.place("peers") == "here"
    assert again.found("transport", list[Rung]) is None
    record.keep("peers", [1], "there")
    assert Record(record.path).found("peers", PeerComparison) is None


def test_the_other_parts_still_run_when_one_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_: Bench) -> None:
        raise RuntimeError("Expected luck")

    chosen = {
        "peers": Part("peers", fail, fail),
        "transport": Part("transport", lambda _: [rung(1), rung(200)], lambda _: None),
    }
    monkeypatch.setattr(parts, "PARTS", chosen)
    bench = Bench(tmp_path / "new")
    assert bench.run(["peers", "transport"]) == ["peers"]
    assert "Expected luck" in capsys.readouterr().out
    assert (
        "| added latency p99, 200 callers | at most 60 ms | 10 ms | yes |"
        in bench.document.read_text()
    )


def test_the_goals_name_missing_measurements() -> None:
    text = goals(None, None, None, None)
    assert text.count("not measured") == 7


def test_the_ratio_to_the_peer() -> None:
    losing = rung(50, lost=9, each_ms=0.1)  # the frames that it lost must not make it cheap
    side = {OURS: [rung(50, each_ms=3.0), losing], LEAN: [rung(50, each_ms=6.0)]}
    found = PeerComparison(side, {LEAN: [rung(50), rung(80, lost=1)]})
    text = path.peers(found, [rung(50), rung(150)], "here")
    assert "| CPU per session, ours / pipecat (50 callers) | 0.50x |" in text
    assert "| sessions per core, ours / pipecat | 3.00x |" in text
    assert "| 80 |" in text


def test_the_ratio_of_the_protocols() -> None:
    costs = [(NATIVE, 4.0), (REALTIME, 5.0), (NATIVE, 4.2), (REALTIME, 5.25)]
    found = [DialectCost(name, 20, dict.fromkeys(KINDS, ms)) for name, ms in costs]
    assert "| ratio | 1.25x | 1.25x | 1.25x | 1.25x |" in path.dialects(found, "here")


def test_a_moshi_run_that_is_cut_short_leaves_what_it_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def measure(*_: object) -> Iterator[MoshiResult]:
        found = MoshiResult("a GPU", {"80 GB": [78, 87]}, 78)
        for batch in (1, 2):
            found.steps.append(MoshiStep(batch, 10.0 * batch, 12.5 * batch, 0.5))
            yield found
        raise RuntimeError("the GPU was taken away")

    monkeypatch.setattr(moshi, "measure", measure)
    assert Bench(tmp_path).run(["moshi"]) == ["moshi"]
    text = (tmp_path / "benchmarks.md").read_text()
    assert "| 2 | 20.0 | 25.0 | 50 % |" in text
    assert "below 80 ms: **2** of 78 seats here." in text
    assert "Several pasts at once: not measured." in text
