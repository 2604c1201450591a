"""Ask the whole pipeline by voice, judge its answers: docs/evaluation.md, its JSON and plots.

A right answer's text is the expected reply word for word, and its audio is heard as that sentence
among the replies likest to it (`judge.py`). The same judge on original recordings of such replies
is the ceiling that stands beside it. Everything is seeded.
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
from workers.evaluation.conditions import CLEAN, Condition, SpokenCall, chosen, named, rows
from workers.evaluation.figures import Figures, Verdict
from workers.evaluation.progress_bar import ProgressBar
from workers.evaluation.report import write_report
from workers.evaluation.verdicts import ceilings, interruptions, replies, row_of_calls
from workers.models.checkpoint import read_part
from workers.models.tokenizer.listener import load_listener
from workers.models.voice.voice import load_voice
from workers.training.questions.catalogue import FAMILIES_IN, Question, Split, questions
from workers.training.questions.families import Language

SLOTS: Final = 32  # calls at once: twice as fast a call as one at a time


@dataclass(frozen=True, slots=True)
class EvaluationSize:
    """How much is asked."""

    share: float  # of each row's questions
    interruptions: int
    quiet_minutes: float  # of each VAD
    vad_minutes: float  # of each kind of noise and level, over all kinds
    sentences: int  # through the codec

    def part(self, share: float) -> "EvaluationSize":
        """So much of all but the sentences; ValueError unless 0 < share <= 1."""
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
        """What the progress bar counts to."""
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
        self.verdicts: list[Verdict] = []
        self.vads: list[vad_comparison.VadResult] = []

    def calls(self) -> Figures:
        """Every row of calls: what was answered, and what the listener understood."""
        known = ceilings(self._rows, self._size.share, self.progress)
        table, rough = [], {}
        for condition in self._rows:
            own, callers = row_of_calls(self._engine, condition, self._size.share, self.progress)
            table.append(figures.row(condition.name, own, known))
            rough[condition.name] = self._transcribed(own, callers)
            self.verdicts += own
        over = interruptions(self._engine, self._clean, self._size.interruptions, self.progress)
        self.verdicts += over
        return {
            "rows": table,
            "transcript": rough,
            "interruptions": findings.interrupted(over),
            **findings.of_calls(self.verdicts, known),
        }

    def _transcribed(self, verdicts: Sequence[Verdict], callers: Sequence[SpokenCall]) -> Figures:
        heard = word_errors.spelled(
            self._listener, [word_errors.mels_of(caller) for caller in callers]
        )
        asked = [verdict.asked for verdict in verdicts]
        told = word_errors.errors(asked, [verdict.told for verdict in verdicts])
        return {**word_errors.errors(asked, heard), "told": told["words"]}

    def sounds(self) -> Figures:
        """Silence and noise, both VADs, the assistant's voice, and callers through the codec."""
        quiet_hour = non_speech.silence(
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
) -> Figures:
    """Evaluate a weights folder. `quick` writes into runs/evaluation, else into `output`.

    `share`: how much of all that could be asked; less is quicker, and its intervals are wider.

    The figures are in docs/evaluation.json, each call's protocol in runs/evaluation.
    """
    begun_s = time.process_time()
    protocol = runs / "evaluation"
    protocol.mkdir(parents=True, exist_ok=True)
    size = (QUICK if quick else FULL).part(share)
    evaluation = Evaluation(weights, size)
    found: Figures = {"weights": _weights(weights), "share": size.share}
    found |= _asked_of(evaluation.taught)
    found |= evaluation.calls()
    found |= evaluation.sounds()
    evaluation.progress.close()
    found["spent_s"] = evaluation.progress.spent_s
    found["minutes"] = round((time.process_time() - begun_s) / 60, 1)
    found["hardware"] = hardware()
    _write(found, evaluation, protocol, protocol if quick else output)
    return found


def _write(found: Figures, evaluation: Evaluation, protocol: Path, output: Path) -> None:
    lines = [json.dumps(asdict(verdict)) for verdict in evaluation.verdicts]
    (protocol / "calls.jsonl").write_text("\n".join(lines) + "\n")
    drawn = output / "docs" / "plots"
    plots.draw(found, [v.reply_s for v in evaluation.verdicts if v.reply_s], evaluation.vads, drawn)
    (output / "docs" / "evaluation.json").write_text(json.dumps(found, indent=1) + "\n")
    write_report(output / "docs" / "evaluation.md", found)


def _weights(folder: Path) -> Figures:
    """Which weights these are: their name, and the beginning of each part's checksum."""
    parts = json.loads((folder / "parity.json").read_text())["parts"]
    return {"name": folder.name, **{name: part["sha256"][:12] for name, part in parts.items()}}


def taught(weights: Path) -> tuple[str, ...]:
    """The families that these weights were taught, as they say; else all that there are."""
    every = [family.name for known in FAMILIES_IN.values() for family in known]
    return tuple(read_part(weights, "s2s").facts.get("families", every))


def _asked_of(families: Collection[str]) -> Figures:
    """What there is of these families."""

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
    """The processor's name and how many cores were used."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    name = next((x.partition(":")[2].strip() for x in lines if x.startswith("model name")), "")
    return f"{name or platform.processor() or platform.machine()}, one thread"
