"""Trains the model and the upper half of the listener together, on distortions made as they go.

The language model has learnt its replies from frozen states (`s2s.py`); now what it needs to hear
may change what the listener's upper half says, held to the words by the listener's own CTC loss.
The lower half, which knows phones of all kinds of speech, stays as it is.
"""

import math
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch import Tensor

from workers.models.checkpoint import write_part
from workers.models.s2s import HybridS2S
from workers.models.tokenizer.listener import (
    MEL_MEAN,
    MEL_SCALE,
    Hearing,
    Listener,
    load_listener,
)
from workers.models.vocabulary import Vocabulary
from workers.training import codec as codec_stage
from workers.training import listener as listener_stage
from workers.training import renditions, s2s
from workers.training.augment import Augmenter
from workers.training.callers import load_shard
from workers.training.chat import UNKNOWN_REPLY
from workers.training.dialogue import vocabulary_words
from workers.training.heard import STRENGTH, Turn, encode_check
from workers.training.layout import NOISE
from workers.training.progress import Run
from workers.training.replies import load_replies
from workers.training.spoken import Corpus, Spoken, spoken

MODEL_RATE: Final = 3.5e-4
LISTENER_RATE: Final = 2.5e-4
LAST_RATE: Final = 0.02
WARM_UP: Final = 60  # steps
CTC_WEIGHT: Final = 0.2
CHECK_EVERY_S: Final = 500.0


def listen(listener: Listener, mels: Tensor) -> Hearing:
    """As `Listener.forward`, with gradients for the upper half alone."""
    with torch.no_grad():
        x = ((mels - MEL_MEAN) / MEL_SCALE).transpose(1, 2)
        for convolution in listener.convolutions:
            x = convolution(x).relu()
        lower = listener.lower(listener.into(x.transpose(1, 2)).float())
        phones, _ = listener.guess(lower)
    chance = phones.softmax(-1).view(*lower.shape[:2], -1)
    states = listener.upper(lower + listener.feedback(chance))
    letters = listener.characters(states).float()
    B, T, _ = states.shape
    return Hearing(states, phones, letters.view(B, T * listener.config.subframes, -1))


def losses(model: HybridS2S, listener: Listener, given: Spoken) -> tuple[Tensor, Tensor, Tensor]:
    """Cross entropy of text and codes, and the listener's CTC a letter."""
    hearing = listen(listener, given.mels)
    states = hearing.states.float()
    index = given.batch.inputs.heard[..., 0].long()  # (B, T)
    heard = states.gather(1, index[..., None].expand(-1, -1, states.shape[-1]))
    spread = states.detach().std(dim=(0, 1)) * NOISE * torch.rand(len(states), 1, 1)
    heard = heard + torch.randn_like(heard) * spread
    batch = replace(given.batch, inputs=replace(given.batch.inputs, heard=heard))
    text, audio = s2s.losses(model, batch)
    rows = [i for i, letters in enumerate(given.letters) if letters]
    targets = torch.tensor([c for row in given.letters for c in row])
    counts = torch.tensor([len(given.letters[i]) for i in rows])
    frames = given.ends[rows] * listener.config.subframes
    return text, audio, listener_stage.ctc(hearing.characters[rows], frames, targets, counts)


def learning_rate(peak: float, step: int, fraction: float) -> float:
    """Warm-up, then half a cosine over the budget."""
    rate = LAST_RATE + (1 - LAST_RATE) * 0.5 * (1 + math.cos(math.pi * min(1.0, fraction)))
    return peak * rate * min(1.0, step / WARM_UP)


def check_turns(listener: Listener, runs: Path, count: int) -> dict[str, list[Turn]]:
    """The check utterances of each condition as the listener now hears them."""
    folder = runs / "renditions"
    return {
        name: encode_check(listener, load_shard(folder, f"check_{name}")[:count])
        for name in renditions.CONDITIONS
    }


class Trainer:
    """Model, listener, their optimiser and their data."""

    def __init__(
        self, run: Run, corpus: Corpus, model: HybridS2S, listener: Listener, seed: int
    ) -> None:
        self.run, self.corpus, self.model, self.listener = run, corpus, model, listener
        upper = [*listener.upper.parameters(), *listener.feedback.parameters()]
        upper += listener.characters.parameters()
        self.parameters = [*model.parameters(), *upper]
        groups = [{"params": list(model.parameters())}, {"params": upper}]
        self.optimiser = torch.optim.AdamW(
            groups, MODEL_RATE, betas=(0.9, 0.95), weight_decay=0.03, fused=True
        )
        if (state := run.load()) is not None:
            model.load_state_dict(state["model"])
            listener.load_state_dict(state["listener"])
            self.optimiser.load_state_dict(state["optimiser"])
        self.rng = np.random.default_rng(seed + run.step)
        self.tasks = corpus.draw(self.rng)
        self.augment = Augmenter(STRENGTH, seed + run.step)

    def step(self) -> None:
        """One update."""
        self.model.train()
        self.listener.train()
        peaks = (MODEL_RATE, LISTENER_RATE)
        for group, peak in zip(self.optimiser.param_groups, peaks, strict=True):
            group["lr"] = learning_rate(peak, self.run.step, self.run.fraction)
        tasks = next(self.tasks)
        given = spoken(tasks, self.corpus, self.model.config, self.augment, self.rng)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            text, audio, letters = losses(self.model, self.listener, given)
        self.optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(text + s2s.AUDIO_WEIGHT * audio + CTC_WEIGHT * letters)
        torch.nn.utils.clip_grad_norm_(self.parameters, 1.0)
        self.optimiser.step()
        self.run.log(text=text.detach(), audio=audio.detach(), letters=letters.detach())

    def save(self) -> None:
        """Write the checkpoint."""
        state = {"model": self.model.state_dict(), "listener": self.listener.state_dict()}
        self.run.save({**state, "optimiser": self.optimiser.state_dict()})

    def check(self, runs: Path, count: int) -> dict[str, float]:
        """Ask `count` questions of each condition; the shares go to checks.jsonl too."""
        found = s2s.check(self.model, check_turns(self.listener, runs, count))
        s2s.note(self.run, found)
        return found


def train(
    runs: Path, corpus: Corpus, model: HybridS2S, listener: Listener, minutes: float, seed: int = 12
) -> None:
    """Train within the budget; resumes from the last checkpoint."""
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    run = Run(runs / "joint", minutes)
    trainer = Trainer(run, corpus, model, listener, seed)
    checked_s = run.spent_s
    while run.going():
        trainer.step()
        if run.due():
            trainer.save()
        if run.spent_s - checked_s > CHECK_EVERY_S:
            checked_s = run.spent_s
            trainer.check(runs, 60)
    trainer.save()
    run.finish(**trainer.check(runs, 100))


def main(minutes: float, runs: Path, preset: str, weights: Path) -> None:
    """Go on from the model of `s2s` and the listener in `weights`; writes both there."""
    vocabulary = Vocabulary(vocabulary_words())
    codec = codec_stage.load(runs)
    replies = load_replies(runs, codec, vocabulary)
    listener = load_listener(weights).requires_grad_(True)
    width, codebooks = listener.config.width, codec.config.codebooks
    model = HybridS2S(s2s.make_config(preset, width, codebooks, len(vocabulary)))
    state = torch.load(runs / "s2s" / "checkpoint.pt", map_location="cpu", weights_only=True)
    model.load_state_dict(state["model"])
    corpus = Corpus(runs, replies, replies[UNKNOWN_REPLY])
    train(runs, corpus, model, listener, minutes)
    export(runs, model, listener, vocabulary, weights)


def export(
    runs: Path, model: HybridS2S, listener: Listener, vocabulary: Vocabulary, weights: Path
) -> None:
    """Write the last checkpoint: s2s.safetensors, listener.safetensors, their parity entries."""
    state = torch.load(runs / "joint" / "checkpoint.pt", map_location="cpu", weights_only=True)
    model.load_state_dict(state["model"])
    listener.load_state_dict(state["listener"])
    facts = {"words": list(vocabulary.words), "data": s2s.DATA, "joint_steps": int(state["step"])}
    write_part(weights, "s2s", model, model.config, facts)
    listener_stage.export(listener, weights, listener_stage.evaluate(listener, runs / "callers"))
