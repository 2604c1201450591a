"""The check utterances of training: questions of every split, each spoken once and undistorted.

Conditions and splits are those of the evaluation. Only the voices of `seen` occur in training. The
folder `checks` of the runs keeps the recordings as mels.
"""

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import torch

from workers.models.tokenizer.listener import Listener
from workers.training.questions import follow_ups
from workers.training.questions.caller_texts import CallerText
from workers.training.questions.catalogue import FAMILIES_IN, Question, Split, questions
from workers.training.questions.question_families import Language
from workers.training.samples.spoken_turns import (
    BATCH,
    STEP,
    TAIL,
    EncodedTurn,
    TurnBatch,
    encode_turns,
)
from workers.training.speech.augment import SILENCE
from workers.training.speech.callers import (
    NOISE_DB,
    TRAINED_ESPEAK,
    TRAINED_FLITE,
    UNSEEN_ESPEAK,
    UNSEEN_FESTIVAL,
    UNSEEN_FESTIVAL_SPANISH,
    UNSEEN_FLITE,
    UNSEEN_SPANISH,
    Mels,
    load_shard,
    save_shard,
)
from workers.training.speech.tts import SpeechJob, TtsVoice

CHECKED: Final = 120  # utterances of each condition, at most
A_FAMILY: Final = 4  # utterances of each family, where few families are taught
BEFORE: Final = 5  # steps of silence before speech
MIXED: Final = UNSEEN_ESPEAK + UNSEEN_FLITE * 15

CONDITIONS: Final[dict[str, tuple[tuple[TtsVoice, ...], Split]]] = {
    "seen": (TRAINED_ESPEAK + TRAINED_FLITE, Split.TRAIN),
    "espeak": (UNSEEN_ESPEAK, Split.TRAIN),
    "noise": (UNSEEN_ESPEAK, Split.TRAIN),  # at NOISE_DB
    "rms": (UNSEEN_FLITE, Split.TRAIN),
    "ked": (UNSEEN_FESTIVAL[:1], Split.TRAIN),
    "phrasing": (MIXED, Split.PHRASING),
    "combination": (MIXED, Split.COMBINATION),
    "then": (UNSEEN_ESPEAK, Split.TRAIN),  # follow-ups, each after its `espeak` question
    "spanish": (UNSEEN_SPANISH, Split.TRAIN),
    "spanish_phrasing": (UNSEEN_SPANISH, Split.PHRASING),
    "spanish_ked": (UNSEEN_FESTIVAL_SPANISH, Split.TRAIN),
}


def chosen(
    split: Split, families: Sequence[str] = (), language: Language = Language.ENGLISH
) -> list[Question]:
    """Questions of a split, one family after the other, so that small families have their share."""
    rng = random.Random(41)
    by_family: dict[str, list[Question]] = {f.name: [] for f in FAMILIES_IN[language]}
    for question in questions(split, language):
        if not families or question.family in families:
            by_family[question.family].append(question)
    pools = [pool for pool in by_family.values() if pool]
    count = min(CHECKED, A_FAMILY * len(pools))
    return [rng.choice(pools[i % len(pools)]) for i in range(count)]


def asked(condition: str, families: Sequence[str] = ()) -> list[Question]:
    """The questions of one condition."""
    voices, split = CONDITIONS[condition]
    found = chosen(split, families, voices[0].language)
    if condition == "then":
        return [follow_ups.trained_follow_up(q, random.Random(i)) for i, q in enumerate(found)]
    return found


def jobs(condition: str, families: Sequence[str] = ()) -> list[SpeechJob]:
    """Its utterances, at each voice's own speed and pitch."""
    rng = random.Random(42)
    voices = CONDITIONS[condition][0]
    return [SpeechJob(rng.choice(voices), q.text) for q in asked(condition, families)]


def prepare(runs: Path, families: Sequence[str] = ()) -> None:
    """Synthesise the conditions that are missing or were made for other families."""
    for condition in CONDITIONS:
        wanted = jobs(condition, families)
        path = runs / "checks" / f"{condition}.jsonl"
        held = load_shard(path.parent, condition) if path.exists() else []
        if wanted and [said.text for said in held] != [job.text for job in wanted]:
            noise_db = NOISE_DB if condition == "noise" else None
            save_shard(path.parent, condition, wanted, noise_db)


def load(
    runs: Path, listener: Listener, families: Sequence[str] = ()
) -> dict[str, list[EncodedTurn]]:
    """Each condition's turns, encoded by this listener."""
    found = {}
    for condition in CONDITIONS:
        if questions := asked(condition, families):
            mels = [said.mels for said in load_shard(runs / "checks", condition)]
            found[condition] = _encoded(listener, questions, mels)
    return found


def _encoded(
    listener: Listener, asked: Sequence[Question], mels: Sequence[Mels]
) -> list[EncodedTurn]:
    """Each recording with silence around it, encoded in batches of equal length."""
    turns: list[EncodedTurn] = []
    for start in range(0, len(asked), BATCH):
        part = mels[start : start + BATCH]
        ends = [BEFORE + -(-len(mel) // STEP) for mel in part]
        longest = (max(ends) + TAIL) * STEP
        rows = torch.full((len(part), longest, part[0].shape[1]), SILENCE)
        for row, mel in zip(rows, part, strict=True):
            row[BEFORE * STEP :][: len(mel)] = torch.from_numpy(mel.astype("float32"))
        texts = [CallerText(q.text, q) for q in asked[start : start + BATCH]]
        steps = [end + TAIL for end in ends]
        turns += encode_turns(listener.eval(), TurnBatch(texts, rows.half(), steps, ends))
    return turns
