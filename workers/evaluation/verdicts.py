"""Judges calls: an answer is right if both its text and its audio say what is expected.

The judge costs most, so it recognises the audio only if the text is right.
"""

import random
from collections.abc import Sequence
from typing import Final

import numpy as np

from shared.audio import FRAME_MS, FRAME_SAMPLES, SAMPLE_RATE_HZ, Pcm16
from workers.engines.hybrid.engine import HybridEngine
from workers.evaluation.calls import OfflineCall, run_calls
from workers.evaluation.conditions import CEILING, SEED, CallScript, Condition, asked, chosen
from workers.evaluation.figures import CallVerdict, Share
from workers.evaluation.interruptions import InterruptingCall
from workers.evaluation.judge import judge_of, says
from workers.evaluation.progress_bar import ProgressBar
from workers.training.questions.catalogue import Question, words
from workers.training.speech.assistant import synthesise

AUDIBLE: Final = 164  # of 32,768: -46 dBFS
# Of a reply, before it is spoken over; speech in its first 1.5 s would go on with the question.
# Times after which callers interrupt a reply.
LISTENS_MS: Final = (1_600, 1_800, 2_000)
SHORTEST_WORDS: Final = 6  # of a reply that can be interrupted


def row_of_calls(
    engine: HybridEngine, condition: Condition, share: float, progress: ProgressBar
) -> tuple[list[CallVerdict], list[CallScript]]:
    """Run the calls of a row and judge their last answers."""
    progress.say(condition.name)
    callers = asked(condition, share)
    calls = [
        OfflineCall(caller.said, condition.mode, seed, caller.background)
        for seed, caller in enumerate(callers)
    ]
    run_calls(engine, calls, progress.add)
    pairs = zip(callers, calls, strict=True)
    return [judged(condition.name, caller.questions[-1], call) for caller, call in pairs], callers


def interruptions(
    engine: HybridEngine, condition: Condition, count: int, progress: ProgressBar
) -> list[CallVerdict]:
    """Judge calls that interrupt a long reply; calls with too short a reply are left out."""
    progress.say("interruptions")
    rng = random.Random(SEED)
    callers = asked(condition)
    long = [c for c in callers if len(words(c.questions[0].reply)) >= SHORTEST_WORDS]
    first = rng.sample(long, min(count, len(long)))
    over = rng.sample(callers, len(first))
    calls = [
        InterruptingCall((a.said[0], b.said[0]), seed, LISTENS_MS[seed % len(LISTENS_MS)])
        for seed, (a, b) in enumerate(zip(first, over, strict=True))
    ]
    run_calls(engine, calls, progress.add)
    pairs = zip(over, calls, strict=True)
    return [judged("interruptions", b.questions[0], c) for b, c in pairs if c.interrupted]


def judged(condition: str, question: Question, call: OfflineCall) -> CallVerdict:
    """The verdict on a call's last answer."""
    answer = call.answers[-1]
    expected = " ".join(words(question.reply))
    text_right = " ".join(words(answer.text)) == expected
    recognised = judge_of(question.reply).recognise(answer.pcm) if text_right else ""
    return CallVerdict(
        condition=condition,
        family=question.family,
        asked=question.text,
        expected=question.reply,
        text=answer.text,
        recognised=recognised,
        text_right=text_right,
        audio_right=recognised == expected,
        reason=answer.reason,
        reply_s=round(len(answer.pcm) / SAMPLE_RATE_HZ, 2),
        decided_s=_rounded(answer.decided_s),
        began_s=_rounded(answer.began_s),
        steps=answer.steps,
        head_s=head_s(answer.pcm),
        transcript=answer.transcript,
        cleared_s=_rounded(call.cleared_s) if isinstance(call, InterruptingCall) else None,
    )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def head_s(pcm: Pcm16) -> float | None:
    """The time until a reply is audible, to 20 ms; None: it never is."""
    frames = np.abs(pcm[: len(pcm) // FRAME_SAMPLES * FRAME_SAMPLES].astype(np.int32))
    loud = frames.reshape(-1, FRAME_SAMPLES).max(axis=1, initial=0) > AUDIBLE
    return round(int(np.argmax(loud)) * FRAME_MS / 1000, 2) if loud.any() else None


def replies(rows: Sequence[Condition], share: float) -> dict[str, str]:
    """The replies, with their families. Their original recordings give the ceilings."""
    among = [row for row in rows if row.name in CEILING]
    asked_for = [question for row in among for question in chosen(row, share)]
    return {question.reply: question.family for question in asked_for}


def ceilings(rows: Sequence[Condition], share: float, progress: ProgressBar) -> dict[str, Share]:
    """How often the judge recognises original recordings of each family's replies."""
    progress.say("ceiling")
    families = replies(rows, share)
    found: dict[str, list[bool]] = {}
    for said in synthesise(list(families)):
        found.setdefault(families[said.text], []).append(says(said.samples, said.text))
        progress.add(1)
    return {family: Share.of(flags) for family, flags in found.items()}
