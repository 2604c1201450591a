"""`make finetune DATA=folder`: tunes the language model on recorded conversations.

Listener, codec and vocoder stay unchanged. The vocabulary grows by the new words. The method `lora`
trains low-rank products beside the linear layers, and all of the text's tables, which have new
rows, and of the codes' heads; `full` trains all weights. The result is a weights folder:
MODEL=path. A run resumes from its checkpoint; its folder has the losses and their plot.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from shared.errors import ConfigError
from workers.engines.base import Speak
from workers.engines.hybrid.context import SlotContext
from workers.engines.hybrid.engine import s2s_config
from workers.engines.hybrid.generator import HybridGenerator
from workers.models.checkpoint import config_of, fill, read_part, write_part
from workers.models.speech_to_speech.hybrid_s2s import HybridS2S
from workers.models.speech_to_speech.vocabulary import EOS, Vocabulary
from workers.models.tokenizer.codec import CodecConfig, SpeechCodec
from workers.models.tokenizer.listener import load_listener
from workers.training.command_settings import FinetuneSettings, Method
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
from workers.training.stages.optimisation import set_rate, update
from workers.training.stages.training_run import Run, digest
from workers.training.tuning import lowrank
from workers.training.tuning.weights_folder import copy_weights

BATCH: Final = 16
STREAM_SHARE: Final = 0.3
AUDIO_WEIGHT: Final = 0.5
CODES_SHARE: Final = 0.3  # share of a reply's steps that train the codes: the depth part costs most
WARM_UP: Final = 20  # steps
RANK: Final = 16
TURN_STEPS: Final = 9  # steps after the question, as the runtime's VAD waits
# The text's tables have untrained rows for new words.
TEXT_TABLES: Final = ("text.weight", "to_text.weight", "to_text.bias", "depth.text.weight")
# Parameters that low-rank changes do not reach, which are trained as a whole.
WHOLE: Final = (*TEXT_TABLES, "depth.heads")


def grown(
    model: HybridS2S, vocabulary: Vocabulary, words: Sequence[str]
) -> tuple[HybridS2S, Vocabulary]:
    """The model with rows for the new ones among these words.

    It loses its head for the caller's words, because tuning changes the lower half that feeds it.
    """
    new = sorted(set(words) - set(vocabulary.words))
    wider = Vocabulary([*vocabulary.words, *new])
    made = HybridS2S(replace(model.config, texts=len(wider), caller_words=0))
    fresh = made.state_dict()
    state = {name: value for name, value in model.state_dict().items() if name in fresh}
    for name in TEXT_TABLES:
        known = state[name]
        # A new word starts as the mean of all words, no likelier than the others.
        fresh[name][: len(known)] = known
        fresh[name][len(known) :] = known.mean(dim=0)
        state[name] = fresh[name]
    made.load_state_dict(state)
    return made, wider


def losses(model: HybridS2S, batch: SampleBatch, draws: torch.Generator) -> tuple[Tensor, Tensor]:
    """Cross entropy of the text and of the codes, in nats a token."""
    states = model(batch.inputs)
    weighted = batch.text_weight > 0
    weight = batch.text_weight[weighted]
    nats = F.cross_entropy(
        model.text_logits(states[weighted]).float(), batch.next_text[weighted], reduction="none"
    )
    text = (nats * weight).sum() / weight.sum()
    chosen = batch.speaks & (torch.rand(batch.speaks.shape, generator=draws) < CODES_SHARE)
    codes = batch.next_codes[chosen]
    guessed = model.code_logits(states[chosen], batch.next_text[chosen], codes)
    return text, F.cross_entropy(guessed.float().flatten(0, 1), codes.flatten())


def reply_text(model: HybridS2S, vocabulary: Vocabulary, example: Example) -> str:
    """The model's greedy reply to a question, in turn mode."""
    generator = HybridGenerator(model.eval(), 1, 0.0)
    context = SlotContext(0, generator.quiet)
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
    """Seeded batches of the examples."""

    def __init__(self, given: Sequence[Example], model: HybridS2S) -> None:
        self._given = given
        self._config = model.config
        some = np.concatenate([example.states for example in given[:500]]).astype(np.float32)
        self._spread = some.std(axis=0)

    def draw(self, seed: int) -> SampleBatch:
        """One batch. The seed belongs to the step, so a resumed run draws the same batches."""
        rng = np.random.default_rng(seed)
        chosen = rng.integers(len(self._given), size=BATCH)
        return collate([self._sample(self._given[i], rng) for i in chosen])

    def _sample(self, example: Example, rng: np.random.Generator) -> Sample:
        states = example.states.astype(np.float32)
        speech, after = stumbled(states[: example.end], rng), states[example.end :]
        if rng.random() < STREAM_SHARE:
            whole = np.concatenate([speech, after])
            made = stream_sample(whole, len(speech) + GO_AFTER, example.reply, self._config)
        else:
            turn = np.concatenate([speech, after[: int(rng.integers(*TURN_TAIL))]])
            made = turn_sample(turn, example.reply, self._config)
        return disturbed(made, self._config, self._spread, rng)

    def plain(self) -> Iterator[SampleBatch]:
        """Every example once, undisturbed, in turn mode, to measure a loss on."""
        for example in self._given:
            states = example.states[: example.end + TURN_STEPS].astype(np.float32)
            yield collate([turn_sample(states, example.reply, self._config)])


@torch.no_grad()
def loss_on(model: HybridS2S, batches: ExampleBatches) -> float:
    """The mean text loss, in nats a token."""
    draws = torch.Generator().manual_seed(0)
    return float(np.mean([float(losses(model, b, draws)[0]) for b in batches.plain()]))


class FinetuneTrainer:
    """The model in training, its optimiser and its checkpoint."""

    def __init__(self, model: HybridS2S, run: Run, settings: FinetuneSettings, data: str) -> None:
        """Raises ConfigError if the checkpoint's `data` (a digest) or method differs."""
        torch.manual_seed(settings.seed)
        self.model, self.run, self.settings, self._data = model.train(), run, settings, data
        if settings.method is Method.LORA:
            lowrank.add(model, RANK)
            for name, parameter in model.named_parameters():
                plain = name.replace("parametrizations.weight.original", "weight")
                parameter.requires_grad_(parameter.requires_grad or plain in WHOLE)
        trained = [p for p in model.parameters() if p.requires_grad]
        self.optimiser = torch.optim.AdamW(trained, betas=(0.9, 0.95), weight_decay=0.01)
        if (state := run.load_of(data)) is not None:
            _check_same(run.folder, state["method"], settings.method)
            model.load_state_dict(state["model"])
            self.optimiser.load_state_dict(state["optimiser"])

    def step(self, batches: ExampleBatches) -> None:
        """One update."""
        done = min(1.0, self.run.step / self.settings.steps)
        warm = min(1.0, self.run.step / WARM_UP)
        set_rate(self.optimiser, self.settings.peak_rate * (1 - 0.9 * done) * warm)
        seed = self.settings.seed * 1_000_003 + self.run.step
        draws = torch.Generator().manual_seed(seed)
        text, audio = losses(self.model, batches.draw(seed), draws)
        update(self.optimiser, text + AUDIO_WEIGHT * audio, self.model.parameters())
        self.run.log(text=text.detach(), audio=audio.detach())

    def save(self) -> None:
        """Write the checkpoint."""
        model, optimiser = self.model.state_dict(), self.optimiser.state_dict()
        method = str(self.settings.method)
        state = {"model": model, "optimiser": optimiser, "method": method, "data": self._data}
        self.run.save(state)


def _check_same(folder: Path, before: str, now: Method) -> None:
    if before != now:
        raise ConfigError(
            f"Expected the method of the checkpoint in {folder}, {before}, got {now}: "
            "continue with it, or take another --run folder"
        )


def tune(
    model: HybridS2S, batches: ExampleBatches, run: Run, settings: FinetuneSettings, data: str
) -> HybridS2S:
    """Train up to the last step, resuming from the checkpoint if there is one."""
    trainer = FinetuneTrainer(model, run, settings, data)
    while run.step < settings.steps and run.going():
        trainer.step(batches)
        if run.due():
            trainer.save()
    trainer.save()
    lowrank.merge(model)
    return model.eval().requires_grad_(False)


def finetune(settings: FinetuneSettings, run: Run) -> dict[str, Any]:
    """Tune, write a weights folder, and report. Raises ConfigError on wrong data."""
    data, base = settings.data, settings.base
    found, left_out = all_exchanges(read_folder(data))
    part = read_part(base, "s2s")
    model = HybridS2S(s2s_config(part))
    fill(model, part)
    model, vocabulary = grown(model, Vocabulary(part.facts["words"]), _words(found))
    codec_part = read_part(base, "codec")
    codec = SpeechCodec(config_of(CodecConfig, codec_part))
    fill(codec, codec_part)
    made = examples(found, load_listener(base), codec, vocabulary, settings.seed)
    exchange_of = {id(e.reply): x for e, x in zip(_undistorted(made), found, strict=True)}
    kept = [e for e in made if exchange_of[id(e.reply)].held_out]
    taught = [e for e in made if not exchange_of[id(e.reply)].held_out] or made
    judged = kept or _undistorted(taught)
    before = loss_on(model, ExampleBatches(judged, model))
    model = tune(model, ExampleBatches(taught, model), run, settings, _digest(base, found))
    after = loss_on(model, ExampleBatches(judged, model))
    facts = {**part.facts, "tuned": f"{data.name}, {run.step}"}
    _write(settings, model, vocabulary, facts)
    run.finish(loss=after)
    return {
        "exchanges": len(found),
        "left_out": dict(left_out),
        "held_out": len(kept),
        "judged_on": "held-out exchanges" if kept else "the training's own: too few to hold out",
        "new_words": len(vocabulary.words) - len(part.facts["words"]),
        "loss_before": round(before, 4),
        "loss_after": round(after, 4),
        "answers": [[e.reply.text, reply_text(model, vocabulary, e)] for e in judged[:10]],
        "steps": run.steps_of(settings.steps),
        "weights": str(settings.output),
    }


def _digest(base: Path, found: Sequence[RecordedExchange]) -> str:
    """Identifies the exchanges and the weights that learn them."""

    def parts() -> Iterator[bytes]:
        yield (base / "parity.json").read_bytes()
        for exchange in found:
            yield " ".join(word.text for word in exchange.reply).encode()
            yield exchange.question.tobytes()
            yield exchange.sound.tobytes()

    return digest(parts())


def _words(found: Sequence[RecordedExchange]) -> list[str]:
    return [word.text for exchange in found for word in exchange.reply]


def _undistorted(made: Sequence[Example]) -> list[Example]:
    """The first copy of each exchange, which is undistorted; all copies share one reply object."""
    return list({id(e.reply): e for e in reversed(made)}.values())[::-1]


def _write(
    settings: FinetuneSettings, model: HybridS2S, vocabulary: Vocabulary, facts: dict[str, Any]
) -> None:
    """Write the weights folder: the base's other parts, and the tuned one."""
    copy_weights(settings.base, settings.output)
    facts = {**facts, "words": list(vocabulary.words), "caller_words": []}
    write_part(settings.output, "s2s", model, model.config, facts)
