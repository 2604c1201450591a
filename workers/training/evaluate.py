"""Asks the whole pipeline by voice and listens to its answers: writes EVALUATION.md and its JSON.

A right answer's text is the expected reply word for word, and its audio is heard as that sentence
among the replies likest to it (`judge.py`). The same judge on the original recordings of the
expected replies is the ceiling that stands beside it.
"""

import json
import platform
import random
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import torch

from shared.audio import Pcm16, pcm16_from_floats
from shared.config import ReplyMode
from workers.engines.hybrid import HybridEngine
from workers.training.assistant import synthesise
from workers.training.callers import (
    NEVER_HEARD,
    NEVER_HEARD_SPANISH,
    TRAINED_ESPEAK,
    TRAINED_FLITE,
    UNSEEN_ESPEAK,
    UNSEEN_FLITE,
    UNSEEN_SPANISH,
)
from workers.training.calls import Answer, converse
from workers.training.dialogue import Question, Split, questions, words
from workers.training.families import Language
from workers.training.judge import CHOICES, judge_of, says
from workers.training.report import Row, write_report
from workers.training.tts import Job, Voice, speak

INTENTS: Final = 160
QUICK_INTENTS: Final = 24
SLOTS: Final = 16
SEED: Final = 2024


@dataclass(frozen=True, slots=True)
class Condition:
    """Who asks, and how: a row of the table."""

    name: str
    voices: tuple[Voice, ...]
    split: Split
    mode: ReplyMode = ReplyMode.TURN

    @property
    def language(self) -> Language:
        """What its callers speak."""
        return self.voices[0].language


CONDITIONS: Final = (
    Condition("trained voices", TRAINED_ESPEAK + TRAINED_FLITE, Split.TRAIN),
    Condition("unseen voices of espeak-ng", UNSEEN_ESPEAK, Split.TRAIN),
    Condition("unseen voice of flite (rms)", UNSEEN_FLITE, Split.TRAIN),
    Condition("unseen voice and unseen phrasing, espeak-ng", UNSEEN_ESPEAK, Split.PHRASING),
    Condition("unseen voice and unseen phrasing, flite (rms)", UNSEEN_FLITE, Split.PHRASING),
    Condition("combinations never trained, unseen espeak-ng", UNSEEN_ESPEAK, Split.COMBINATION),
    Condition("engine never heard: festival ked", NEVER_HEARD[:1], Split.TRAIN),
    Condition("engine never heard: festival kal", NEVER_HEARD[1:], Split.TRAIN),
    Condition("stream mode, unseen espeak-ng", UNSEEN_ESPEAK, Split.TRAIN, ReplyMode.STREAM),
    Condition("Spanish, unseen voices of espeak-ng", UNSEEN_SPANISH, Split.TRAIN),
    Condition("Spanish, unseen voice and unseen phrasing", UNSEEN_SPANISH, Split.PHRASING),
    Condition("Spanish, engine never heard: festival ked", NEVER_HEARD_SPANISH, Split.TRAIN),
)


def chosen_intents(
    split: Split, count: int, language: Language = Language.ENGLISH
) -> list[list[Question]]:
    """The questions of `count` intents, families in turn so that each has its share."""
    by_family: dict[str, dict[str, list[Question]]] = {}
    for question in questions(split, language):
        intents = by_family.setdefault(question.family, {})
        intents.setdefault(question.intent, []).append(question)
    rng = random.Random(SEED)
    queues = [list(intents.values()) for intents in by_family.values()]
    for queue in queues:
        rng.shuffle(queue)
    chosen: list[list[Question]] = []
    while len(chosen) < count and any(queues):
        chosen += [queue.pop() for queue in queues if queue]
    return chosen[:count]


def asked(condition: Condition, count: int) -> list[tuple[Question, Pcm16]]:
    """One spoken question an intent (held-out combinations: three), at the voices' own pace."""
    rng = random.Random(f"{SEED}/{condition.name}")
    times = 3 if condition.split is Split.COMBINATION else 1
    intents = chosen_intents(condition.split, count, condition.language)
    picked = [rng.choice(intent) for intent in intents for _ in range(times)]
    jobs = [Job(rng.choice(condition.voices), question.text) for question in picked]
    return list(zip(picked, map(pcm16_from_floats, speak(jobs)), strict=True))


def ceiling(replies: Sequence[str]) -> dict[str, bool]:
    """Whether the judge understands the original recording of each reply."""
    return {said.text: says(said.samples, said.text) for said in synthesise(replies)}


def text_is_right(answer: Answer, question: Question) -> bool:
    """Word for word."""
    return words(answer.text) == words(question.reply)


def evaluate(
    engine: HybridEngine, condition: Condition, count: int, originals: dict[str, bool]
) -> tuple[Row, list[dict[str, object]]]:
    """One row of the table, and each call's protocol."""
    calls = asked(condition, count)
    started_s = time.perf_counter()
    answers = converse(engine, [pcm for _, pcm in calls], condition.mode)
    spent_s = time.perf_counter() - started_s
    protocol: list[dict[str, object]] = []
    for (question, _), answer in zip(calls, answers, strict=True):
        heard = judge_of(question.reply).hear(answer.pcm)
        protocol.append(
            {
                "intent": question.intent,
                "asked": question.text,
                "expected": question.reply,
                "text": answer.text,
                "heard": heard,
                "text_right": text_is_right(answer, question),
                "audio_right": heard == " ".join(words(question.reply)),
                "original_right": originals[question.reply],
                "reply_seconds": round(len(answer.pcm) / 24_000, 2),
                "ended": answer.reason,
            }
        )
    return Row.of(condition.name, protocol, spent_s), protocol


def main(weights: Path, output: Path, quick: bool = False) -> list[Row]:
    """Evaluate a weights folder; writes EVALUATION.md into `output` and the JSON beside weights."""
    torch.set_num_threads(1)
    count = QUICK_INTENTS if quick else INTENTS
    engine = HybridEngine.load(weights, SLOTS)
    conditions = CONDITIONS[1:4:2] if quick else CONDITIONS
    intents = [i for c in conditions for i in chosen_intents(c.split, count, c.language)]
    originals = ceiling(sorted({intent[0].reply for intent in intents}))
    rows, protocols = [], {}
    for condition in conditions:
        row, protocol = evaluate(engine, condition, count, originals)
        print(row.line(), flush=True)
        rows.append(row)
        protocols[condition.name] = protocol
    if not quick:
        table = {"rows": [asdict(row) for row in rows], "calls": protocols}
        (weights / "evaluation.json").write_text(json.dumps(table, indent=1) + "\n")
        write_report(output / "EVALUATION.md", rows, CHOICES + 1, hardware())
    return rows


def hardware() -> str:
    """The processor's name and how many cores were used."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    name = next((x.partition(":")[2].strip() for x in lines if x.startswith("model name")), "")
    return f"{name or platform.processor() or platform.machine()}, one thread"
