"""Asks the whole pipeline by voice and judges its answers: docs/evaluation.md, its JSON and plots.

An answer is right if its text is the expected reply word for word, and if the judge recognises its
audio. The judge chooses among the most similar replies (`judge.py`). The ceiling is the same
judge's result on original recordings of such replies. Every random draw is seeded.
"""

import json
import math
import platform
import time
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import torch

from shared.modes import VadName
from workers.engines.hybrid.engine import HybridEngine
from workers.evaluation import (
    figures,
    findings,
    non_speech,
    plots,
    resynthesis,
    vad_comparison,
    word_errors,
)
from workers.evaluation.conditions import CLEAN, CallScript, Condition, chosen, named, rows
from workers.evaluation.figures import CallVerdict, Measures
from workers.evaluation.progress_bar import ProgressBar
from workers.evaluation.report import write_report
from workers.evaluation.verdicts import ceilings, interruptions, replies, row_of_calls
from workers.models.checkpoint import read_part
from workers.models.tokenizer.listener import load_listener
from workers.models.voice.voice import load_voice
from workers.training.questions.catalogue import FAMILIES_IN, Question, Split, questions
from workers.training.questions.question_families import Language

SLOTS: Final = 32  # calls at once, which halves the time of a call


@dataclass(frozen=True, slots=True)
class EvaluationSize:
    """How much the evaluation asks and plays."""

    share: float  # of each row's questions
    interruptions: int
    quiet_minutes: float  # of each VAD
    vad_minutes: float  # of each kind of noise and level, over all kinds
    sentences: int  # through the codec

    def part(self, share: float) -> "EvaluationSize":
        """A share of everything but the sentences. Raises ValueError unless 0 < share <= 1."""
        if not 0 < share <= 1:
            raise ValueError(f"Expected a share above 0 and at most 1, got {share}")
        return EvaluationSize(
            share * self.share,
            math.ceil(share * self.interruptions),
            share * self.quiet_minutes,
            share * self.vad_minutes,
            self.sentences,
        )

    def total(self, rows: Sequence[Condition]) -> int:
        """The total of the progress bar."""
        calls = sum(len(chosen(row, self.share)) for row in rows)
        ceiling = len(replies(rows, self.share))
        quiet_minutes = round(self.quiet_minutes) * len(VadName)
        return calls + ceiling + self.interruptions + quiet_minutes + self.sentences


FULL: Final = EvaluationSize(1.0, 60, 60.0, 4.0, 100)
QUICK: Final = EvaluationSize(0.16, 12, 8.0, 0.5, 16)


class Evaluation:
    """One evaluation of a weights folder, part by part."""

    def __init__(self, weights: Path, size: EvaluationSize) -> None:
        torch.set_num_threads(1)
        self._weights, self._size = weights, size
        self._engine = HybridEngine.load(weights, SLOTS)
        self._listener = load_listener(weights)
        self.taught = taught(weights)
        self._rows = rows(self.taught)
        self._clean = named(CLEAN, self._rows)
        self.progress = ProgressBar(size.total(self._rows))
        self.verdicts: list[CallVerdict] = []
        self.vads: list[vad_comparison.VadResult] = []

    def calls(self) -> Measures:
        """Every row of calls: the answers, the transcripts and the listener's letters."""
        known = ceilings(self._rows, self._size.share, self.progress)
        table, transcripts = [], {}
        for condition in self._rows:
            own, callers = row_of_calls(self._engine, condition, self._size.share, self.progress)
            table.append(figures.row(condition.name, own, known))
            transcripts[condition.name] = self._transcribed(own, callers)
            self.verdicts += own
        over = interruptions(self._engine, self._clean, self._size.interruptions, self.progress)
        self.verdicts += over
        return {
            "rows": table,
            "transcript": transcripts,
            "interruptions": findings.interrupted(over),
            **findings.of_calls(self.verdicts, known),
        }

    def _transcribed(
        self, verdicts: Sequence[CallVerdict], callers: Sequence[CallScript]
    ) -> Measures:
        letters = word_errors.spelled(
            self._listener, [word_errors.mels_of(caller) for caller in callers]
        )
        asked = [verdict.asked for verdict in verdicts]
        transcript = word_errors.errors(asked, [verdict.transcript for verdict in verdicts])
        return {**word_errors.errors(asked, letters), "told": transcript["words"]}

    def sounds(self) -> Measures:
        """Silence and noise for both VADs, the assistant's voice, and callers through the codec."""
        quiet_hour = non_speech.false_answers(
            self._engine, self._size.quiet_minutes, tuple(VadName), self.progress
        )
        voice = load_voice(self._weights, 1)
        every = [question.reply for question in chosen(self._clean, 1.0)]
        texts = resynthesis.sentences(every, self._size.sentences)
        spoken = resynthesis.measure(voice, texts, self.progress)
        self.progress.say("callers through the codec")
        asked = [question.text for question in chosen(self._clean, self._size.share)]
        kept = word_errors.through_codec(
            self._listener, voice.codec, asked[:: max(1, len(asked) // 15)]
        )
        self.progress.say("VADs")
        self.vads = vad_comparison.compared(self._size.vad_minutes)
        return {
            "quiet": quiet_hour,
            "voice": spoken,
            "codebooks": kept,
            "vad": [asdict(result) for result in self.vads],
        }


def main(
    weights: Path, output: Path, runs: Path, quick: bool = False, share: float = 1.0
) -> Measures:
    """Evaluate a weights folder. `quick` writes to runs/evaluation, otherwise to `output`.

    A `share` below 1 asks fewer questions: it takes less time, and its intervals are wider. The
    figures go to docs/evaluation.json, each call's record to runs/evaluation.
    """
    begun_s = time.process_time()
    records = runs / "evaluation"
    records.mkdir(parents=True, exist_ok=True)
    size = (QUICK if quick else FULL).part(share)
    evaluation = Evaluation(weights, size)
    found: Measures = {"weights": _weights(weights), "share": size.share}
    found |= _asked_of(evaluation.taught)
    found |= evaluation.calls()
    found |= evaluation.sounds()
    evaluation.progress.close()
    found["spent_s"] = evaluation.progress.spent_s
    found["minutes"] = round((time.process_time() - begun_s) / 60, 1)
    found["hardware"] = hardware()
    _write(found, evaluation, records, records if quick else output)
    return found


def _write(found: Measures, evaluation: Evaluation, records: Path, output: Path) -> None:
    lines = [json.dumps(asdict(verdict)) for verdict in evaluation.verdicts]
    (records / "calls.jsonl").write_text("\n".join(lines) + "\n")
    drawn = output / "docs" / "plots"
    plots.draw(found, [v.reply_s for v in evaluation.verdicts if v.reply_s], evaluation.vads, drawn)
    (output / "docs" / "evaluation.json").write_text(json.dumps(found, indent=1) + "\n")
    write_report(output / "docs" / "evaluation.md", found)


def _weights(folder: Path) -> Measures:
    """The weights' name, and the first digits of each part's checksum."""
    parts = json.loads((folder / "parity.json").read_text())["parts"]
    return {"name": folder.name, **{name: part["sha256"][:12] for name, part in parts.items()}}


def taught(weights: Path) -> tuple[str, ...]:
    """The families that the weights list as taught; all families if they list none."""
    every = [family.name for known in FAMILIES_IN.values() for family in known]
    return tuple(read_part(weights, "s2s").facts.get("families", every))


def _asked_of(families: Collection[str]) -> Measures:
    """The numbers of intents, families and phrasings among these families."""

    def of(split: Split, language: Language = Language.ENGLISH) -> list[Question]:
        return [q for q in questions(split, language) if q.family in families]

    trained = of(Split.TRAIN)
    foreign = of(Split.TRAIN, Language.SPANISH)
    held_out = {question.intent for question in of(Split.COMBINATION)}
    return {
        "intents": len({question.intent for question in trained}),
        "families_taught": len({question.family for question in trained}),
        "phrasings": len(trained),
        "combinations": len(held_out),
        "spanish_intents": len({question.intent for question in foreign}),
        "spanish_families": len({question.family for question in foreign}),
        "spanish_phrasings": len(foreign),
    }


def hardware() -> str:
    """The processor's name and the number of threads."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    name = next((x.partition(":")[2].strip() for x in lines if x.startswith("model name")), "")
    return f"{name or platform.processor() or platform.machine()}, one thread"
