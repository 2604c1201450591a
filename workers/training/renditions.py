"""Questions spoken by training voices: how often each, in shards that `callers.py` writes.

Content words, not intents, are balanced: "france" occurs in five questions and "three" in
hundreds, so each question about France is spoken more often.
"""

import random
from collections import Counter
from pathlib import Path
from typing import Final

import torch

from workers.training.callers import (
    NEVER_HEARD,
    TRAINED_ESPEAK,
    TRAINED_FLITE,
    UNSEEN_ESPEAK,
    UNSEEN_FLITE,
    Heard,
    load_shard,
    save_shard,
    trained_voice,
    varied,
)
from workers.training.dialogue import LEADS, Question, Split, questions
from workers.training.tts import Job, Voice

SHARDS: Final = 16
# Renditions wanted of a content word, and bounds for one question: 100 a rare word are needed.
PER_WORD: Final = 150
FEWEST: Final = 6
MOST: Final = 30
LEAD_SHARE: Final = 0.15
CHECKED: Final = 200  # utterances of each condition that training looks at as it goes

CONDITIONS: Final[dict[str, tuple[tuple[Voice, ...], Split]]] = {
    "seen": (TRAINED_ESPEAK + TRAINED_FLITE, Split.TRAIN),
    "espeak": (UNSEEN_ESPEAK, Split.TRAIN),
    "rms": (UNSEEN_FLITE, Split.TRAIN),
    "ked": (NEVER_HEARD[:1], Split.TRAIN),
    "phrasing": (UNSEEN_ESPEAK + UNSEEN_FLITE * 15, Split.PHRASING),
    "combination": (UNSEEN_ESPEAK + UNSEEN_FLITE * 15, Split.COMBINATION),
}


def repeats() -> list[tuple[Question, int]]:
    """Each trained question and how often it is spoken."""
    asked = list(questions(Split.TRAIN))
    count = Counter((q.family, word) for q in asked for word in q.content)
    plan = []
    for question in asked:
        rarest = min(count[question.family, word] for word in question.content)
        plan.append((question, max(FEWEST, min(MOST, round(PER_WORD / rarest)))))
    return plan


def _led(text: str, rng: random.Random) -> str:
    return f"{rng.choice(LEADS)} {text}" if rng.random() < LEAD_SHARE else text


def training_jobs(shard: int) -> list[Job]:
    """The jobs of one shard: a function of its number; each shard holds questions of all kinds."""
    asked = [question for question, times in repeats() for _ in range(times)]
    random.Random(5).shuffle(asked)
    rng = random.Random(3000 + shard)
    return [varied(trained_voice(rng), _led(q.text, rng), rng) for q in asked[shard::SHARDS]]


def check_jobs(condition: str) -> list[Job]:
    """Utterances of one condition of the split, at the voices' own speed and pitch."""
    voices, split = CONDITIONS[condition]
    by_intent: dict[str, list[Question]] = {}
    for question in questions(split):
        by_intent.setdefault(question.intent, []).append(question)
    rng = random.Random(41)
    intents = list(by_intent) * (1 + CHECKED // len(by_intent))
    rng.shuffle(intents)
    return [
        Job(rng.choice(voices), rng.choice(by_intent[intent]).text) for intent in intents[:CHECKED]
    ]


def question_of(text: str, asked: dict[str, Question]) -> Question:
    """The question a rendition speaks, which may begin with a lead."""
    if text in asked:
        return asked[text]
    return asked[next(text.removeprefix(lead + " ") for lead in LEADS if text.startswith(lead))]


def by_text() -> dict[str, Question]:
    """All questions of all splits by their text."""
    return {question.text: question for split in Split for question in questions(split)}


def load_training(runs: Path) -> list[Heard]:
    """All training renditions that are made."""
    names = sorted(path.stem for path in (runs / "renditions").glob("train*.jsonl"))
    return [heard for name in names for heard in load_shard(runs / "renditions", name)]


def main(minutes: float, runs: Path, preset: str, first: int = 0, every: int = 1) -> None:
    """Make the shards that are not there yet; `first` and `every` share them among processes."""
    del minutes, preset  # the same for every model; about twenty core-minutes
    torch.set_num_threads(1)
    folder = runs / "renditions"
    for condition in CONDITIONS if first == 0 else ():
        if not (folder / f"check_{condition}.jsonl").exists():
            save_shard(folder, f"check_{condition}", check_jobs(condition))
    for shard in range(first, SHARDS, every):
        if not (folder / f"train{shard:02d}.jsonl").exists():
            save_shard(folder, f"train{shard:02d}", training_jobs(shard))
