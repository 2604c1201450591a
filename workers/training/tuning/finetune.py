"""`make finetune DATA=folder`: teach a model that is there people's own conversations.

What is tuned is the model between hearing and speaking; listener, codec and vocoder stay. The
vocabulary grows by the words that are new. `lora` trains small products beside the linear layers,
and whole the text's tables, which have new rows, and the codes' heads; `full` trains everything.
The outcome is a weights folder: MODEL=path. It resumes from its checkpoint; the loss and its plot
are in the run's folder.
"""

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from shared.errors import ConfigError
from workers.engines.base import Speak
from workers.engines.hybrid.context import Context
from workers.engines.hybrid.engine import s2s_config
from workers.engines.hybrid.generator import Generator
from workers.models.checkpoint import config_of, fill, read_part, write_part
from workers.models.repertoire import FILE as VOICES
from workers.models.s2s import HybridS2S
from workers.models.tokenizer.codec import Codec, CodecConfig
from workers.models.tokenizer.listener import load_listener
from workers.models.vocabulary import EOS, Vocabulary
from workers.training.samples.examples import Example, RecordedExchange, all_exchanges, examples
from workers.training.samples.replies import MAX_STEPS
from workers.training.samples.sequences import (
    GO_AFTER,
    TURN_TAIL,
    Sample,
    SampleBatch,
    collate,
    disturbed,
    stream_sample,
    stumbled,
    turn_sample,
)
from workers.training.samples.stereo import read_folder
from workers.training.stages.training_run import Run, digest
from workers.training.tuning import lowrank

BATCH: Final = 16
STREAM_SHARE: Final = 0.3
AUDIO_WEIGHT: Final = 0.5
SPEECH_SHARE: Final = 0.3  # of a reply's steps that train the codes: the depth part is the dear one
WARM_UP: Final = 20  # steps
RANK: Final = 16
TURN_STEPS: Final = 9  # heard after the question, as the runtime's VAD has it
# Tables of the text: they have rows that nothing was trained with yet.
TEXT_TABLES: Final = ("text.weight", "to_text.weight", "to_text.bias", "depth.text.weight")
# What low-rank changes do not reach is trained whole: those, and where the sound's codes come from.
WHOLE: Final = (*TEXT_TABLES, "depth.heads")


class Method(StrEnum):
    """What of the model is trained."""

    LORA = "lora"
    FULL = "full"


RATES: Final = {Method.LORA: 2e-3, Method.FULL: 3e-4}


@dataclass(frozen=True, slots=True)
class FinetuneSettings:
    """How to tune."""

    steps: int = 400
    method: Method = Method.LORA
    rate: float = 0.0  # the peak learning rate; 0: the method's own
    seed: int = 5

    @property
    def peak_rate(self) -> float:
        """The learning rate to use."""
        return self.rate or RATES[self.method]


def grown(
    model: HybridS2S, vocabulary: Vocabulary, words: Sequence[str]
) -> tuple[HybridS2S, Vocabulary]:
    """The model with rows for these words too; words it knows change nothing.

    It no longer tells the caller's words: its lower half is about to change, and they with it.
    """
    new = sorted(set(words) - set(vocabulary.words))
    wider = Vocabulary([*vocabulary.words, *new])
    made = HybridS2S(replace(model.config, texts=len(wider), caller_words=0))
    fresh = made.state_dict()
    state = {name: value for name, value in model.state_dict().items() if name in fresh}
    for name in TEXT_TABLES:
        known = state[name]
        # A new word begins as the mean of all words: likelier than none, not likelier than others.
        fresh[name][: len(known)] = known
        fresh[name][len(known) :] = known.mean(dim=0)
        state[name] = fresh[name]
    made.load_state_dict(state)
    return made, wider


def losses(model: HybridS2S, batch: SampleBatch, draws: torch.Generator) -> tuple[Tensor, Tensor]:
    """Cross entropy of the text and of the codes, nats a token."""
    states = model(batch.inputs)
    weighs = batch.weight > 0
    nats = F.cross_entropy(
        model.text_logits(states[weighs]).float(), batch.next_text[weighs], reduction="none"
    )
    text = (nats * batch.weight[weighs]).sum() / batch.weight[weighs].sum()
    chosen = batch.speaks & (torch.rand(batch.speaks.shape, generator=draws) < SPEECH_SHARE)
    codes = batch.next_codes[chosen]
    guessed = model.code_logits(states[chosen], batch.next_text[chosen], codes)
    return text, F.cross_entropy(guessed.float().flatten(0, 1), codes.flatten())


def reply_text(model: HybridS2S, vocabulary: Vocabulary, example: Example) -> str:
    """What the model answers to a question, greedily, in turn mode."""
    generator = Generator(model.eval(), 1, 0.0)
    context = Context(0, generator.quiet)
    context.hear([state.tobytes() for state in example.states[: example.end + TURN_STEPS]])
    tokens: list[int] = []
    with torch.inference_mode():
        for step in range(MAX_STEPS):
            plan = context.plan(Speak.CONTINUE if step else Speak.BEGIN)
            said = generator.step({0: context}, {0: plan})[0]
            context.say(said)
            if said.text == EOS:
                break
            tokens.append(said.text)
    return vocabulary.text(tokens)


class ExampleBatches:
    """Batches of the examples, seeded."""

    def __init__(self, given: Sequence[Example], model: HybridS2S) -> None:
        self._given = given
        self._config = model.config
        some = np.concatenate([example.states for example in given[:500]]).astype(np.float32)
        self._spread = some.std(axis=0)

    def draw(self, seed: int) -> SampleBatch:
        """One batch; its seed is the step's, so that a resumed run goes on as it would have."""
        rng = np.random.default_rng(seed)
        chosen = rng.integers(len(self._given), size=BATCH)
        return collate([self._sample(self._given[i], rng) for i in chosen])

    def _sample(self, example: Example, rng: np.random.Generator) -> Sample:
        states = example.states.astype(np.float32)
        speech, after = stumbled(states[: example.end], rng), states[example.end :]
        if rng.random() < STREAM_SHARE:
            heard = np.concatenate([speech, after])
            made = stream_sample(heard, len(speech) + GO_AFTER, example.reply, self._config)
        else:
            heard = np.concatenate([speech, after[: int(rng.integers(*TURN_TAIL))]])
            made = turn_sample(heard, example.reply, self._config)
        return disturbed(made, self._config, self._spread, rng)

    def plain(self) -> Iterator[SampleBatch]:
        """Every example once, undisturbed, in turn mode: what a loss is measured on."""
        for example in self._given:
            heard = example.states[: example.end + TURN_STEPS].astype(np.float32)
            yield collate([turn_sample(heard, example.reply, self._config)])


@torch.no_grad()
def loss_on(model: HybridS2S, lessons: ExampleBatches) -> float:
    """Mean text loss, nats a token."""
    draws = torch.Generator().manual_seed(0)
    return float(np.mean([float(losses(model, b, draws)[0]) for b in lessons.plain()]))


class FinetuneTrainer:
    """The model in training, its optimiser and its checkpoint."""

    def __init__(self, model: HybridS2S, run: Run, course: FinetuneSettings, data: str) -> None:
        """Raises ConfigError where the checkpoint is of other `data` (a digest) or method."""
        torch.manual_seed(course.seed)
        self.model, self.run, self.course, self._data = model.train(), run, course, data
        if course.method is Method.LORA:
            lowrank.add(model, RANK)
            for name, parameter in model.named_parameters():
                plain = name.replace("parametrizations.weight.original", "weight")
                parameter.requires_grad_(parameter.requires_grad or plain in WHOLE)
        trained = [p for p in model.parameters() if p.requires_grad]
        self.optimiser = torch.optim.AdamW(trained, betas=(0.9, 0.95), weight_decay=0.01)
        if (state := run.load_of(data)) is not None:
            _check_same(run.folder, state["method"], course.method)
            model.load_state_dict(state["model"])
            self.optimiser.load_state_dict(state["optimiser"])

    def step(self, lessons: ExampleBatches) -> None:
        """One update."""
        done = min(1.0, self.run.step / self.course.steps)
        rate = self.course.peak_rate * (1 - 0.9 * done) * min(1.0, self.run.step / WARM_UP)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        seed = self.course.seed * 1_000_003 + self.run.step
        draws = torch.Generator().manual_seed(seed)
        text, audio = losses(self.model, lessons.draw(seed), draws)
        self.optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(text + AUDIO_WEIGHT * audio)
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimiser.step()
        self.run.log(text=text.detach(), audio=audio.detach())

    def save(self) -> None:
        """Write the checkpoint."""
        model, optimiser = self.model.state_dict(), self.optimiser.state_dict()
        method = str(self.course.method)
        state = {"model": model, "optimiser": optimiser, "method": method, "data": self._data}
        self.run.save(state)


def _check_same(folder: Path, before: str, now: Method) -> None:
    if before != now:
        raise ConfigError(
            f"Expected the method of the checkpoint in {folder}, {before}, got {now}: "
            "go on with it, or take another --run folder"
        )


def tune(
    model: HybridS2S, lessons: ExampleBatches, run: Run, course: FinetuneSettings, data: str
) -> HybridS2S:
    """Train to the course's last step, from the checkpoint where there is one."""
    tuning = FinetuneTrainer(model, run, course, data)
    while run.step < course.steps and run.going():
        tuning.step(lessons)
        if run.due():
            tuning.save()
    tuning.save()
    lowrank.merge(model)
    return model.eval().requires_grad_(False)


def finetune(
    data: Path, base: Path, output: Path, run: Run, course: FinetuneSettings
) -> dict[str, Any]:
    """The whole of it; what it did, as it is printed. Raises ConfigError."""
    found, left_out = all_exchanges(read_folder(data))
    part = read_part(base, "s2s")
    model = HybridS2S(s2s_config(part))
    fill(model, part)
    model, vocabulary = grown(model, Vocabulary(part.facts["words"]), _words(found))
    codec_part = read_part(base, "codec")
    codec = Codec(config_of(CodecConfig, codec_part))
    fill(codec, codec_part)
    made = examples(found, load_listener(base), codec, vocabulary, course.seed)
    names = {id(e.reply): x for e, x in zip(_first(made), found, strict=True)}
    kept = [e for e in made if names[id(e.reply)].held_out]
    taught = [e for e in made if not names[id(e.reply)].held_out] or made
    judged = kept or _first(taught)
    before = loss_on(model, ExampleBatches(judged, model))
    model = tune(model, ExampleBatches(taught, model), run, course, _digest(base, found))
    after = loss_on(model, ExampleBatches(judged, model))
    report = {
        "exchanges": len(found),
        "left_out": dict(left_out),
        "held_out": len(kept),
        "judged_on": "held-out exchanges" if kept else "the training's own: too few to hold out",
        "new_words": len(vocabulary.words) - len(part.facts["words"]),
        "loss_before": round(before, 4),
        "loss_after": round(after, 4),
        "answers": [[e.reply.text, reply_text(model, vocabulary, e)] for e in judged[:10]],
        "steps": run.steps_of(course.steps),
        "weights": str(output),
    }
    _write(base, output, model, vocabulary, {**part.facts, "tuned": f"{data.name}, {run.step}"})
    run.finish(loss=after)
    return report


def _digest(base: Path, found: Sequence[RecordedExchange]) -> str:
    """Of what is learned, and of the weights that learn it."""

    def parts() -> Iterator[bytes]:
        yield (base / "parity.json").read_bytes()
        for exchange in found:
            yield " ".join(word.text for word in exchange.reply).encode()
            yield exchange.question.tobytes()
            yield exchange.sound.tobytes()

    return digest(parts())


def _words(found: Sequence[RecordedExchange]) -> list[str]:
    return [word.text for exchange in found for word in exchange.reply]


def _first(made: Sequence[Example]) -> list[Example]:
    """The undistorted copy of each exchange: its reply is shared by the copies."""
    return list({id(e.reply): e for e in reversed(made)}.values())[::-1]


def _write(
    base: Path, output: Path, model: HybridS2S, vocabulary: Vocabulary, facts: dict[str, Any]
) -> None:
    """A whole weights folder: the base's other parts, and the tuned one."""
    output.mkdir(parents=True, exist_ok=True)
    for path in [*base.glob("*.safetensors"), base / "parity.json", *base.glob(VOICES)]:
        shutil.copyfile(path, output / path.name)
    facts = {**facts, "words": list(vocabulary.words), "caller_words": []}
    write_part(output, "s2s", model, model.config, facts)
