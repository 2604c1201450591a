"""Measure typical talk with the cascade: one worker on one core, everything else on the other."""

import math
import re
import subprocess
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from typing import Final

from tests.load.cores import Cores, CpuMeter, CpuTime
from tests.load.ladder import Progress
from tests.load.servers import CASCADE_PEER_ENV, RunningServer, ours, peer, prepare_cascade_peer
from tests.load.talker import Question, nearest_rank
from tests.load.talking import Talk, questions, talk
from tests.ports import free_port

LIMIT_P95_MS: Final = 800.0  # from the decision to reply, to the first audible sample
PARTS: Final = ("hear", "read", "think", "speak")
STAGES: Final = (*PARTS, "step", "vad", "fetch", "publish")
STAGE_SUM: Final = re.compile(r'^antiphon_stage_seconds_sum\{stage="(\w+)"\} (\S+)$', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class TalkPlan:
    """How many callers talk, and for how many measured seconds."""

    seconds: dict[int, float]


SHORT: Final = TalkPlan({1: 35.0, 4: 25.0, 8: 25.0, 16: 22.0})
FULL: Final = TalkPlan({1: 120.0, 4: 60.0, 8: 60.0, 16: 60.0, 32: 60.0})
SMOKE: Final = TalkPlan({2: 10.0})
PEER_SHORT: Final = TalkPlan({1: 35.0, 8: 25.0, 16: 22.0})
PEER_FULL: Final = TalkPlan({1: 120.0, 8: 60.0, 16: 60.0})
PEER_SMOKE: Final = TalkPlan({1: 8.0})


@dataclass(frozen=True, slots=True)
class TalkRung:
    """One server under so many talking callers; times in ms."""

    callers: int
    seconds: float
    turns: int
    unanswered: int
    refused: int  # calls that the server did not take
    closed: int  # calls that broke
    reopened: int  # replies that the server withdrew to listen on
    first_audio: list[float]  # from the sample with which the server can decide to reply
    from_speech_end: list[float]
    gaps: int
    underruns: int
    cpu: dict[str, float]  # CPU ms a second of each process of the server
    others: float  # the share of the worker's core that other programs used
    stages: dict[str, float]  # seconds in each stage of the worker, a second
    sent_late_p99: float

    @property
    def worker(self) -> float:
        """CPU ms a second of the process that runs the models."""
        path = sum(ms for name, ms in self.cpu.items() if name.split()[0] in ("redis", "gateway"))
        return sum(self.cpu.values()) - path

    @property
    def cpu_s_a_minute(self) -> float:
        """CPU seconds of that process for a minute of one caller's conversation."""
        talking = self.callers - self.refused
        return self.worker * 60 / 1_000 / talking if talking else math.nan

    def stage_s_a_minute(self, stage: str) -> float:
        """Seconds in a stage for a minute of one caller's conversation; NaN if not measured."""
        talking = self.callers - self.refused
        return self.stages.get(stage, math.nan) * 60 / talking if talking else math.nan

    @property
    def holds(self) -> bool:
        """Whether every caller was answered in time, without an underrun."""
        lost = self.unanswered + self.refused + self.closed + self.underruns + self.gaps
        return bool(self.turns) and not lost and self.first_audio_at(0.95) < LIMIT_P95_MS

    def first_audio_at(self, share: float) -> float:
        """A percentile; NaN for none."""
        return nearest_rank(self.first_audio, share)

    def from_speech_end_at(self, share: float) -> float:
        """A percentile; NaN for none."""
        return nearest_rank(self.from_speech_end, share)

    def __str__(self) -> str:
        return (
            f"{self.callers} callers, {self.turns} turns: first audio p50 "
            f"{self.first_audio_at(0.5):.0f} p95 {self.first_audio_at(0.95):.0f} ms, from speech "
            f"end p50 {self.from_speech_end_at(0.5):.0f} p95 {self.from_speech_end_at(0.95):.0f}, "
            f"underruns {self.underruns}, gaps {self.gaps}, unanswered {self.unanswered}, refused "
            f"{self.refused}, core {self.worker / 10:.0f} %, others {100 * self.others:.0f} %"
        )


def largest_talking(rungs: Sequence[TalkRung]) -> int:
    """The most callers that hold, if all smaller numbers hold too; 0 for none."""
    most = 0
    for rung in sorted(rungs, key=lambda rung: rung.callers):
        if not rung.holds:
            break
        most = rung.callers
    return most


class TalkMeter:
    """CPU time of all processes and time in the worker's stages, over the measured time."""

    def __init__(self, server: RunningServer, cores: Cores, metrics_url: str = "") -> None:
        kinds = {name: name.split()[0] in ("redis", "gateway") for name in server.pids}
        self._path = {name: pid for name, pid in server.pids.items() if kinds[name]}
        self._models = {name: pid for name, pid in server.pids.items() if not kinds[name]}
        self._cores, self._metrics_url = cores, metrics_url
        self._meters: list[CpuMeter] = []
        self._before: dict[str, float] = {}
        self.cpu = CpuTime({}, math.nan)
        self.stages: dict[str, float] = {}

    def begin(self) -> None:
        """The measured time begins."""
        self._before = self._stages()
        self._meters = [
            CpuMeter(self._models, self._cores.server),
            CpuMeter(self._path, self._cores.load),
        ]

    def end(self) -> None:
        """The measured time ends. Raises OSError when a process has died."""
        models, path = (meter.stop() for meter in self._meters)
        self.cpu = CpuTime({**models.cpu, **path.cpu}, models.others)
        spent = self._stages()
        self.stages = {name: spent[name] - self._before.get(name, 0.0) for name in spent}

    def _stages(self) -> dict[str, float]:
        if not self._metrics_url:
            return {}
        with urllib.request.urlopen(self._metrics_url, timeout=10) as answer:  # noqa: S310
            return stage_seconds(answer.read().decode())


def stage_seconds(metrics: str) -> dict[str, float]:
    """Seconds in each stage so far, from the text of a worker's /metrics."""
    found = {name: float(seconds) for name, seconds in STAGE_SUM.findall(metrics)}
    return {name: found[name] for name in STAGES if name in found}


def rung_of(
    callers: int, seconds: float, found: Talk, cpu: CpuTime, stages: Mapping[str, float]
) -> TalkRung:
    """The rung of one measurement; `stages` in seconds over the whole of it."""
    return TalkRung(
        callers=callers,
        seconds=seconds,
        turns=len(found.turns),
        unanswered=sum(not turn.answered for turn in found.turns),
        refused=found.refused,
        closed=found.closed,
        reopened=found.reopened,
        first_audio=[turn.first_audio for turn in found.turns if turn.first_audio is not None],
        from_speech_end=[
            turn.from_speech_end for turn in found.turns if turn.from_speech_end is not None
        ],
        gaps=sum(turn.gaps for turn in found.turns),
        underruns=sum(turn.underruns for turn in found.turns),
        cpu=dict(cpu.cpu),
        others=cpu.others,
        stages={name: spent / seconds for name, spent in stages.items()},
        sent_late_p99=found.sent_late_p99,
    )


def measure(plan: TalkPlan, cores: Cores, progress: Progress) -> list[TalkRung]:
    """Start the cascade once and let more and more callers talk to it."""
    port = free_port()
    start = ours(
        cores.server,
        max(plan.seconds),
        path_core=cores.load,
        ENGINE="cascade",
        REPLY_MODE="turn",
        WORKER_METRICS_PORT=str(port),
    )
    return climb(start, plan, cores, progress, f"http://127.0.0.1:{port}/metrics")


def compare(plan: TalkPlan, cores: Cores, progress: Progress) -> list[TalkRung]:
    """Let the same callers talk to pipecat with the same models, one process on one core.

    Raises RuntimeError when pip cannot install it.
    """
    progress("pipecat's environment (the first time: a minute or two) ...")
    try:
        prepare_cascade_peer()
    except subprocess.CalledProcessError as error:
        raise RuntimeError(f"Expected pip to install pipecat, got {error}") from error
    most = str(max(plan.seconds))
    start = peer("pipecat_cascade", cores.server, most, env=CASCADE_PEER_ENV)
    return climb(start, plan, cores, progress)


def climb(
    start: AbstractContextManager[RunningServer],
    plan: TalkPlan,
    cores: Cores,
    progress: Progress,
    metrics_url: str = "",
) -> list[TalkRung]:
    """Measure each number of callers; if the server dies, keep what there is.

    Raises RuntimeError when no caller asked anything in the measured time.
    """
    asked, rungs = questions(), []
    with start as server:
        progress("the server is ready")
        one = partial(_rung, server, asked, cores, metrics_url)
        for callers, seconds in plan.seconds.items():
            try:
                rung = one(callers, seconds)
            except OSError as error:
                progress(f"{callers} callers: the server died, {error}")
                break
            progress(str(rung))
            rungs.append(rung)
    if not any(rung.turns for rung in rungs):
        raise RuntimeError("Expected turns of the callers, got none")
    return rungs


def _rung(
    server: RunningServer,
    asked: Sequence[Question],
    cores: Cores,
    metrics_url: str,
    callers: int,
    seconds: float,
) -> TalkRung:
    meter = TalkMeter(server, cores, metrics_url)
    found = talk(server.url, callers, seconds, asked, meter.begin, meter.end, native=server.native)
    return rung_of(callers, seconds, found, meter.cpu, meter.stages)
