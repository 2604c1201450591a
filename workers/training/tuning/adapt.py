"""`make adapt DATA=folder`: adapts the listener to one person's voice, from about 20 read prompts.

    prompts.tsv    a line a recording: 01.wav <tab> what is three plus four?
    01.wav ...     one person, one prompt each; any sample rate, mono

`--record` shows prompts and records them; `python -m workers.training prompts FOLDER` only writes
the sheet. The first `train` prompts are for training, the others for judging.

Only the listener's input changes: a map of the mel bins, and low-rank changes of the lower half.
The map starts as the stretch of the frequency axis that suits the speaker best, since a smaller
speaker's formants lie higher. CTC on the prompts then trains both. The upper half stays as the
language model knows it. The map is folded into the first convolution, and the result is a weights
folder: MODEL=path.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import soundfile
import torch
from rapidfuzz.distance import Levenshtein
from scipy.signal import resample_poly
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from shared.audio import SAMPLE_RATE_HZ
from shared.errors import ConfigError
from workers.engines.hybrid.engine import s2s_config
from workers.models.checkpoint import fill, read_part, write_part
from workers.models.layers.transformer import CausalConv1d
from workers.models.mel import LogMel, MelConfig, hz_to_mel, mel_edges_hz
from workers.models.speech_to_speech.hybrid_s2s import HybridS2S
from workers.models.speech_to_speech.vocabulary import Vocabulary
from workers.models.tokenizer.listener import (
    MEL_MEAN,
    MEL_SCALE,
    Listener,
    ListenerOutput,
    States,
    load_listener,
)
from workers.training.command_settings import AdaptSettings
from workers.training.questions.catalogue import Split, questions, words
from workers.training.questions.listener_texts import characters, phones
from workers.training.samples.examples import Example
from workers.training.samples.replies import TargetReply
from workers.training.speech.augment import (
    SILENCE,
    Augmenter,
    Strength,
    padded,
    whole_steps,
)
from workers.training.speech.ctc import best_path, ctc_loss, targets
from workers.training.stages.optimisation import set_rate, update
from workers.training.stages.training_run import Run, digest
from workers.training.tuning import lowrank
from workers.training.tuning.finetune_s2s import reply_text
from workers.training.tuning.prompts import SHEET, check_enough, read_sheet
from workers.training.tuning.weights_folder import copy_weights

STRETCHES: Final = tuple(round(0.70 + 0.05 * i, 2) for i in range(17))  # 0.70 to 1.50
RANK: Final = 8
BATCH: Final = 6
RATE: Final = 1e-3
WARM_UP: Final = 10  # steps
BEFORE: Final = 40  # mel frames of silence around a prompt, as a turn has
AFTER: Final = 100
PHONE_WEIGHT: Final = 0.6
# Differences between one reading and the next, and nothing that the map should learn.
STRENGTH: Final = Strength(
    warp=(0.98, 1.02), stretch=(0.9, 1.12), gain_db=(-8.0, 6.0), channel_db=2.0, narrow=0.0,
    noise_db=(18.0, 50.0), quiet=0.4, babble=0.0, room=0.1, masks=1, mask_frames=5, mask_bins=4,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ReadPrompt:
    """One recording: the text that was read, and its log-mel (F, 80)."""

    text: str
    mel: Tensor


def read_prompts(folder: Path) -> list[ReadPrompt]:
    """The recordings. Raises ConfigError naming those that are missing or unusable."""
    rows = read_sheet(folder)
    missing = [name for name, _ in rows if not (folder / name).exists()]
    if missing:
        raise ConfigError(
            f"Expected a recording of every prompt of {folder / SHEET}, got none of "
            f"{missing[:10]}: record them (--record), or remove their lines"
        )
    found, wrong = [], []
    for name, text in rows:
        try:
            found.append(ReadPrompt(text, _mel(folder / name)))
        except (soundfile.LibsndfileError, ValueError) as error:
            wrong.append(f"{name}: {error}")
    if wrong:
        problems = "\n  ".join(wrong)
        raise ConfigError(
            f"Expected readable recordings in {folder}, got\n  {problems}\nRecord them again, or "
            "remove their lines"
        )
    return found


def _mel(path: Path) -> Tensor:
    samples, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
    if not samples.any():
        raise ValueError("Expected sound, got silence")
    mono = samples.mean(axis=1)
    if rate_hz != SAMPLE_RATE_HZ:
        mono = resample_poly(mono, SAMPLE_RATE_HZ, rate_hz)
    whole: Tensor = LogMel()(torch.from_numpy(mono.astype(np.float32))[None])[0]
    return whole


def stretch_map(factor: float) -> Tensor:
    """A matrix (80, 80): output bin m reads the input at `factor` times the frequency of bin m."""
    centres = mel_edges_hz(MelConfig())[1:-1]
    place = hz_to_mel(centres)
    wanted = hz_to_mel(centres * factor).clamp(max=float(place[-1]))
    above = torch.searchsorted(place, wanted).clamp(1, len(place) - 1)
    part = ((wanted - place[above - 1]) / (place[above] - place[above - 1])).clamp(0, 1)
    matrix = torch.zeros(len(place), len(place), dtype=torch.float64)
    row = torch.arange(len(place))
    matrix[row, above - 1] = 1 - part
    matrix[row, above] += part
    return matrix.float()


class AdaptedListener(nn.Module):
    """A listener with a trainable map of the mel bins at its input."""

    def __init__(self, listener: Listener) -> None:
        super().__init__()
        self.listener = listener
        self.map = nn.Parameter(torch.eye(listener.config.bins))
        self.shift = nn.Parameter(torch.zeros(listener.config.bins))

    def forward(self, mels: Tensor) -> ListenerOutput:
        """Log-mels (B, F, 80) -> the listener's output for the mapped ones."""
        plain = (mels - MEL_MEAN) / MEL_SCALE
        hearing: ListenerOutput = self.listener(
            (plain @ self.map.T + self.shift) * MEL_SCALE + MEL_MEAN
        )
        return hearing

    @torch.no_grad()
    def folded(self) -> Listener:
        """The listener with the map and the low-rank changes merged into its weights."""
        lowrank.merge(self.listener)
        first = self.listener.convolutions[0]
        assert isinstance(first, CausalConv1d)  # noqa: S101 - narrows ModuleList's type
        assert first.conv.bias is not None  # noqa: S101
        weight = first.conv.weight
        first.conv.bias += torch.einsum("ojk,j->o", weight, self.shift)
        weight.copy_(torch.einsum("ojk,jm->omk", weight, self.map))
        return self.listener.eval().requires_grad_(False)


def loss(
    adapted: AdaptedListener, prompts: Sequence[ReadPrompt], augment: Augmenter | None
) -> Tensor:
    """CTC loss of phones and characters, in nats a symbol."""
    mels = pad_sequence([_around(p.mel) for p in prompts], True, SILENCE)
    lengths = torch.tensor([len(p.mel) + BEFORE + AFTER for p in prompts])
    if augment is not None:
        mels, lengths = augment(mels, lengths)
    hearing = adapted(whole_steps(mels))
    frames = (lengths + 7) // 8 * adapted.listener.config.subframes
    frames = frames.clamp(max=hearing.phones.shape[1])
    found = []
    for logits, spell in ((hearing.phones, phones), (hearing.characters, characters)):
        found.append(ctc_loss(logits, frames, *targets([p.text for p in prompts], spell)))
    return PHONE_WEIGHT * found[0] + found[1]


def _around(mel: Tensor) -> Tensor:
    return padded(mel, BEFORE, AFTER)


@torch.no_grad()
def best_stretch(adapted: AdaptedListener, prompts: Sequence[ReadPrompt]) -> float:
    """Set the map to the stretch that makes the prompts likeliest, and return its factor."""
    found = {}
    for factor in STRETCHES:
        adapted.map.copy_(stretch_map(factor))
        found[factor] = float(loss(adapted, prompts, None))
    best = min(found, key=found.__getitem__)
    adapted.map.copy_(stretch_map(best))
    return best


def train(
    adapted: AdaptedListener,
    prompts: Sequence[ReadPrompt],
    run: Run,
    *,
    steps: int,
    seed: int,
    data: str = "",
) -> None:
    """Train the map and low-rank changes of the lower half, resuming from the checkpoint.

    Raises ConfigError if the checkpoint's `data` (a digest) differs.
    """
    torch.manual_seed(seed)
    adapted.listener.requires_grad_(False)
    lowrank.add(adapted.listener.lower, RANK)
    trained = [p for p in adapted.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(trained, lr=RATE, weight_decay=0.0)
    if (state := run.load_of(data)) is not None:
        adapted.load_state_dict(state["model"])
        optimiser.load_state_dict(state["optimiser"])
    while run.step < steps and run.going():
        rng = np.random.default_rng(seed * 1_000_003 + run.step)
        chosen = rng.choice(len(prompts), size=min(BATCH, len(prompts)), replace=False)
        augment = Augmenter(STRENGTH, seed=seed * 1_000_003 + run.step)
        set_rate(optimiser, RATE * (1 - 0.9 * run.step / steps) * min(1.0, run.step / WARM_UP))
        nats = loss(adapted, [prompts[i] for i in chosen], augment)
        update(optimiser, nats, trained)
        run.log(ctc=nats.detach())
        if run.due():
            _save(run, adapted, optimiser, data)
    _save(run, adapted, optimiser, data)


def _save(run: Run, adapted: AdaptedListener, optimiser: torch.optim.Optimizer, data: str) -> None:
    model = adapted.state_dict()
    run.save({"model": model, "optimiser": optimiser.state_dict(), "data": data})


def _digest(base: Path, prompts: Sequence[ReadPrompt]) -> str:
    """Identifies the prompts and the listener that learns them."""
    parts = [p.text.encode() + p.mel.numpy().tobytes() for p in prompts]
    return digest([(base / "parity.json").read_bytes(), *parts])


@torch.no_grad()
def accuracy(listener: Listener, base: Path, prompts: Sequence[ReadPrompt]) -> dict[str, float]:
    """Phone and character error rates of the prompts, and the share of right answers."""
    listener.eval()
    answering = _QuestionAnswering(base)
    wrong, total = [0, 0], [0, 0]
    right: list[bool] = []
    for prompt in prompts:
        mel = _around(prompt.mel)
        hearing = listener(mel[None, : len(mel) // 8 * 8])
        for kind, (logits, wanted) in enumerate(
            ((hearing.phones, phones(prompt.text)), (hearing.characters, characters(prompt.text)))
        ):
            path = best_path(logits[0], logits.shape[1])
            wrong[kind] += Levenshtein.distance(path, wanted)
            total[kind] += len(wanted)
        if prompt.text in answering.answers:
            end = -(-(len(prompt.mel) + BEFORE) // 8)
            states = hearing.states[0].numpy().astype(np.float16)
            right.append(answering.answer(states, end) == answering.answers[prompt.text])
    shares = {"phone_error": wrong[0] / total[0], "character_error": wrong[1] / total[1]}
    return {k: round(v, 4) for k, v in shares.items()} | {
        "answered_right": round(sum(right) / len(right), 4) if right else float("nan"),
        "prompts": len(prompts),
    }


class _QuestionAnswering:
    """The base's language model, and the answers to the questions that it was taught."""

    def __init__(self, base: Path) -> None:
        part = read_part(base, "s2s")
        taught = part.facts.get("families")
        known = [q for q in questions(Split.TRAIN) if taught is None or q.family in taught]
        self.answers = {" ".join(words(q.text)): " ".join(words(q.reply)) for q in known}
        self._model, self._vocabulary = HybridS2S(s2s_config(part)), Vocabulary(part.facts["words"])
        fill(self._model, part)

    def answer(self, states: States, end: int) -> str:
        """The words of the reply to a turn whose speech ends before the step `end`."""
        no_reply = TargetReply("", np.zeros(0, np.int64), np.zeros((0, 0), np.int64))
        example = Example(states, end, no_reply)
        return " ".join(words(reply_text(self._model, self._vocabulary, example)))


def adapt(settings: AdaptSettings, run: Run) -> dict[str, Any]:
    """Adapt the listener, write a weights folder, and report. Raises ConfigError on wrong data."""
    data, base = settings.data, settings.base
    prompts = read_prompts(data)
    check_enough(data, len(prompts), settings.train)
    taught, judged = prompts[: settings.train], prompts[settings.train :]
    before = accuracy(load_listener(base), base, judged)
    adapted = AdaptedListener(load_listener(base))
    factor = best_stretch(adapted, taught)
    digest_of_data = _digest(base, taught)
    train(adapted, taught, run, steps=settings.steps, seed=settings.seed, data=digest_of_data)
    listener = adapted.folded()
    after = accuracy(listener, base, judged)
    copy_weights(base, settings.output)
    facts = {**read_part(base, "listener").facts, "adapted": f"{len(taught)} prompts, {run.step}"}
    write_part(settings.output, "listener", listener, listener.config, facts)
    run.finish(**{f"{k}_after": v for k, v in after.items()})
    return {
        "stretch": factor,
        "before": before,
        "after": after,
        "steps": run.steps_of(settings.steps),
        "weights": str(settings.output),
    }
