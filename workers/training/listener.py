"""Train the listener: CTC over phones (middle) and characters (top) on broad synthetic callers.

Batches mix the engines by a fixed share, are of one length, and begin with short utterances.
Everything is distorted anew each time it is heard (`augment`). Errors are reported on words never
trained, for trained voices, unseen voices and an engine never heard.
"""

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor
from torch.nn import functional as F

from workers.models.checkpoint import write_part
from workers.models.tokenizer.listener import LISTENERS, Hearing, Listener
from workers.training.augment import SILENCE, Augmenter, Strength
from workers.training.callers import EVALUATIONS, Heard, load_shard, load_training
from workers.training.progress import Run, ready
from workers.training.utterances import Batch, Corpus, collate
from workers.training.words import CHARACTERS, PHONES, characters, phones

LEARNING_RATE: Final = 1.4e-3
WARMUP_STEPS: Final = 150
PHONE_WEIGHT: Final = 0.6
MILD_UNTIL: Final = 0.15  # of the budget
MILD: Final = Strength(
    warp=(0.95, 1.06),
    stretch=(0.95, 1.1),
    gain_db=(-8.0, 6.0),
    channel_db=2.0,
    narrow=0.0,
    noise_db=(20.0, 50.0),
    quiet=0.5,
    room=0.0,
    masks=0,
    stretch_rows=False,
)
# Milder than an augmenter's defaults in noise and masks: half an hour on one core is too
# short to learn through the defaults (phone loss 2.5 after 1.8 on mild distortions).
FULL: Final = Strength(
    gain_db=(-12.0, 8.0),
    channel_db=4.0,
    narrow=0.08,
    noise_db=(8.0, 50.0),
    quiet=0.35,
    babble=0.1,
    room=0.25,
    masks=1,
    stretch_rows=False,
)
EVALUATE_EVERY_S: Final = 240.0
# All of them: the shipped listener had 4 for 31 minutes and then all 16 for 20, which took its
# character error on trained questions in unseen espeak-ng voices from .22 to .16.
QUESTION_SHARDS: Final = 16
DATA: Final = (
    "synthetic speech of espeak-ng 1.51 (GPL-3; its output is not covered) and flite 2.2 voices "
    "kal, kal16, awb, slt (CMU, BSD-like); texts from pocketsphinx's word list and cmudict (BSD)"
)


def whole_steps(mels: Tensor) -> Tensor:
    """Pad (B, F, M) with silence to a multiple of 8 frames."""
    return F.pad(mels, (0, 0, 0, -mels.shape[1] % 8), value=SILENCE)


def ctc(logits: Tensor, frames: Tensor, targets: Tensor, counts: Tensor) -> Tensor:
    """CTC loss a target symbol; logits (B, T, C), frames (B,) valid ones, class 0 the blank."""
    chances = logits.log_softmax(-1).transpose(0, 1)  # (B, T, C) -> (T, B, C)
    total = F.ctc_loss(chances, targets, frames, counts, reduction="sum", zero_infinity=True)
    return total / counts.sum()


def losses(hearing: Hearing, batch: Batch, lengths: Tensor) -> tuple[Tensor, Tensor]:
    """The phone and the character loss; lengths (B,) in mel frames after stretching."""
    frames = ((lengths + 7) // 8 * 4).clamp(max=hearing.phones.shape[1])
    phone = ctc(hearing.phones, frames, batch.phones, batch.phone_counts)
    return phone, ctc(hearing.characters, frames, batch.characters, batch.character_counts)


def greedy(logits: Tensor, frames: int) -> list[int]:
    """The best path of one row (T, C) with repeats and blanks taken out."""
    best = groupby(logits[:frames].argmax(-1).tolist())
    return [symbol for symbol, _ in best if symbol]


def edits(said: Sequence[int], wanted: Sequence[int]) -> int:
    """Levenshtein distance."""
    row = list(range(len(wanted) + 1))
    for i, a in enumerate(said, 1):
        diagonal, row[0] = row[0], i
        for j, b in enumerate(wanted, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (a != b))
    return row[-1]


@torch.no_grad()
def error_rates(listener: Listener, heard: Sequence[Heard]) -> tuple[float, float]:
    """Greedy phone and character error, undistorted, with the silence of a turn around."""
    listener.eval()
    wrong, total = [0, 0], [0, 0]
    for start in range(0, len(heard), 20):
        part = heard[start : start + 20]
        batch = collate(part, [40] * len(part), [60] * len(part))
        hearing = listener(whole_steps(batch.mels))
        for row, h in enumerate(part):
            frames = int(batch.lengths[row] + 7) // 8 * 4
            for kind, (logits, wanted) in enumerate(
                ((hearing.phones, phones(h.text)), (hearing.characters, characters(h.text)))
            ):
                wrong[kind] += edits(greedy(logits[row], frames), wanted)
                total[kind] += len(wanted)
    listener.train()
    return wrong[0] / total[0], wrong[1] / total[1]


def evaluate(listener: Listener, folder: Path) -> dict[str, float]:
    """Errors on every evaluation shard that exists: `<name>_per` and `<name>_cer`."""
    found: dict[str, float] = {}
    for name in EVALUATIONS:
        if (folder / f"eval_{name}.jsonl").exists():
            rates = error_rates(listener, load_shard(folder, f"eval_{name}"))
            found[f"{name}_per"], found[f"{name}_cer"] = (round(rate, 4) for rate in rates)
    return found


def learning_rate(step: int, fraction: float) -> float:
    """Warm-up by steps, then half a cosine over the time budget."""
    warm = min(1.0, step / WARMUP_STEPS)
    return (
        LEARNING_RATE
        * warm
        * (0.02 + 0.98 * 0.5 * (1 + float(torch.cos(torch.tensor(torch.pi * fraction)))))
    )


class Trainer:
    """The listener, its optimiser and its data."""

    def __init__(self, preset: str, run: Run) -> None:
        torch.manual_seed(0)
        self.run = run
        self.listener = Listener(LISTENERS[preset])
        self.optimiser = torch.optim.AdamW(
            self.listener.parameters(), lr=LEARNING_RATE, weight_decay=0.01, fused=True
        )
        state = run.load()
        if state is not None:
            self.listener.load_state_dict(state["listener"])
            self.optimiser.load_state_dict(state["optimiser"])
        self.augment = Augmenter(FULL, seed=run.step)

    def step(self, batch: Batch) -> None:
        """One update."""
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(self.run.step, self.run.fraction)
        self.augment.strength = MILD if self.run.fraction < MILD_UNTIL else FULL
        mels, lengths = self.augment(batch.mels, batch.lengths)
        with torch.autocast("cpu", torch.bfloat16):
            hearing = self.listener(whole_steps(mels))
        phone, character = losses(hearing, batch, lengths)
        self.optimiser.zero_grad(set_to_none=True)
        (PHONE_WEIGHT * phone + character).backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.listener.parameters(), 1.0)
        self.optimiser.step()
        self.run.log(phone=phone.detach(), character=character.detach())

    def state(self) -> dict[str, Any]:
        """What the checkpoint holds."""
        return {
            "listener": self.listener.state_dict(),
            "optimiser": self.optimiser.state_dict(),
        }


def load_heard(runs: Path) -> list[Heard]:
    """The broad corpus, and a few shards of spoken questions where there are any."""
    spoken = sorted((runs / "renditions").glob("train*.jsonl"))[:QUESTION_SHARDS]
    questions = [heard for path in spoken for heard in load_shard(path.parent, path.stem)]
    return load_training(runs / "callers") + questions


def export(listener: Listener, weights: Path, errors: dict[str, float]) -> None:
    """Write listener.safetensors and its parity entry."""
    facts = {"data": DATA, "phones": PHONES, "characters": CHARACTERS, "errors": errors}
    write_part(weights, "listener", listener, listener.config, facts)


def main(minutes: float, runs: Path, preset: str, weights: Path) -> None:
    """Train within the budget, then write the listener into the weights folder."""
    torch.set_num_threads(1)
    run = Run(runs / "listener", minutes)
    trainer = Trainer(preset, run)
    corpus = Corpus(load_heard(runs), seed=run.step)
    evaluated_s = run.spent_s
    while run.going():
        trainer.step(corpus.draw(run.fraction))
        if run.due():
            run.save(trainer.state())
        if run.spent_s - evaluated_s > EVALUATE_EVERY_S:
            evaluated_s = run.spent_s
            print(run.step, evaluate(trainer.listener, runs / "callers"), flush=True)
    run.save(trainer.state())
    errors = evaluate(trainer.listener, runs / "callers")
    export(trainer.listener, weights, errors)
    run.finish(path=str(weights), **errors)


def finished(runs: Path) -> dict[str, float | str]:
    """The metrics of the finished stage."""
    return ready(runs / "listener")
