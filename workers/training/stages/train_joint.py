"""Trains the listener and the language model's lower half as one, on the words that callers say.

Trained apart, the listener learns the letters of all words alike, and the model cannot change that.
If the lower half recognised every word of a question, 94 % of 102 replies were right; otherwise
55 % of 150. So most errors came from recognition. Here both learn which sounds matter. The listener
also keeps learning phones and letters: on questions, and every BROAD_EVERY steps on broad speech.

A step is 24 turns, or 50 s of broad speech, on any device; larger steps were not tried.

Letters: B turns, F mel frames, M mel bins, T steps, W width of a listener state.
"""

from collections.abc import Mapping, Sequence
from typing import Final, cast

import torch
from rapidfuzz.distance import Levenshtein
from torch import Tensor, nn

from workers.models.speech_to_speech.hybrid_s2s import HybridS2S, Inputs
from workers.models.speech_to_speech.vocabulary import PAD
from workers.models.tokenizer.listener import Listener, ListenerOutput
from workers.models.tokenizer.spelling import begun
from workers.training.command_settings import ModelSettings
from workers.training.questions.listener_texts import characters, phones
from workers.training.questions.question_families import Language
from workers.training.samples import spoken_turns
from workers.training.samples.spoken_turns import EncodedTurn, TurnBatch
from workers.training.speech import acoustics, caller_stream, callers
from workers.training.speech.augment import SPEAKER_AND_TEMPO, Augmenter, whole_steps
from workers.training.speech.ctc import ctc_loss, targets
from workers.training.stages import train_listener
from workers.training.stages.caller_words import CallerVocabulary
from workers.training.stages.model_setup import ModelSetup
from workers.training.stages.optimisation import set_rate, update
from workers.training.stages.train_s2s import learning_rate
from workers.training.stages.training_run import Run, mean_of
from workers.training.stages.warm_start import WordLists, as_lists, checkpoint_of, restore

AFTER: Final = 8  # steps after a question, because its last words appear late
BROAD_EVERY: Final = 5
BROAD_FRAMES: Final = 5_000  # mel frames in a step of broad speech
WEIGHTS: Final = {
    "phone": train_listener.PHONE_WEIGHT,
    "broad_phone": train_listener.PHONE_WEIGHT,
}
DATA: Final = f"{train_listener.DATA}; then the dialogue's questions, the Spanish ones by espeak-ng"


class ListenerAndModel(nn.Module):
    """Listener and language model; `forward` computes the logits of a caller's words."""

    def __init__(self, listener: Listener, model: HybridS2S) -> None:
        super().__init__()
        self.listener, self.model = listener, model

    def forward(self, mels: Tensor) -> tuple[ListenerOutput, Tensor]:
        """Log-mels (B, F, M) -> the listener's output, and logits (B, T, caller words + 1)."""
        hearing = self.listener(mels)
        return hearing, self.words(hearing.states)

    def words(self, states: Tensor) -> Tensor:
        """Listener states (B, T, W) -> logits (B, T, caller words + 1), float32."""
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


def losses(
    networks: ListenerAndModel, batch: TurnBatch, vocabulary: CallerVocabulary
) -> dict[str, Tensor]:
    """CTC losses of words, and of phones and characters of the English rows, in nats a symbol."""
    device = next(networks.parameters()).device
    last = max(batch.ends) + AFTER
    steps = torch.tensor([min(count, last) for count in batch.steps])
    hearing, logits = networks(batch.mels[:, : last * spoken_turns.STEP].float().to(device))
    texts = [said.text for said in batch.texts]
    found = {"asked": ctc_loss(logits, steps, *targets(texts, vocabulary.encode))}
    english = [
        i for i, said in enumerate(batch.texts) if said.question.language is Language.ENGLISH
    ]
    if not english:
        return found
    frames = steps[english] * networks.listener.config.subframes
    texts = [texts[i] for i in english]
    for name, head, spell in (
        ("phone", hearing.phones, phones),
        ("character", hearing.characters, characters),
    ):
        found[name] = ctc_loss(head[english], frames, *targets(texts, spell))
    return found


class JointTrainer:
    """Both networks, the mean of their weights, their optimiser and their data."""

    def __init__(
        self,
        run: Run,
        networks: ListenerAndModel,
        *,
        vocabulary: CallerVocabulary,
        word_lists: WordLists,
        families: Sequence[str],
        producers: int,
    ) -> None:
        """`word_lists` as in `ModelSetup`; `producers` processes synthesise speech."""
        self.run, self.networks = run, networks.train()
        self._vocabulary, self._word_lists = vocabulary, word_lists
        self._device = next(networks.parameters()).device
        self.optimiser = torch.optim.AdamW(
            networks.parameters(), lr=0.0, betas=(0.9, 0.95), weight_decay=0.02, fused=True
        )
        self.mean = mean_of(networks)
        if (state := run.load()) is not None:
            restore(networks.model, state, word_lists)  # refuses other words
            networks.load_state_dict(state["ears"])
            self.optimiser.load_state_dict(state["optimiser"])
            self.mean.load_state_dict(state["mean"])
        self._steps = 0  # since this start
        self._turns = spoken_turns.load(300 + run.step, producers, families)
        broad_producers = -(-producers // BROAD_EVERY)
        self._broad = caller_stream.load(
            400 + run.step, acoustics.AcousticScene(), broad_producers, BROAD_FRAMES
        )
        self._augment = Augmenter(SPEAKER_AND_TEMPO, seed=run.step)

    @property
    def averaged(self) -> ListenerAndModel:
        """Both networks with the mean of the weights."""
        return cast(ListenerAndModel, self.mean.module)

    def _autocast(self) -> torch.autocast:
        return torch.autocast(self._device.type, dtype=torch.bfloat16)

    def _losses(self) -> dict[str, Tensor]:
        # `next` may synthesise speech in this process, which must not run in bfloat16.
        if self._steps % BROAD_EVERY != 1:
            batch = next(self._turns)
            with self._autocast():
                return losses(self.networks, batch, self._vocabulary)
        broad = next(self._broad)
        mels, lengths = self._augment(broad.mels, broad.lengths)
        with self._autocast():
            hearing = self.networks.listener(whole_steps(mels).to(self._device))
            phone, character = train_listener.losses(hearing, broad, lengths)
        return {"broad_phone": phone, "broad_character": character}

    def step(self) -> None:
        """One update, on questions or on broad speech."""
        self._steps += 1
        set_rate(self.optimiser, learning_rate(self._steps, self.run.fraction))
        found = self._losses()
        weighted = [WEIGHTS.get(name, 1.0) * nats for name, nats in found.items()]
        update(self.optimiser, torch.stack(weighted).sum(), self.networks.parameters())
        self.mean.update_parameters(self.networks)
        self.run.log(**{name: value.detach() for name, value in found.items()})

    def save(self) -> None:
        """Write the checkpoint; the stage `s2s` starts from its `model`."""
        self.run.save(
            {
                "ears": self.networks.state_dict(),
                "mean": self.mean.state_dict(),
                "optimiser": self.optimiser.state_dict(),
                "model": self.averaged.model.state_dict(),
                "known": as_lists(self._word_lists),
            }
        )


@torch.no_grad()
def word_error_rates(
    networks: ListenerAndModel,
    checks: Mapping[str, Sequence[EncodedTurn]],
    vocabulary: CallerVocabulary,
) -> dict[str, float]:
    """The word error rate of each condition, `words_<condition>`."""
    device = next(networks.parameters()).device
    found = {}
    for condition, turns in checks.items():
        wrong = total = 0
        for turn in turns:
            states = torch.from_numpy(turn.states[: turn.end + AFTER]).float().to(device)
            recognised = begun(networks.words(states[None])[0].argmax(-1).tolist())
            wanted = vocabulary.encode(turn.said.text)
            wrong += Levenshtein.distance(recognised, wanted)
            total += len(wanted)
        found[f"words_{condition}"] = round(wrong / max(1, total), 4)
    return found


def main(settings: ModelSettings) -> None:
    """Train within the budget, starting from the stage `reading` if it ran; export the listener."""
    setup = ModelSetup(settings)
    runs, plan = settings.runs, settings.planned
    callers.main(runs)
    model = setup.new_model()
    run = Run(runs / "joint", settings.minutes_of("joint"))
    trainer = JointTrainer(
        run,
        ListenerAndModel(setup.listener.requires_grad_(True), model),
        vocabulary=setup.caller_vocabulary,
        word_lists=setup.word_lists,
        families=plan.families,
        producers=plan.producers,
    )
    if not run.step and (state := checkpoint_of(runs, "reading")) is not None:
        restore(model, state, setup.word_lists)
    while run.going():
        trainer.step()
        if run.due():
            trainer.save()
    trainer.save()
    listener = trainer.averaged.listener.eval()
    found = word_error_rates(
        trainer.averaged.eval(), setup.checks_encoded_by(listener), setup.caller_vocabulary
    )
    errors = train_listener.evaluate(listener, runs / "callers")
    train_listener.export(listener, settings.output, errors, DATA)
    run.finish(**found, **errors)
