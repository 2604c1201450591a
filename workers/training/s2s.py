"""Trains HybridS2S on cached heard states and the canonical replies' codes.

Loss: cross entropy of the text token (weights in `layout.py`) and half that of the codes, the
latter at a random subset of the reply's steps: the depth transformer is the dear part.
"""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from workers.models.checkpoint import write_part
from workers.models.s2s import HybridS2S, S2SConfig, base, tiny
from workers.models.tokenizer.listener import load_listener
from workers.models.vocabulary import Vocabulary
from workers.training import codec as codec_stage
from workers.training import heard
from workers.training.answers import go_error_steps, replies_to, right
from workers.training.chat import UNKNOWN_REPLY
from workers.training.dialogue import Question, vocabulary_words
from workers.training.heard import Turn, load
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
from workers.training.progress import Run
from workers.training.renditions import CONDITIONS, by_text
from workers.training.replies import Reply, load_replies

BATCH: Final = 32
COPIES: Final = 2  # of each rendition, differently distorted
POOL: Final = 16  # batches drawn together and sorted by length
SPEECH_SHARE: Final = 0.3  # of the reply's steps that train the codes
LEARNING_RATE: Final = 8e-4
LAST_RATE: Final = 0.03  # of the learning rate
WARM_UP: Final = 150  # steps
AUDIO_WEIGHT: Final = 0.5
STREAM_SHARE: Final = 0.35
CHECK_EVERY_S: Final = 480.0
CHECK_TURNS: Final = 100
DATA: Final = (
    "synthetic dialogue: questions by espeak-ng 1.51 (GPL-3; its output is not covered) and flite "
    "2.2 voices kal, kal16, awb, slt (CMU, BSD-like); replies by festival cmu_us_slt_arctic_hts "
    "(Carnegie Mellon University, Nagoya and Tokyo Institutes of Technology: EST and BSD-3-clause)"
)
# How often a family is drawn, against its number of renditions.
FAMILY_WEIGHT: Final = {"sum": 1.6, "difference": 2.2, "product": 2.5, "days after": 2.0}


class Corpus:
    """The cached turns (more may appear while training runs) and the replies they want."""

    def __init__(self, runs: Path, replies: dict[str, Reply], unknown: Reply, config: S2SConfig):
        self._folder = runs / "heard"
        self._replies = replies
        self._unknown = unknown
        self._config = config
        self._asked = by_text()
        self._names: set[str] = set()
        self.turns: list[Turn] = []
        self._weights = np.zeros(0)
        self.refresh()
        some = np.concatenate([turn.states for turn in self.turns[:2000]]).astype(np.float32)
        self.spread = some.std(axis=0)

    def refresh(self) -> None:
        """Take in the shards that have appeared."""
        names = {path.stem for path in self._folder.glob("train*.jsonl")} - self._names
        for name in sorted(names):
            self.turns += load(self._folder, name)
        if not self.turns:
            raise FileNotFoundError(f"Expected cached turns in {self._folder}: run `heard` first")
        self._names |= names
        asked = [self._question(turn.text) for turn in self.turns]
        weights = np.array([FAMILY_WEIGHT.get(q.family, 1.0) if q else 1.0 for q in asked])
        self._weights = weights / weights.sum()

    def _reply(self, question: Question | None) -> Reply:
        return self._replies[question.reply] if question else self._unknown

    def _question(self, text: str) -> Question | None:
        """The question of a rendition, whose text may begin with a lead word."""
        return self._asked.get(text) or self._asked.get(text.partition(" ")[2])

    def sample(self, turn: Turn, rng: np.random.Generator) -> Sample:
        """One turn on the model's positions, disturbed."""
        reply = self._reply(self._question(turn.text))
        states = turn.states.astype(np.float32)
        speech, after = stumbled(states[: turn.end], rng), states[turn.end :]
        if rng.random() < STREAM_SHARE and turn.text:
            states = np.concatenate([speech, after])
            made = stream_sample(states, len(speech) + GO_AFTER, reply, self._config)
        else:
            tail = int(rng.integers(*TURN_TAIL))
            states = np.concatenate([speech, after[:tail]])
            made = turn_sample(states, reply, self._config)
        return disturbed(made, self._config, self.spread, rng)

    def batches(self, rng: np.random.Generator) -> Iterator[Batch]:
        """Endless batches of samples of similar length."""
        while True:
            chosen = rng.choice(len(self.turns), BATCH * POOL, p=self._weights)
            samples = [self.sample(self.turns[i], rng) for i in chosen]
            samples.sort(key=lambda sample: len(sample.text))
            for i in rng.permutation(POOL):
                yield collate(samples[i * BATCH : (i + 1) * BATCH])


def losses(model: HybridS2S, batch: Batch) -> tuple[Tensor, Tensor]:
    """Cross entropy of text and of codes, nats a token."""
    states = model(batch.inputs)
    weighs = batch.weight > 0
    logits = model.text_logits(states[weighs]).float()
    weight = batch.weight[weighs]
    nats = F.cross_entropy(logits, batch.next_text[weighs], reduction="none")
    text = (nats * weight).sum() / weight.sum()
    chosen = batch.speaks & (torch.rand(batch.speaks.shape) < SPEECH_SHARE)
    codes = batch.next_codes[chosen]
    guessed = model.code_logits(states[chosen], batch.next_text[chosen], codes)
    audio = F.cross_entropy(guessed.float().flatten(0, 1), codes.flatten())
    return text, audio


def learning_rate(step: int, fraction: float) -> float:
    """Warm-up, then a cosine over the time budget."""
    rate = LAST_RATE + (1 - LAST_RATE) * 0.5 * (1 + math.cos(math.pi * min(1.0, fraction)))
    return LEARNING_RATE * rate * min(1.0, step / WARM_UP)


def check(model: HybridS2S, turns: Mapping[str, Sequence[Turn]]) -> dict[str, float]:
    """The share of right texts in each condition, and how well stream mode times its GO."""
    model.eval()
    vocabulary = Vocabulary(vocabulary_words())
    found: dict[str, float] = {}
    for condition, asked in turns.items():
        found[f"right_{condition}"] = right(asked, replies_to(model, asked, vocabulary))
        if condition == "espeak":
            late = np.array(go_error_steps(model, asked[:40]))
            found["go_in_time"] = float((np.abs(late) <= 2).mean())
    model.train()
    return found


def cached_checks(runs: Path, count: int) -> dict[str, list[Turn]]:
    """The check utterances of each condition as the frozen listener heard them."""
    return {name: load(runs / "heard", f"check_{name}")[:count] for name in CONDITIONS}


def make_config(preset: str, heard_width: int, codebooks: int, texts: int) -> S2SConfig:
    """The sizes of a preset; raises ValueError on an unknown one."""
    if preset == "tiny":
        return tiny(heard_width, texts, codebooks)
    if preset == "base":
        return base(heard_width, texts)
    raise ValueError(f"Expected preset tiny or base, got {preset!r}")


class Trainer:
    """The model, its optimiser and its data."""

    def __init__(self, run: Run, corpus: Corpus, config: S2SConfig, seed: int) -> None:
        self.run, self.corpus = run, corpus
        self.model = HybridS2S(config).train()
        self.optimiser = torch.optim.AdamW(
            self.model.parameters(), LEARNING_RATE, betas=(0.9, 0.95), weight_decay=0.05, fused=True
        )
        if (state := run.load()) is not None:
            self.model.load_state_dict(state["model"])
            self.optimiser.load_state_dict(state["optimiser"])
        self.batches = corpus.batches(np.random.default_rng(seed + run.step))

    def step(self) -> None:
        """One update."""
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(self.run.step, self.run.fraction)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            text, audio = losses(self.model, next(self.batches))
        self.optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(text + AUDIO_WEIGHT * audio)
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimiser.step()
        self.run.log(text=text.detach(), audio=audio.detach())

    def save(self) -> None:
        """Write the checkpoint, and take in what another process has encoded meanwhile."""
        state = {"model": self.model.state_dict(), "optimiser": self.optimiser.state_dict()}
        self.run.save(state)
        self.corpus.refresh()


def note(run: Run, found: Mapping[str, float]) -> None:
    """Add a check's shares to the run's checks.jsonl."""
    with (run.folder / "checks.jsonl").open("a") as out:
        out.write(json.dumps({"step": run.step, **found}) + "\n")


def train(runs: Path, corpus: Corpus, config: S2SConfig, minutes: float, seed: int = 11) -> None:
    """Train within the budget, checking as it goes; resumes from the last checkpoint."""
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    run = Run(runs / "s2s", minutes)
    trainer = Trainer(run, corpus, config, seed)
    checked_s = run.spent_s
    while run.going():
        trainer.step()
        if run.due():
            trainer.save()
        if run.spent_s - checked_s > CHECK_EVERY_S:
            checked_s = run.spent_s
            note(run, check(trainer.model, cached_checks(runs, CHECK_TURNS)))
    trainer.save()
    found = check(trainer.model, cached_checks(runs, 2 * CHECK_TURNS))
    note(run, found)
    run.finish(**found)


def main(minutes: float, runs: Path, preset: str, weights: Path) -> None:
    """Let the finished listener hear all renditions, then train and export."""
    heard.main(runs, load_listener(weights), COPIES)
    fit(minutes, runs, preset, weights)


def fit(minutes: float, runs: Path, preset: str, weights: Path) -> None:
    """Train on what `heard` has cached so far, with the codes of the finished codec; export."""
    vocabulary = Vocabulary(vocabulary_words())
    codec = codec_stage.load(runs)
    replies = load_replies(runs, codec, vocabulary)
    heard_width = load_listener(weights).config.width
    config = make_config(preset, heard_width, codec.config.codebooks, len(vocabulary))
    corpus = Corpus(runs, replies, replies[UNKNOWN_REPLY], config)
    train(runs, corpus, config, minutes)
    export(runs, config, vocabulary, weights)


def export(runs: Path, config: S2SConfig, vocabulary: Vocabulary, weights: Path) -> None:
    """Write the last checkpoint as s2s.safetensors and its parity entry."""
    model = HybridS2S(config)
    state = torch.load(runs / "s2s" / "checkpoint.pt", map_location="cpu", weights_only=True)
    model.load_state_dict(state["model"])
    facts = {"words": list(vocabulary.words), "data": DATA, "steps": int(state["step"])}
    write_part(weights, "s2s", model, config, facts)
