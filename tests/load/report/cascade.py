"""The section on typical talk with the cascade, and on the same talk with pipecat."""

from collections.abc import Sequence
from typing import Final

from tests.load.cascade import LIMIT_P95_MS, PARTS, TalkRung, largest_talking
from tests.load.document import table

HOW: Final = """\
Typical talk with `ENGINE=cascade`. Each caller asks one of twelve spoken questions (flite and
espeak-ng, 1.5 to 3 s) and listens to the reply. After a pause of 0.7 to 1.3 times the reply's
length the caller asks again. So a caller speaks, listens and is silent in turn, and the call's
memory grows. The worker runs on one core; gateway, Redis and the callers run on the other.

*First audio* is the time from the sample with which the worker can decide that the turn is over to
the first audible sample. *From speech end* (mouth to ear) includes the silence that ends a turn.
An *underrun* is silence inside a reply for a player that keeps 60 ms in reserve. *Reopened* counts
replies that the worker withdrew because the caller went on. *CPU s* is the worker's CPU time for a
minute of one caller's conversation. *Others* is the share of the worker's core that other programs
used; if it is not near 0, the latencies are too high. All times are in ms unless the head says s.
"""
HOW_STAGES: Final = """\
Where the worker's time goes, in seconds for a minute of one caller's conversation. *Read* and
*think* are the language model's reading and writing. *Log* is the reading and writing of the log.
The clock measures them, so they include what others used.
"""
HOW_PEER: Final = """\
The same callers talk to pipecat with the same three models, as one process on the worker's core. It
uses its Silero VAD, its default turn strategies (Smart Turn) and its Whisper service
(faster-whisper, the same weights in int8). Two small services in the same process run the same
tuned language model and the same voice. They serve one request at a time; the voice speaks whole
sentences. The process of pipecat has no gateway and no log, so its core carries the sockets too,
and no call survives the process. It does not report its decision; compare the times from the end of
speech.
"""
NOT_MEASURED: Final = "pipecat with the same models: not measured."


def cascade(rungs: Sequence[TalkRung], where: str) -> str:
    """The section on antiphon."""
    return "\n\n".join(
        [
            f"## Typical talk\n\n{HOW.strip()}\n\n{where}",
            _talks(rungs),
            f"Largest number of callers with p95 first audio below {LIMIT_P95_MS:g} ms, every turn "
            f"answered and no underrun: **{largest_talking(rungs)}**.",
            HOW_STAGES.strip(),
            _stages(rungs),
            "![first audio and time by part](plots/talk.svg)",
        ]
    )


def peer(rungs: Sequence[TalkRung] | None, ours: Sequence[TalkRung], where: str) -> str:
    """The section on pipecat; None: not measured."""
    title = "## Typical talk, side by side"
    if not rungs:
        return f"{title}\n\n{NOT_MEASURED}"
    sizes = {rung.callers for rung in rungs}
    both = [("antiphon", r) for r in ours if r.callers in sizes] + [("pipecat", r) for r in rungs]
    both.sort(key=lambda pair: pair[1].callers)
    rows = [
        [
            name,
            r.callers,
            r.turns,
            r.unanswered,
            *_spread(r, of_end=True),
            r.underruns,
            r.cpu_s_a_minute,
            sum(r.cpu.values()) * 60 / 1_000 / r.callers,
            _share(r),
        ]
        for name, r in both
    ]
    head = ["", "callers", "turns", "unanswered", "from speech end p50", "p95", "underruns"]
    head += ["CPU s of the models' process", "CPU s of all processes", "core"]
    return "\n\n".join([f"{title}\n\n{HOW_PEER.strip()}\n\n{where}", table(head, rows)])


def _talks(rungs: Sequence[TalkRung]) -> str:
    head = ["callers", "turns", "first audio p50", "p95", "from speech end p50", "p95"]
    head += ["underruns", "gaps", "unanswered", "refused", "reopened", "CPU s", "core", "others"]
    head += ["sent late p99"]
    rows = [
        [
            r.callers,
            r.turns,
            *_spread(r),
            *_spread(r, of_end=True),
            r.underruns,
            r.gaps,
            r.unanswered,
            r.refused,
            r.reopened,
            r.cpu_s_a_minute,
            _share(r),
            f"{100 * r.others:.0f} %",
            r.sent_late_p99,
        ]
        for r in rungs
    ]
    return table(head, rows)


def _stages(rungs: Sequence[TalkRung]) -> str:
    rows = []
    for r in rungs:
        parts = [r.stage_s_a_minute(name) for name in PARTS]
        rest = r.stage_s_a_minute("step") - sum(parts)
        log = r.stage_s_a_minute("fetch") + r.stage_s_a_minute("publish")
        rows.append([r.callers, *parts, rest, r.stage_s_a_minute("vad"), log])
    return table(["callers", *PARTS, "rest of the step", "VAD", "log"], rows)


def _spread(rung: TalkRung, *, of_end: bool = False) -> list[float]:
    at = rung.from_speech_end_at if of_end else rung.first_audio_at
    return [at(0.5), at(0.95)]


def _share(rung: TalkRung) -> str:
    return f"{rung.worker / 10:.0f} %"
