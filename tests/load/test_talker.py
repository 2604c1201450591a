"""The talking callers' own logic, and what the part makes of their turns."""

import ast
import math
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from shared.audio import CHUNK_BYTES, CHUNK_SAMPLES, FRAME_BYTES
from tests.load import plots
from tests.load.cascade import TalkRung, largest_talking, rung_of, stage_seconds
from tests.load.cores import CpuTime
from tests.load.report import cascade as report
from tests.load.servers import PEERS
from tests.load.talker import CHUNK_S, PATIENCE_S, Question, Talker, nearest_rank
from tests.load.talking import Talk

LOUD = np.tile(np.array([5_000, -5_000], "<i2"), FRAME_BYTES // 4).tobytes()
QUIET = bytes(FRAME_BYTES)


class Call:
    """A talker with a clock that advances with each chunk, from time 0."""

    def __init__(self, *, reports: bool = True) -> None:
        samples = np.full(2 * CHUNK_SAMPLES, 5_000, np.int16)
        self.talker = Talker([Question.of(samples)], 0, reports=reports)
        self.talker.start(0.0, 0.0)
        self.now = 0.0
        self.sent: list[bytes] = []

    def speak(self, chunks: int) -> None:
        for _ in range(chunks):
            self.now += CHUNK_S
            self.sent.append(self.talker.next_chunk(self.now))

    def event(self, **event: object) -> None:
        self.talker.take_event(event, self.now)

    def reply(self, first: int, frames: int) -> None:
        """A reply with a silent first frame."""
        self.event(type="reply_started", generation=1, frame=first)
        for number in range(first, first + frames):
            self.talker.take_frame(number, 1, QUIET if number == first else LOUD, self.now)
        self.event(type="reply_done", generation=1, frame=first + frames, reason="done")


def test_a_caller_asks_listens_pauses_and_asks_again() -> None:
    call = Call()
    call.speak(6)
    assert [any(piece) for piece in call.sent] == [True, True, False, False, False, False]
    assert all(len(piece) == CHUNK_BYTES for piece in call.sent)
    call.event(type="speech_stopped", sample=4 * CHUNK_SAMPLES)
    call.reply(1, 50)
    call.speak(12)
    assert call.talker.busy
    call.speak(3)
    (turn,) = call.talker.turns
    assert turn.first_audio == pytest.approx((6 - 5) * 80 + 20)
    assert turn.from_speech_end == pytest.approx((6 - 2) * 80 + 20)
    assert call.talker.played(call.now) == 50
    call.sent.clear()
    call.speak(20)
    assert any(map(any, call.sent))


def test_a_lost_frame_between_two_turns_is_a_gap_of_the_second() -> None:
    call = Call()
    for first in (1, 12):
        call.speak(4)
        call.reply(first, 10)
        call.speak(25)
    assert [turn.gaps for turn in call.talker.turns] == [0, 1]


def test_a_withdrawn_reply_does_not_count() -> None:
    call = Call()
    call.speak(4)
    call.event(type="speech_stopped", sample=0)
    call.reply(1, 5)
    call.event(type="clear", generation=1, next_frame=6)
    call.speak(4)
    call.event(type="speech_stopped", sample=6 * CHUNK_SAMPLES)
    call.reply(6, 5)
    call.speak(5)
    (turn,) = call.talker.turns
    assert call.talker.reopened == 1
    assert turn.first_audio == pytest.approx((8 - 7) * 80 + 20)
    assert turn.gaps == 0


def test_a_turn_without_an_answer_ends_after_a_while() -> None:
    call = Call()
    call.speak(round(PATIENCE_S / CHUNK_S) + 4)
    (turn,) = call.talker.turns
    assert not turn.answered
    assert turn.first_audio is None


def test_a_server_that_reports_nothing_has_ended_when_it_is_quiet() -> None:
    call = Call(reports=False)
    call.speak(4)
    call.talker.take_frame(None, 0, LOUD * 4, call.now)
    call.speak(15)
    assert call.talker.busy
    call.speak(10)
    (turn,) = call.talker.turns
    assert turn.from_speech_end == pytest.approx(160)
    assert turn.first_audio is None


def talked(*first_audio: float, underruns: int = 0) -> Talk:
    call = Call()
    call.speak(4)
    call.talker.give_up(call.now)
    (none,) = call.talker.turns
    kind = type(none)
    turns = [kind(0.0, ms, ms + 400, 0, underruns) for ms in first_audio]
    return Talk(turns, refused=0, closed=0, reopened=0, sent_late_p99=1.0)


def rung(callers: int, found: Talk) -> TalkRung:
    cpu = CpuTime({"worker": 500.0, "gateway": 50.0, "redis": 20.0}, 0.0)
    return rung_of(callers, 30.0, found, cpu, {"hear": 3.0, "step": 12.0})


def test_the_largest_number_holds_with_all_smaller_ones() -> None:
    good, slow = talked(100.0, 700.0), talked(100.0, 900.0)
    assert largest_talking([rung(1, good), rung(8, good), rung(16, slow), rung(32, good)]) == 8
    assert largest_talking([rung(1, talked(100.0, underruns=1))]) == 0
    assert largest_talking([rung(1, talked())]) == 0


def test_a_rung_counts_for_a_minute_of_one_caller() -> None:
    found = rung(10, talked(100.0))
    assert found.worker == 500.0
    assert found.cpu_s_a_minute == pytest.approx(3.0)
    assert found.stage_s_a_minute("hear") == pytest.approx(0.6)
    assert math.isnan(found.stage_s_a_minute("think"))


def test_a_percentile_of_few_values_is_not_too_low() -> None:
    assert nearest_rank([3.0, 1.0, 2.0], 0.95) == 3.0
    assert nearest_rank([3.0, 1.0, 2.0], 0.5) == 2.0
    assert math.isnan(nearest_rank([], 0.5))


def test_the_stages_are_read_from_the_metrics() -> None:
    text = (
        'antiphon_stage_seconds_bucket{le="0.1",stage="hear"} 4.0\n'
        'antiphon_stage_seconds_sum{stage="hear"} 1.5\n'
        'antiphon_stage_seconds_sum{stage="turn"} 9e-05\n'
    )
    assert stage_seconds(text) == {"hear": 1.5}


def test_the_sections_and_the_plot_show_each_number_of_callers(tmp_path: Path) -> None:
    rungs = [rung(1, talked(100.0)), rung(8, talked(850.0))]
    plots.talk(rungs, tmp_path / "talk.svg")
    assert (tmp_path / "talk.svg").stat().st_size > 0
    text = report.cascade(rungs, "here")
    assert "no underrun: **1**" in text
    assert "| 8 | 1 | 850 |" in text
    assert "not measured" in report.peer(None, rungs, "here")
    assert "| pipecat | 1 |" in report.peer(rungs[:1], rungs, "here")


def test_the_peer_imports_names_that_exist() -> None:
    """Neither mypy nor a test runs the peer: it lives in an environment of its own."""
    tree = ast.parse((PEERS / "pipecat_cascade.py").read_text())
    ours = [
        (node.module, name.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module
        for name in node.names
        if node.module.split(".")[0] in ("shared", "workers")
    ]
    assert ours
    assert [pair for pair in ours if not hasattr(import_module(pair[0]), pair[1])] == []
