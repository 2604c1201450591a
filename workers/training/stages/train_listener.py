"""Trains the listener by CTC: phones half way up, characters at the top, on synthetic callers.

Callers never repeat themselves: `caller_stream.py` synthesises speech as training goes, and places
each utterance in another acoustic scene every time. The stage reports the errors of the weights'
running mean (`training_run.mean_of`) on words that training never speaks. It reports them for
trained voices, unseen voices, noise and an unseen engine.

Letters: B rows, F mel frames, M mel bins.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, cast

import torch
from rapidfuzz.distance import Levenshtein
from torch import Tensor

from workers.models.checkpoint import write_part
from workers.models.tokenizer.listener import LISTENERS, Listener, ListenerOutput, load_listener
from workers.training.command_settings import ModelSettings
from workers.training.questions.listener_texts import CHARACTERS, PHONES, characters, phones
from workers.training.speech import acoustics, caller_stream, callers
from workers.training.speech.augment import SPEAKER_AND_TEMPO, Augmenter, whole_steps
from workers.training.speech.callers import EVALUATIONS, CallerUtterance, load_shard
from workers.training.speech.ctc import best_path, ctc_loss
from workers.training.speech.utterances import ListenerBatch, collate
from workers.training.stages.optimisation import set_rate, update
from workers.training.stages.training_run import Run, is_trained_on, mean_of

LEARNING_RATE: Final = 1.4e-3
RESTART: Final = 0.5  # share of the learning rate when training starts from finished weights
WARMUP_STEPS: Final = 150
DECAY_FROM: Final = 0.7  # of the budget
PHONE_WEIGHT: Final = 0.6
# CTC first stays on a plateau of blanks; small batches of nearly clean speech leave it sooner.
PLATEAU_STEPS: Final = 800
ROWS: Final = 20  # utterances in a batch of the evaluation
SILENCE_BEFORE: Final = 40  # mel frames around an utterance of the evaluation, as a turn has them
SILENCE_AFTER: Final = 60
EVALUATE_EVERY_S: Final = 300.0
DATA: Final = (
    "synthetic speech of espeak-ng 1.51 (GPL-3; its output is not covered) and flite 2.2 voices "
    "kal, kal16, awb, slt (CMU, BSD-like); texts from pocketsphinx's word list and cmudict (BSD)"
)


def losses(hearing: ListenerOutput, batch: ListenerBatch, lengths: Tensor) -> tuple[Tensor, Tensor]:
    """The phone and the character loss; lengths (B,) in mel frames after stretching."""
    frames = ((lengths + 7) // 8 * 4).clamp(max=hearing.phones.shape[1])
    phone = ctc_loss(hearing.phones, frames, batch.phones, batch.phone_counts)
    return phone, ctc_loss(hearing.characters, frames, batch.characters, batch.character_counts)


@torch.no_grad()
def error_rates(listener: Listener, utterances: Sequence[CallerUtterance]) -> tuple[float, float]:
    """Greedy phone and character error rates, undistorted, with a turn's silence around."""
    device = next(listener.parameters()).device
    wrong, total = [0, 0], [0, 0]
    for start in range(0, len(utterances), ROWS):
        part = utterances[start : start + ROWS]
        batch = collate(part, [SILENCE_BEFORE] * len(part), [SILENCE_AFTER] * len(part))
        hearing = listener.eval()(whole_steps(batch.mels).to(device))
        for row, said in enumerate(part):
            frames = int(batch.lengths[row] + 7) // 8 * 4
            for kind, (logits, wanted) in enumerate(
                ((hearing.phones, phones(said.text)), (hearing.characters, characters(said.text)))
            ):
                wrong[kind] += Levenshtein.distance(best_path(logits[row], frames), wanted)
                total[kind] += len(wanted)
    return wrong[0] / total[0], wrong[1] / total[1]


def evaluate(listener: Listener, folder: Path) -> dict[str, float]:
    """Errors on every evaluation shard that exists: `<name>_per` and `<name>_cer`."""
    found: dict[str, float] = {}
    for name in EVALUATIONS:
        if (folder / f"eval_{name}.jsonl").exists():
            rates = error_rates(listener, load_shard(folder, f"eval_{name}"))
            found[f"{name}_per"], found[f"{name}_cer"] = (round(rate, 4) for rate in rates)
    return found


def learning_rate(step: int, fraction: float, peak: float) -> float:
    """Warm-up by steps, a plateau, and a straight line to nothing at the end of the budget.

    Until the decay begins the schedule does not depend on the budget, so a run can be prolonged.
    """
    warm = min(1.0, step / WARMUP_STEPS)
    return peak * warm * min(1.0, (1.0 - fraction) / (1.0 - DECAY_FROM) + 0.01)


class ListenerTrainer:
    """The listener, the mean of its weights, its optimiser and its data."""

    def __init__(
        self, run: Run, listener: Listener, *, peak: float, producers: int, frames: int
    ) -> None:
        """`producers` processes synthesise speech; a batch has about `frames` mel frames."""
        self.run, self.listener, self._peak = run, listener, peak
        self._producers, self._frames = producers, frames
        self._device = next(listener.parameters()).device
        self.optimiser = torch.optim.AdamW(
            listener.parameters(), lr=peak, weight_decay=0.01, fused=True
        )
        self.mean = mean_of(listener)
        if (state := run.load()) is not None:
            listener.load_state_dict(state["listener"])
            self.optimiser.load_state_dict(state["optimiser"])
            self.mean.load_state_dict(state["mean"])
        self._augment = Augmenter(SPEAKER_AND_TEMPO, seed=run.step)
        self._batches: Iterator[ListenerBatch] | None = None
        self._early = True

    def _next_batch(self) -> ListenerBatch:
        early = self.run.step < PLATEAU_STEPS and self._peak == LEARNING_RATE
        if self._batches is None or early != self._early:
            self._early = early
            scene = acoustics.MILD if early else acoustics.AcousticScene()
            frames = self._frames // (2 if early else 1)
            self._batches = caller_stream.load(self.run.step, scene, self._producers, frames)
        return next(self._batches)

    def step(self) -> None:
        """One update."""
        batch = self._next_batch()
        set_rate(self.optimiser, learning_rate(self.run.step, self.run.fraction, self._peak))
        mels, lengths = self._augment(batch.mels, batch.lengths)
        with torch.autocast(self._device.type, torch.bfloat16):
            hearing = self.listener.train()(whole_steps(mels).to(self._device))
        phone, character = losses(hearing, batch, lengths)
        update(self.optimiser, PHONE_WEIGHT * phone + character, self.listener.parameters())
        self.mean.update_parameters(self.listener)
        self.run.log(phone=phone.detach(), character=character.detach())

    @property
    def averaged(self) -> Listener:
        """The listener with the mean of the weights."""
        return cast(Listener, self.mean.module)

    def save(self) -> None:
        """Write the checkpoint."""
        state: dict[str, Any] = {
            "listener": self.listener.state_dict(),
            "mean": self.mean.state_dict(),
            "optimiser": self.optimiser.state_dict(),
        }
        self.run.save(state)

    def evaluate(self, runs: Path) -> dict[str, float]:
        """Errors of the mean weights; also appended to the run's errors.jsonl."""
        found = evaluate(self.averaged, runs / "callers")
        with (self.run.folder / "errors.jsonl").open("a") as out:
            out.write(json.dumps({"step": self.run.step, **found}) + "\n")
        return found


def export(listener: Listener, weights: Path, errors: dict[str, float], data: str = DATA) -> None:
    """Write listener.safetensors and its parity entry; `data` names the training data."""
    facts = {"data": data, "phones": PHONES, "characters": CHARACTERS, "errors": errors}
    write_part(weights, "listener", listener, listener.config, facts)


def main(settings: ModelSettings) -> None:
    """Train within the budget, then write the listener into the weights folder.

    A listener that the stage `joint` trained further is not overwritten: the language model knows
    that one.
    """
    torch.set_num_threads(1)
    torch.manual_seed(0)
    runs, start, plan = settings.runs, settings.start, settings.planned
    callers.main(runs)
    listener = Listener(LISTENERS[settings.preset]) if start is None else load_listener(start)
    listener.requires_grad_(True).to(settings.device)
    peak = LEARNING_RATE if start is None else LEARNING_RATE * RESTART
    run = Run(runs / "listener", settings.minutes_of("listener"))
    trainer = ListenerTrainer(
        run, listener, peak=peak, producers=plan.producers, frames=plan.frames
    )
    train(trainer, runs)
    errors = trainer.evaluate(runs)
    if is_trained_on(runs, settings.output):
        run.say(
            f"{settings.output} keeps the listener that `joint` trained further: remove "
            f"{runs}/joint and {runs}/s2s to train them on this one"
        )
    else:
        export(trainer.averaged, settings.output, errors)
    run.finish(path=str(settings.output), **errors)


def train(trainer: ListenerTrainer, runs: Path) -> None:
    """Step until the budget is spent, evaluating from time to time."""
    run, evaluated_s = trainer.run, -EVALUATE_EVERY_S
    while run.going():
        if run.spent_s - evaluated_s > EVALUATE_EVERY_S:
            evaluated_s = run.spent_s
            run.say(f"step {run.step - 1}: {trainer.evaluate(runs)}")
        trainer.step()
        if run.due():
            trainer.save()
    trainer.save()
