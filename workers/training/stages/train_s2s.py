"""Trains HybridS2S in two stages, `reading` and `s2s`; `train_joint.py` runs between them.

`reading` learns only from text (`text_turns.py`): replies are words without pauses and without
sound. It is cheap, and teaches what numbers and names mean. `s2s` learns from spoken turns as the
frozen listener encodes them (`spoken_turns.py`), with replies at their own pace and with codes.

The loss is a sum of three parts. One is the cross entropy of the text token (weights in
`sequences.py`). The second is half the cross entropy of the codes. The third is the CTC of the
caller's words (`caller_words.py`). Each stage first learns only the CTC. The codes' part covers a
random subset of a reply's steps, because the depth transformer costs most.
"""

import math
import random
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Final, cast

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from shared.audio import Floats
from workers.models.checkpoint import write_part
from workers.models.speech_to_speech.hybrid_s2s import HybridS2S
from workers.models.speech_to_speech.vocabulary import EOS, Vocabulary
from workers.training.command_settings import ModelSettings
from workers.training.questions.caller_texts import caller_text_source
from workers.training.questions.catalogue import FAMILIES_IN, words
from workers.training.samples import spoken_turns
from workers.training.samples.conversation_sampler import ConversationSampler, MixedTurns
from workers.training.samples.replies import TargetReply, load_replies
from workers.training.samples.sequences import SampleBatch
from workers.training.samples.spoken_turns import TurnPool
from workers.training.samples.text_turns import PhoneStates, TextTurns
from workers.training.speech.producers import produced
from workers.training.stages import caller_words
from workers.training.stages.examiner import Examiner
from workers.training.stages.model_setup import ModelSetup
from workers.training.stages.optimisation import set_rate, update
from workers.training.stages.training_run import Run, mean_of
from workers.training.stages.warm_start import WordLists, as_lists, checkpoint_of, restore

CODES_SHARE: Final = 0.25  # share of a reply's steps that train the codes
LEARNING_RATE: Final = 8e-4
LAST_RATE: Final = 0.03  # of the learning rate
WARM_UP: Final = 150  # steps, at each start and where the replies join the caller's words
AUDIO_WEIGHT: Final = 0.5
ASKED_WEIGHT: Final = 0.3
WORDS_FIRST: Final = 0.25  # share of the time that trains only the caller's words
# Share of spoken turns in `s2s`; the others come from text. In the time that text turns need to
# show every question often, few questions can be spoken. With only spoken turns the model learned
# those by heart and forgot the rest: 43 % of spoken questions right at step 1,300, but 67 % after
# text turns.
SPOKEN_SHARE: Final = 0.5
REUSE: Final = 4.0  # how often a spoken turn is used before a newer one replaces it
FIRST_TURNS: Final = 1200  # spoken turns made before training starts
CHECK_EVERY_S: Final = 600.0
DATA: Final = (
    "synthetic dialogue: questions by espeak-ng 1.51 (GPL-3; its output is not covered) and flite "
    "2.2 voices kal, kal16, awb, slt (CMU, BSD-like); replies by festival cmu_us_slt_arctic_hts "
    "(Carnegie Mellon University, Nagoya and Tokyo Institutes of Technology: EST and "
    "BSD-3-clause); Spanish by espeak-ng, its replies by the same voice in English phones"
)


def silent_reply(text: str, vocabulary: Vocabulary, codebooks: int) -> TargetReply:
    """A reply without sound: one token a step, and empty codes."""
    tokens = [token for word in words(text) for token in vocabulary.encode(word)]
    return TargetReply(text, np.array([*tokens, EOS]), np.zeros((len(tokens), codebooks), np.int64))


def losses(
    model: HybridS2S, states: Tensor, batch: SampleBatch, with_codes: bool
) -> tuple[Tensor, Tensor]:
    """Cross entropy of the text and, `with_codes`, of the codes, in nats a token.

    `states` (B, T, D) are the temporal transformer's outputs for the batch.
    """
    weighted = batch.text_weight > 0
    logits = model.text_logits(states[weighted]).float()
    weight = batch.text_weight[weighted]
    nats = F.cross_entropy(logits, batch.next_text[weighted], reduction="none")
    text = (nats * weight).sum() / weight.sum().clamp(min=1e-6)  # every weight may be zero
    chance = torch.rand(batch.speaks.shape, device=batch.speaks.device)
    chosen = batch.speaks & (chance < CODES_SHARE)
    if not with_codes or not bool(chosen.any()):
        return text, text.new_zeros(())
    codes = batch.next_codes[chosen]
    guessed = model.code_logits(states[chosen], batch.next_text[chosen], codes)
    audio = F.cross_entropy(guessed.float().flatten(0, 1), codes.flatten())
    return text, audio


def learning_rate(steps: int, fraction: float) -> float:
    """Warm-up over `steps`, and a cosine over the time budget."""
    rate = LAST_RATE + (1 - LAST_RATE) * 0.5 * (1 + math.cos(math.pi * min(1.0, fraction)))
    return LEARNING_RATE * rate * min(1.0, steps / WARM_UP)


class S2STrainer:
    """The model, the mean of its weights and its optimiser."""

    def __init__(
        self, run: Run, model: HybridS2S, *, with_codes: bool, word_lists: WordLists
    ) -> None:
        """`word_lists` as in `ModelSetup`."""
        self.run, self.model, self.with_codes = run, model.train(), with_codes
        self._word_lists = word_lists
        self._steps, self._words_alone = 0, True  # steps since this phase began
        self._device = next(model.parameters()).device
        self.optimiser = torch.optim.AdamW(
            model.parameters(), LEARNING_RATE, betas=(0.9, 0.95), weight_decay=0.05, fused=True
        )
        self.mean = mean_of(model)
        if (state := run.load()) is not None:
            restore(model, state, word_lists)
            self.mean.load_state_dict(state["mean"])
            self.optimiser.load_state_dict(state["optimiser"])

    @property
    def averaged(self) -> HybridS2S:
        """The model with the mean of the weights."""
        return cast(HybridS2S, self.mean.module)

    def step(self, batch: SampleBatch) -> None:
        """One update."""
        words_alone = self.run.fraction < WORDS_FIRST
        self._steps = self._steps + 1 if words_alone == self._words_alone else 1
        self._words_alone = words_alone
        set_rate(self.optimiser, learning_rate(self._steps, self.run.fraction))
        batch = batch.to(self._device)
        with torch.autocast(self._device.type, dtype=torch.bfloat16):
            if words_alone:
                asked = caller_words.loss_alone(self.model, batch)
                text = audio = asked.new_zeros(())
            else:
                layers = self.model.layered(batch.inputs)
                text, audio = losses(self.model, layers[-1], batch, self.with_codes)
                asked = caller_words.loss(self.model, layers, batch)
        loss = text + AUDIO_WEIGHT * audio + ASKED_WEIGHT * asked
        update(self.optimiser, loss, self.model.parameters())
        self.mean.update_parameters(self.model)
        self.run.log(text=text.detach(), audio=audio.detach(), asked=asked.detach())

    def save(self) -> None:
        """Write the checkpoint."""
        self.run.save(
            {
                "model": self.model.state_dict(),
                "mean": self.mean.state_dict(),
                "known": as_lists(self._word_lists),
                "optimiser": self.optimiser.state_dict(),
            }
        )


def train(
    run: Run, trainer: S2STrainer, batches: Iterator[SampleBatch], examiner: Examiner
) -> dict[str, float]:
    """Step until the budget is spent, examining from time to time; the last results."""
    examined_s = run.spent_s
    while run.going():
        trainer.step(next(batches))
        if run.due():
            trainer.save()
        if run.spent_s - examined_s > CHECK_EVERY_S:
            examined_s = run.spent_s
            examiner.examine(trainer.averaged, run)
    trainer.save()
    found = examiner.examine(trainer.averaged, run)
    run.finish(**found)
    return found


def text_batches(
    seed: int, phones: PhoneStates, setup: ModelSetup, replies: Mapping[str, TargetReply]
) -> Iterator[SampleBatch]:
    """Endless batches of conversations from text alone."""
    rng = random.Random(seed)
    turns = TextTurns(phones, caller_text_source(rng, setup.families))
    some = np.concatenate([turns.first(rng).states for _ in range(100)])
    spread: Floats = some.astype(np.float32).std(axis=0)
    sampler = ConversationSampler(
        turns,
        replies,
        setup.config,
        spread=spread,
        seed=seed,
        vocabulary=setup.caller_vocabulary,
        read_out=0.0,  # a reply without sound teaches nothing when its text is given
    )
    return sampler.batches(setup.settings.planned.batch)


def train_on_text(settings: ModelSettings) -> None:
    """The stage `reading`. Its checks are spoken: what was read must be understood when heard."""
    setup = ModelSetup(settings)
    run = Run(settings.runs / "reading", settings.minutes_of("reading"))
    trainer = S2STrainer(run, setup.new_model(), with_codes=False, word_lists=setup.word_lists)
    replies = {
        text: silent_reply(text, setup.vocabulary, setup.config.codebooks)
        for text in setup.reply_texts
    }
    make = partial(text_batches, phones=setup.phone_states(), setup=setup, replies=replies)
    batches = produced(make, 7 + run.step, settings.planned.producers)
    train(run, trainer, batches, Examiner(setup.checks(), replies, setup.vocabulary))


def _refilling(pool: TurnPool, batches: Iterator[SampleBatch], rows: int) -> Iterator[SampleBatch]:
    """The batches; each adds its share of new turns to the pool."""
    owed = 0.0
    for batch in batches:
        owed += SPOKEN_SHARE * rows / REUSE
        if owed >= spoken_turns.BATCH:
            pool.refill(spoken_turns.BATCH)
            owed -= spoken_turns.BATCH
        yield batch


def train_on_speech(settings: ModelSettings) -> None:
    """The stage `s2s`: start from `joint` or `reading` if they ran, train, and export."""
    setup, plan = ModelSetup(settings), settings.planned
    replies = load_replies(settings.runs, settings.output, setup.reply_texts, setup.vocabulary)
    model = setup.new_model()
    run = Run(settings.runs / "s2s", settings.minutes_of("s2s"))
    trainer = S2STrainer(run, model, with_codes=True, word_lists=setup.word_lists)
    if not run.step and (state := checkpoint_of(settings.runs, "joint", "reading")) is not None:
        restore(model, state, setup.word_lists)
    pool = TurnPool(setup.listener, 100 + run.step, plan.producers, plan.families)
    pool.refill(FIRST_TURNS)
    text_source = caller_text_source(random.Random(9 + run.step), plan.families)
    turns = MixedTurns(pool, TextTurns(setup.phone_states(), text_source), SPOKEN_SHARE)
    sampler = ConversationSampler(
        turns,
        replies,
        setup.config,
        spread=pool.spread(),
        seed=8 + run.step,
        vocabulary=setup.caller_vocabulary,
    )
    batches = _refilling(pool, sampler.batches(plan.batch), plan.batch)
    found = train(run, trainer, batches, Examiner(setup.checks(), replies, setup.vocabulary))
    taught = plan.families or [f.name for known in FAMILIES_IN.values() for f in known]
    export(trainer.averaged, setup, run.step, found, taught)


def export(
    model: HybridS2S,
    setup: ModelSetup,
    steps: int,
    checked: Mapping[str, float],
    taught: Sequence[str],
) -> None:
    """Write s2s.safetensors and its parity entry."""
    facts = {
        **{name: list(words) for name, words in setup.word_lists.items()},
        "families": list(taught),
        "data": DATA,
        "steps": steps,
        "checks": dict(checked),
    }
    write_part(setup.settings.output, "s2s", model, model.config, facts)
