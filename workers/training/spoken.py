"""Renditions laid out for training as they are distorted: what `joint.py` listens to.

`layout.py` puts states on positions; here the states do not exist yet, so it is given the numbers
of the steps that will be heard, and the states are gathered by them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch import Tensor

from workers.models.s2s import S2SConfig
from workers.training import renditions, s2s
from workers.training.augment import Augmenter
from workers.training.callers import Heard
from workers.training.dialogue import Question
from workers.training.heard import NOISES, STEP, noise_alone, placed, unknown
from workers.training.layout import (
    GO_AFTER,
    TURN_TAIL,
    Batch,
    Sample,
    collate,
    disturbed,
    stream_sample,
    stumbled,
    turn_sample,
)
from workers.training.replies import Reply
from workers.training.words import characters

BATCH: Final = 32
POOL: Final = 24  # batches drawn together and sorted by length
UNKNOWN_SHARDS: Final = 30


@dataclass(frozen=True, slots=True)
class Task:
    """One rendition and what is to be answered; `question` None: it was not understood."""

    heard: Heard
    question: Question | None


@dataclass(frozen=True, slots=True)
class Spoken:
    """One batch before it is listened to."""

    mels: Tensor  # (B, F, M), F in whole steps
    ends: Tensor  # (B,) first step after speech
    batch: Batch  # its `heard` (B, T, 1) holds the step of the mels that each position hears
    letters: list[list[int]]  # CTC classes of each row; empty: not to be trained


class Corpus:
    """All renditions with their mels, and batches of them."""

    def __init__(self, runs: Path, replies: dict[str, Reply], unheard: Reply) -> None:
        asked = renditions.by_text()
        spoken = renditions.load_training(runs)
        self._tasks = [Task(h, renditions.question_of(h.text, asked)) for h in spoken]
        other = [h for shard in range(UNKNOWN_SHARDS) for h in unknown(runs, shard, set(asked))]
        other += noise_alone(UNKNOWN_SHARDS * NOISES, 1)
        self._tasks += [Task(heard, None) for heard in other]
        weights = [
            s2s.FAMILY_WEIGHT.get(t.question.family, 1.0) if t.question else 1.0
            for t in self._tasks
        ]
        self._weights = np.array(weights) / sum(weights)
        self._replies, self._unheard = replies, unheard

    def draw(self, rng: np.random.Generator) -> Iterator[list[Task]]:
        """Endless batches of about the same length, question and reply together."""
        while True:
            chosen = rng.choice(len(self._tasks), BATCH * POOL, p=self._weights)
            pool = sorted((self._tasks[i] for i in chosen), key=self._steps)
            for i in rng.permutation(POOL):
                yield pool[i * BATCH : (i + 1) * BATCH]

    def _steps(self, task: Task) -> int:
        return len(task.heard.mels) // STEP + len(self.reply(task).codes)

    def reply(self, task: Task) -> Reply:
        """What is to be said."""
        return self._replies[task.question.reply] if task.question else self._unheard


def _sample(
    steps: int, end: int, reply: Reply, config: S2SConfig, stream: bool, rng: np.random.Generator
) -> Sample:
    """Positions whose `heard` is the index of a step of the recording, (T, 1)."""
    index = np.arange(steps, dtype=np.float32)[:, None]
    speech, after = stumbled(index[:end], rng), index[end:]
    if stream:
        heard = np.concatenate([speech, after])
        made = stream_sample(heard, len(speech) + GO_AFTER, reply, config)
    else:
        heard = np.concatenate([speech, after[: int(rng.integers(*TURN_TAIL))]])
        made = turn_sample(heard, reply, config)
    return disturbed(made, config, np.zeros(1, np.float32), rng)


def spoken(
    tasks: Sequence[Task],
    corpus: Corpus,
    config: S2SConfig,
    augment: Augmenter,
    rng: np.random.Generator,
) -> Spoken:
    """Distort a batch and lay it out."""
    mels, ends = zip(*placed([task.heard for task in tasks], augment, rng), strict=True)
    samples = [
        _sample(
            len(mel) // STEP,
            end,
            corpus.reply(task),
            config,
            bool(task.question) and rng.random() < s2s.STREAM_SHARE,
            rng,
        )
        for task, mel, end in zip(tasks, mels, ends, strict=True)
    ]
    letters = [characters(task.heard.text) if task.question else [] for task in tasks]
    whole = torch.nn.utils.rnn.pad_sequence(list(mels), batch_first=True)
    return Spoken(whole, torch.tensor(ends), collate(samples), letters)
