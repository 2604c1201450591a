"""Trains HybridS2S in two stages, `reading` and `s2s`; `train_joint.py` runs between them.

`reading` learns from text alone (`text_turns.py`): replies are words without pauses and without
sound. It is cheap, and teaches what numbers and names mean. `s2s` learns from spoken turns as the
frozen listener encodes them (`spoken_turns.py`), with replies at their own pace and with codes.

The loss is the cross entropy of the text token (weights in `sequences.py`), half that of the codes,
and CTC of the caller's words (`caller_words.py`), which each stage first learns alone. The codes'
part covers a random subset of a reply's steps, because the depth transformer costs most.
"""

import json
import math
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final, cast

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from workers.models.checkpoint import write_part
from workers.models.s2s import HybridS2S, S2SConfig, base, tiny
from workers.models.tokenizer.listener import Listener, load_listener
from workers.models.vocabulary import EOS, Vocabulary
from workers.training.metrics.greedy_replies import (
    TURN_STEPS,
    TurnPrompt,
    go_error_steps,
    replies_to,
    right,
)
from workers.training.questions import follow_ups, spanish
from workers.training.questions.caller_texts import caller_text_source
from workers.training.questions.catalogue import (
    FAMILIES_IN,
    Split,
    questions_of,
    vocabulary_words,
    words,
)
from workers.training.questions.chat import NO_REPLY, UNKNOWN_REPLY
from workers.training.questions.families import Language
from workers.training.samples import spoken_turns
from workers.training.samples.conversation_sampler import ConversationSampler, MixedTurns
from workers.training.samples.replies import TargetReply, load_replies
from workers.training.samples.sequences import Floats, Sample, SampleBatch, turn_sample
from workers.training.samples.spoken_turns import EncodedTurn, TurnPool
from workers.training.samples.text_turns import PhoneStates, TextTurns, collect
from workers.training.stages import caller_words, checks
from workers.training.stages.caller_words import CallerVocabulary
from workers.training.stages.training_run import Run, mean_of
from workers.training.stages.warm_start import WordLists, before, listed, take, warm

BATCH: Final = 32
SPEECH_SHARE: Final = 0.25  # of the reply's steps that train the codes
LEARNING_RATE: Final = 8e-4
LAST_RATE: Final = 0.03  # of the learning rate
WARM_UP: Final = 150  # steps, of each start and where the replies join the caller's words
AUDIO_WEIGHT: Final = 0.5
ASKED_WEIGHT: Final = 0.3
WORDS_FIRST: Final = 0.25  # of the time: what was asked is learned before what is answered
# Of the turns in hearing; the others are read. Few questions can be heard in the time that it takes
# to read them all often: from heard turns alone the model came to know those by heart and forgot
# the rest (step 1,300: 43 % of spoken questions right, after reading alone 67 %).
HEARD: Final = 0.5
REUSE: Final = 4.0  # how often a heard turn is used before it is replaced
FIRST_TURNS: Final = 1200  # heard before training starts
BOOK_BATCHES: Final = 12  # from which the book of phones is made
CHECK_EVERY_S: Final = 600.0
DATA: Final = (
    "synthetic dialogue: questions by espeak-ng 1.51 (GPL-3; its output is not covered) and flite "
    "2.2 voices kal, kal16, awb, slt (CMU, BSD-like); replies by festival cmu_us_slt_arctic_hts "
    "(Carnegie Mellon University, Nagoya and Tokyo Institutes of Technology: EST and "
    "BSD-3-clause); Spanish by espeak-ng, its replies by the same voice in English phones"
)


@dataclass(frozen=True, slots=True)
class Course:
    """What is taught, and on what: families (() all), device, processes that speak."""

    minutes: float
    families: tuple[str, ...] = ()
    device: str = "cpu"
    producers: int = 1
    batch: int = BATCH
    start: Path | None = None  # finished weights that a new model goes on from


def reply_texts(families: Sequence[str]) -> list[str]:
    """Every reply that training may want."""
    every = [family for known in FAMILIES_IN.values() for family in known]
    taught = [f for f in every if not families or f.name in families]
    found = {q.reply: None for f in taught for q in questions_of(f, Split.TRAIN)}
    seconds = follow_ups.follow_up_replies(tuple(f.name for f in taught))
    foreign = any(family.language is Language.SPANISH for family in taught)
    others = (spanish.UNKNOWN_REPLY, spanish.NO_CONTEXT_REPLY) if foreign else ()
    return [*found, UNKNOWN_REPLY, NO_REPLY, *seconds, *others]


def compact(text: str, vocabulary: Vocabulary, codebooks: int) -> TargetReply:
    """A reply to be read: its tokens one a step, and no sound."""
    tokens = [token for word in words(text) for token in vocabulary.encode(word)]
    return TargetReply(text, np.array([*tokens, EOS]), np.zeros((len(tokens), codebooks), np.int64))


def losses(
    model: HybridS2S, states: Tensor, batch: SampleBatch, sounding: bool
) -> tuple[Tensor, Tensor]:
    """Cross entropy of text and (where `sounding`) of codes, nats a token.

    `states` (B, T, D) are what the model makes of the batch.
    """
    weighs = batch.weight > 0
    logits = model.text_logits(states[weighs]).float()
    weight = batch.weight[weighs]
    nats = F.cross_entropy(logits, batch.next_text[weighs], reduction="none")
    text = (nats * weight).sum() / weight.sum().clamp(min=1e-6)  # all may be read out
    chance = torch.rand(batch.speaks.shape, device=batch.speaks.device)
    chosen = batch.speaks & (chance < SPEECH_SHARE)
    if not sounding or not bool(chosen.any()):
        return text, text.new_zeros(())
    codes = batch.next_codes[chosen]
    guessed = model.code_logits(states[chosen], batch.next_text[chosen], codes)
    audio = F.cross_entropy(guessed.float().flatten(0, 1), codes.flatten())
    return text, audio


def learning_rate(steps: int, fraction: float) -> float:
    """Warm-up over `steps`, and a cosine over the time budget."""
    rate = LAST_RATE + (1 - LAST_RATE) * 0.5 * (1 + math.cos(math.pi * min(1.0, fraction)))
    return LEARNING_RATE * rate * min(1.0, steps / WARM_UP)


def make_config(
    preset: str, heard_width: int, codebooks: int, texts: int, callers: int
) -> S2SConfig:
    """The sizes of a preset; raises ValueError on an unknown one."""
    if preset == "tiny":
        return tiny(heard_width, texts, codebooks, callers)
    if preset == "base":
        return base(heard_width, texts, callers)
    raise ValueError(f"Expected preset tiny or base, got {preset!r}")


class S2STrainer:
    """The model, the mean of its weights and its optimiser."""

    def __init__(self, run: Run, model: HybridS2S, sounding: bool, known: WordLists) -> None:
        """`known` as `ModelSetup.known` has them."""
        self.run, self.model, self.sounding = run, model.train(), sounding
        self._known = known
        self._steps, self._alone = 0, True  # since this phase began; of the caller's words alone
        self._device = next(model.parameters()).device
        self.optimiser = torch.optim.AdamW(
            model.parameters(), LEARNING_RATE, betas=(0.9, 0.95), weight_decay=0.05, fused=True
        )
        self.mean = mean_of(model)
        if (state := run.load()) is not None:
            take(model, state, known)
            self.mean.load_state_dict(state["mean"])
            self.optimiser.load_state_dict(state["optimiser"])

    @property
    def averaged(self) -> HybridS2S:
        """The model with the mean of the weights."""
        return cast(HybridS2S, self.mean.module)

    def step(self, batch: SampleBatch) -> None:
        """One update."""
        alone = self.run.fraction < WORDS_FIRST
        self._steps = self._steps + 1 if alone == self._alone else 1
        self._alone = alone
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(self._steps, self.run.fraction)
        batch = batch.to(self._device)
        with torch.autocast(self._device.type, dtype=torch.bfloat16):
            if alone:
                asked = caller_words.loss_alone(self.model, batch)
                text = audio = asked.new_zeros(())
            else:
                layers = self.model.layered(batch.inputs)
                text, audio = losses(self.model, layers[-1], batch, self.sounding)
                asked = caller_words.loss(self.model, layers, batch)
        self.optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(text + AUDIO_WEIGHT * audio + ASKED_WEIGHT * asked)
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimiser.step()
        self.mean.update_parameters(self.model)
        self.run.log(text=text.detach(), audio=audio.detach(), asked=asked.detach())

    def save(self) -> None:
        """Write the checkpoint."""
        self.run.save(
            {
                "model": self.model.state_dict(),
                "mean": self.mean.state_dict(),
                "known": listed(self._known),
                "optimiser": self.optimiser.state_dict(),
            }
        )


class Examiner:
    """Asks the model what it was taught and what it was not; notes the shares of right texts."""

    def __init__(
        self,
        heard: Mapping[str, Sequence[EncodedTurn]],
        said: Mapping[str, TargetReply],
        vocabulary: Vocabulary,
    ) -> None:
        self._heard, self._said, self._vocabulary = heard, said, vocabulary

    def examine(self, model: HybridS2S, run: Run) -> dict[str, float]:
        """The share of right texts in each condition, and how well stream mode times its GO."""
        model.eval()
        found: dict[str, float] = {}
        for condition, asked in self._heard.items():
            before = self._before(model.config) if condition == "then" else [None] * len(asked)
            prompts = [TurnPrompt(turn, known) for turn, known in zip(asked, before, strict=True)]
            wanted = [turn.ask.question.reply for turn in asked]
            found[f"right_{condition}"] = right(
                wanted, replies_to(model, prompts, self._vocabulary)
            )
        late = np.array(go_error_steps(model, self._heard["espeak"][:40]))
        found["go_in_time"] = float((np.abs(late) <= 2).mean())
        model.train()
        with (run.folder / "checks.jsonl").open("a") as out:
            out.write(json.dumps({"step": run.step, **found}) + "\n")
        run.say(f"step {run.step}: {found}")
        return found

    def _before(self, config: S2SConfig) -> list[Sample]:
        """The questions of `espeak` with their answers: what second questions go on from."""
        return [
            turn_sample(
                turn.states[: turn.end + TURN_STEPS].astype(np.float32),
                self._said[turn.ask.question.reply],
                config,
            )
            for turn in self._heard["espeak"]
        ]


def run_stage(
    run: Run, trainer: S2STrainer, batches: Iterator[SampleBatch], examiner: Examiner
) -> dict[str, float]:
    """Train within the budget, examining as it goes."""
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


class ModelSetup:
    """What the stages share: listener, vocabulary, config and the examination."""

    def __init__(self, runs: Path, preset: str, weights: Path, course: Course) -> None:
        torch.set_num_threads(1)
        torch.manual_seed(11)
        self.runs, self.course, self.weights = runs, course, weights
        self.listener: Listener = load_listener(weights).to(course.device)
        self.vocabulary = Vocabulary(vocabulary_words())
        self.texts = reply_texts(course.families)
        self.asked = CallerVocabulary(course.families)
        width = self.listener.config.width
        self.config = make_config(preset, width, 8, len(self.vocabulary), len(self.asked))

    @property
    def known(self) -> dict[str, Sequence[str]]:
        """The words that rows of the model stand for, as `facts` have them."""
        return {"words": self.vocabulary.words, "caller_words": self.asked.words}

    def heard_checks(self) -> dict[str, list[EncodedTurn]]:
        """The check utterances of each condition."""
        return self.heard_by(self.listener)

    def heard_by(self, listener: Listener) -> dict[str, list[EncodedTurn]]:
        """... as some other listener hears them."""
        checks.prepare(self.runs, self.course.families)
        return checks.load(self.runs, listener, self.course.families)

    def book(self) -> PhoneStates:
        """What phones are to this listener."""
        spoken = list(islice(spoken_turns.turn_batches(5, self.course.families), BOOK_BATCHES))
        return collect(load_listener(self.weights), spoken)

    def model(self) -> HybridS2S:
        """A new model on the course's device, warm where the course says from what."""
        model = HybridS2S(self.config)
        if self.course.start is not None:
            warm(model, self.vocabulary, self.asked, self.course.start)
        return model.to(self.course.device)


class TextBatches(IterableDataset[SampleBatch]):
    """Batches to be read, for a DataLoader: each process draws its own."""

    def __init__(self, book: PhoneStates, school: ModelSetup, seed: int) -> None:
        self._book, self._seed, self._course = book, seed, school.course
        self._config, codebooks = school.config, school.config.codebooks
        self._asked = school.asked
        self._replies = {t: compact(t, school.vocabulary, codebooks) for t in school.texts}

    def __iter__(self) -> Iterator[SampleBatch]:
        process = get_worker_info()
        seed = 1000 * self._seed + (0 if process is None else process.id)
        rng = random.Random(seed)
        reader = TextTurns(self._book, caller_text_source(rng, self._course.families))
        some = np.concatenate([reader.first(rng).states for _ in range(100)])
        spread: Floats = some.astype(np.float32).std(axis=0)
        # Nothing sounds here, so that there is nothing to be learned of a reply that is read out.
        talk = ConversationSampler(
            reader, self._replies, self._config, spread, seed, self._asked, read_out=0.0
        )
        return talk.batches(self._course.batch)

    def examiner(self, school: ModelSetup) -> Examiner:
        """Asks aloud, as `hear` does: what was read must be understood when it is heard."""
        return Examiner(school.heard_checks(), self._replies, school.vocabulary)


def read(runs: Path, preset: str, weights: Path, course: Course) -> None:
    """The first stage."""
    school = ModelSetup(runs, preset, weights, course)
    run = Run(runs / "reading", course.minutes)
    model = school.model()
    trainer = S2STrainer(run, model, sounding=False, known=school.known)
    readings = TextBatches(school.book(), school, 7 + run.step)
    batches = iter(DataLoader(readings, batch_size=None, num_workers=course.producers))
    run_stage(run, trainer, batches, readings.examiner(school))


def _renewed(memory: TurnPool, batches: Iterator[SampleBatch], rows: int) -> Iterator[SampleBatch]:
    """The batches; each pays for new turns."""
    owed = 0.0
    for batch in batches:
        owed += HEARD * rows / REUSE
        if owed >= spoken_turns.BATCH:
            memory.hear(spoken_turns.BATCH)
            owed -= spoken_turns.BATCH
        yield batch


def hear(runs: Path, preset: str, weights: Path, course: Course) -> None:
    """The last stage, from where those before it ended (if they were run), then export."""
    school = ModelSetup(runs, preset, weights, course)
    replies = load_replies(runs, weights, school.texts, school.vocabulary)
    model = school.model()
    run = Run(runs / "s2s", course.minutes)
    trainer = S2STrainer(run, model, sounding=True, known=school.known)
    if not run.step and (state := before(runs, "joint", "reading")) is not None:
        take(model, state, school.known)
    memory = TurnPool(school.listener, 100 + run.step, course.producers, course.families)
    memory.hear(FIRST_TURNS)
    reader = TextTurns(
        school.book(), caller_text_source(random.Random(9 + run.step), course.families)
    )
    either = MixedTurns(memory, reader, HEARD)
    talk = ConversationSampler(
        either, replies, school.config, memory.spread(), 8 + run.step, school.asked
    )
    batches = _renewed(memory, talk.batches(course.batch), course.batch)
    examiner = Examiner(school.heard_checks(), replies, school.vocabulary)
    found = run_stage(run, trainer, batches, examiner)
    taught = course.families or [f.name for known in FAMILIES_IN.values() for f in known]
    export(trainer.averaged, school, run.step, found, taught)


def export(
    model: HybridS2S,
    school: ModelSetup,
    steps: int,
    checked: Mapping[str, float],
    taught: Sequence[str],
) -> None:
    """Write s2s.safetensors and its parity entry."""
    facts = {
        **{name: list(words) for name, words in school.known.items()},
        "families": list(taught),
        "data": DATA,
        "steps": steps,
        "checks": dict(checked),
    }
    write_part(school.weights, "s2s", model, model.config, facts)
