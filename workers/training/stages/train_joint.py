"""Trains the listener and the lower half of the language model as one, to hear what is asked.

Apart, the listener learns the letters of all words alike, and the model makes of it what it can.
Where its lower half had every word of a question right, so were 94 % of the replies (of 102),
elsewhere 55 % (of 150): it was hearing that failed. Here both learn, from the words that callers
say, which sounds matter. The listener keeps its phones and letters: on questions, and every
BROAD_EVERY steps on broad speech.

A step is 24 turns or 50 s of broad speech, on whatever device: more at once was not tried.
Letters: B turns, F mel frames, M mel bins, T steps, W width of a heard state.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, cast

import torch
from rapidfuzz.distance import Levenshtein
from torch import Tensor, nn

from workers.models.s2s import HybridS2S, Inputs
from workers.models.tokenizer.listener import Hearing, Listener
from workers.models.tokenizer.spelling import begun
from workers.models.vocabulary import PAD
from workers.training.questions.families import Language
from workers.training.questions.listener_texts import characters, phones
from workers.training.samples import spoken_turns
from workers.training.samples.spoken_turns import EncodedTurn, TurnBatch
from workers.training.speech import acoustics, caller_stream, callers
from workers.training.speech.augment import Augmenter, whole_steps
from workers.training.speech.ctc import ctc_loss, targets
from workers.training.stages import train_listener
from workers.training.stages.caller_words import CallerVocabulary
from workers.training.stages.train_s2s import Course, ModelSetup, learning_rate
from workers.training.stages.training_run import Run, mean_of
from workers.training.stages.warm_start import WordLists, before, listed, take

AFTER: Final = 8  # steps heard after a question: its last words come late
BROAD_EVERY: Final = 5
BROAD_FRAMES: Final = 5_000  # mel frames of such a step
WEIGHTS: Final = {"phone": train_listener.PHONE_WEIGHT, "broad_phone": train_listener.PHONE_WEIGHT}
DATA: Final = f"{train_listener.DATA}; then the dialogue's questions, the Spanish ones by espeak-ng"


class ListenerAndModel(nn.Module):
    """Listener and language model; `forward` is what they make of a caller's words."""

    def __init__(self, listener: Listener, model: HybridS2S) -> None:
        super().__init__()
        self.listener, self.model = listener, model

    def forward(self, mels: Tensor) -> tuple[Hearing, Tensor]:
        """Log-mels (B, F, M) -> what the listener hears, and logits (B, T, caller words + 1)."""
        hearing = self.listener(mels)
        return hearing, self.words(hearing.states)

    def words(self, states: Tensor) -> Tensor:
        """Heard states (B, T, W) -> logits (B, T, caller words + 1), float32."""
        B, T, _ = states.shape
        config, device = self.model.config, states.device
        inputs = Inputs(
            states,
            torch.ones(B, T, dtype=torch.bool, device=device),
            torch.full((B, T), PAD, device=device),
            torch.full((B, T, config.codebooks), config.quiet, device=device),
        )
        layers = self.model.temporal.layered(self.model.embed(inputs), config.middle + 1)
        return self.model.caller_logits(layers[-1]).float()


def losses(ears: ListenerAndModel, batch: TurnBatch, asked: CallerVocabulary) -> dict[str, Tensor]:
    """CTC of words, phones and characters, nats a symbol; the letters are those of English."""
    device = next(ears.parameters()).device
    last = max(batch.ends) + AFTER
    steps = torch.tensor([min(count, last) for count in batch.steps])
    hearing, logits = ears(batch.mels[:, : last * spoken_turns.STEP].float().to(device))
    texts = [ask.text for ask in batch.asks]
    found = {"asked": ctc_loss(logits, steps, *targets(texts, asked.encode))}
    spelled = [i for i, ask in enumerate(batch.asks) if ask.question.language is Language.ENGLISH]
    if not spelled:
        return found
    frames = steps[spelled] * ears.listener.config.subframes
    texts = [texts[i] for i in spelled]
    for name, heard, spell in (
        ("phone", hearing.phones, phones),
        ("character", hearing.characters, characters),
    ):
        found[name] = ctc_loss(heard[spelled], frames, *targets(texts, spell))
    return found


class JointTrainer:
    """Both, the mean of their weights, their optimiser and their data."""

    def __init__(
        self,
        run: Run,
        ears: ListenerAndModel,
        asked: CallerVocabulary,
        known: WordLists,
        course: Course,
    ) -> None:
        """`known` as `ModelSetup.known` has them."""
        self.run, self.ears, self._asked, self._known = run, ears.train(), asked, known
        self._device = next(ears.parameters()).device
        self.optimiser = torch.optim.AdamW(
            ears.parameters(), lr=0.0, betas=(0.9, 0.95), weight_decay=0.02, fused=True
        )
        self.mean = mean_of(ears)
        if (state := run.load()) is not None:
            take(ears.model, state, known)  # refuses other words
            ears.load_state_dict(state["ears"])
            self.optimiser.load_state_dict(state["optimiser"])
            self.mean.load_state_dict(state["mean"])
        self._steps = 0  # since this start
        self._turns = spoken_turns.load(300 + run.step, course.producers, course.families)
        some = -(-course.producers // BROAD_EVERY)
        self._broad = caller_stream.load(
            400 + run.step, acoustics.AcousticScene(), some, BROAD_FRAMES
        )
        self._augment = Augmenter(train_listener.STRENGTH, seed=run.step)

    @property
    def averaged(self) -> ListenerAndModel:
        """Both with the mean of the weights."""
        return cast(ListenerAndModel, self.mean.module)

    def _autocast(self) -> torch.autocast:
        return torch.autocast(self._device.type, dtype=torch.bfloat16)

    def _losses(self) -> dict[str, Tensor]:
        # What is heard may be made here, and not in bfloat16.
        if self._steps % BROAD_EVERY != 1:
            asked = next(self._turns)
            with self._autocast():
                return losses(self.ears, asked, self._asked)
        broad = next(self._broad)
        mels, lengths = self._augment(broad.mels, broad.lengths)
        with self._autocast():
            hearing = self.ears.listener(whole_steps(mels).to(self._device))
            phone, character = train_listener.losses(hearing, broad, lengths)
        return {"broad_phone": phone, "broad_character": character}

    def step(self) -> None:
        """One update, of questions or of broad speech."""
        self._steps += 1
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(self._steps, self.run.fraction)
        found = self._losses()
        weighed = [WEIGHTS.get(name, 1.0) * nats for name, nats in found.items()]
        self.optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(torch.stack(weighed).sum())
        nn.utils.clip_grad_norm_(self.ears.parameters(), 1.0)
        self.optimiser.step()
        self.mean.update_parameters(self.ears)
        self.run.log(**{name: value.detach() for name, value in found.items()})

    def save(self) -> None:
        """Write the checkpoint; `model` is what hearing goes on from."""
        self.run.save(
            {
                "ears": self.ears.state_dict(),
                "mean": self.mean.state_dict(),
                "optimiser": self.optimiser.state_dict(),
                "model": self.averaged.model.state_dict(),
                "known": listed(self._known),
            }
        )


@torch.no_grad()
def word_errors(
    ears: ListenerAndModel, heard: Mapping[str, Sequence[EncodedTurn]], asked: CallerVocabulary
) -> dict[str, float]:
    """Of each condition's words, the share that is not heard, `words_<condition>`."""
    device = next(ears.parameters()).device
    found = {}
    for condition, some in heard.items():
        wrong = total = 0
        for turn in some:
            states = torch.from_numpy(turn.states[: turn.end + AFTER]).float().to(device)
            told = begun(ears.words(states[None])[0].argmax(-1).tolist())
            wanted = asked.encode(turn.ask.text)
            wrong, total = wrong + Levenshtein.distance(told, wanted), total + len(wanted)
        found[f"words_{condition}"] = round(wrong / max(1, total), 4)
    return found


def main(runs: Path, preset: str, weights: Path, course: Course) -> None:
    """Train within the budget from where reading ended (if it was run), then write the listener."""
    school = ModelSetup(runs, preset, weights, course)
    callers.main(runs)
    model = school.model()
    run = Run(runs / "joint", course.minutes)
    ears = ListenerAndModel(school.listener.requires_grad_(True), model)
    trainer = JointTrainer(run, ears, school.asked, school.known, course)
    if not run.step and (state := before(runs, "reading")) is not None:
        take(model, state, school.known)
    while run.going():
        trainer.step()
        if run.due():
            trainer.save()
    trainer.save()
    listener = trainer.averaged.listener.eval()
    found = word_errors(trainer.averaged.eval(), school.heard_by(listener), school.asked)
    errors = train_listener.evaluate(listener, runs / "callers")
    train_listener.export(listener, weights, errors, DATA)
    run.finish(**found, **errors)
