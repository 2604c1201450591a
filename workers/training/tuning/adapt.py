"""`make adapt DATA=folder`: let the listener learn one person's voice from about 20 read prompts.

    prompts.tsv    a line a recording: 01.wav <tab> what is three plus four?
    01.wav ...     one person, one prompt each; any sample rate, mono

`--record` shows such prompts and records them; `python -m workers.training prompts FOLDER` only
writes the sheet. The first `train` prompts teach, the others judge. What is adapted is only how
the caller's sound comes in: a map of the mel bins, begun as the stretch of the frequency axis that
suits the speaker best (a smaller speaker's formants lie higher) and then trained with low-rank
changes of the lower half, by CTC on what was read. All above stays as the language model knows it.
The map is folded into the first convolution: the outcome is a weights folder, MODEL=path.
"""

import random
import shutil
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
from workers.models.layers import CausalConv1d
from workers.models.mel import LogMel, MelConfig, hz_to_mel, mel_edges_hz
from workers.models.repertoire import FILE as VOICES
from workers.models.s2s import HybridS2S
from workers.models.tokenizer.listener import MEL_MEAN, MEL_SCALE, Hearing, Listener, load_listener
from workers.models.vocabulary import Vocabulary
from workers.training.questions.catalogue import Split, questions, words
from workers.training.questions.listener_texts import characters, phones
from workers.training.samples.examples import Example
from workers.training.samples.replies import TargetReply
from workers.training.speech.augment import SILENCE, Augmenter, Strength
from workers.training.speech.ctc import best_path, ctc_loss, targets
from workers.training.stages.training_run import Run, digest
from workers.training.tuning import lowrank
from workers.training.tuning.finetune import reply_text

SHEET: Final = "prompts.tsv"
STRETCHES: Final = tuple(round(0.70 + 0.05 * i, 2) for i in range(17))  # 0.70 to 1.50
RANK: Final = 8
BATCH: Final = 6
RATE: Final = 1e-3
BEFORE: Final = 40  # frames of silence around a prompt, as a turn has it
AFTER: Final = 100
PHONE_WEIGHT: Final = 0.6
# Nothing that the map is to learn: only what differs between one reading and the next.
STRENGTH: Final = Strength(
    warp=(0.98, 1.02), stretch=(0.9, 1.12), gain_db=(-8.0, 6.0), channel_db=2.0, narrow=0.0,
    noise_db=(18.0, 50.0), quiet=0.4, babble=0.0, room=0.1, masks=1, mask_frames=5, mask_bins=4,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ReadPrompt:
    """One recording: what was read, and its log-mel (F, 80)."""

    text: str
    mel: Tensor


def sheet(count: int, seed: int = 1) -> list[str]:
    """Prompts to read: questions of as many kinds as there are, in a fixed order."""
    rng = random.Random(seed)
    families: dict[str, list[str]] = {}
    for question in questions(Split.TRAIN):
        families.setdefault(question.family, []).append(question.text)
    pools = [rng.sample(texts, len(texts)) for texts in families.values()]
    rng.shuffle(pools)
    turns = max(map(len, pools))
    return [pool[i] for i in range(turns) for pool in pools if i < len(pool)][:count]


def write_sheet(folder: Path, texts: Sequence[str]) -> None:
    """The sheet to read from, with the names that the recordings are to have."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [f"{number:02d}.wav\t{text}" for number, text in enumerate(texts, 1)]
    (folder / SHEET).write_text("\n".join(lines) + "\n")


def read_sheet(folder: Path) -> list[tuple[str, str]]:
    """The (file, text) of each line. Raises ConfigError naming what cannot be used."""
    path = folder / SHEET
    if not path.exists():
        raise ConfigError(
            f"Expected {path}, got none: `python -m workers.training prompts {folder}` writes one"
        )
    rows = [line.split("\t") for line in path.read_text().splitlines() if line.strip()]
    wrong = [row for row in rows if len(row) != 2]
    if wrong:
        raise ConfigError(f"Expected `file<tab>text` in every line of {path}, got {wrong[0]}")
    return [(name, _readable(path, text)) for name, text in rows]


def check_enough(folder: Path, count: int, train_count: int) -> None:
    """Raises ConfigError where no prompt would be left to judge by."""
    if count <= train_count:
        raise ConfigError(
            f"Expected more than {train_count} prompts in {folder}, the rest to judge by, "
            f"got {count}: read more, or lower --train"
        )


def read_prompts(folder: Path) -> list[ReadPrompt]:
    """The recordings. Raises ConfigError naming what is missing or no sound."""
    rows = read_sheet(folder)
    missing = [name for name, _ in rows if not (folder / name).exists()]
    if missing:
        raise ConfigError(
            f"Expected a recording of every prompt of {folder / SHEET}, got none of "
            f"{missing[:10]}: record them (--record), or take their lines out"
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
            f"Expected recordings that can be read in {folder}, got\n  {problems}\nRecord them "
            "again, or take their lines out"
        )
    return found


def _readable(path: Path, text: str) -> str:
    plain = " ".join(words(text))
    unknown = [word for word in plain.split() if not phones(word)]
    if unknown or not plain:
        raise ConfigError(
            f"Expected words of the pronunciation dictionary in {path}, got {unknown or text!r}: "
            "take another prompt"
        )
    return plain


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
    """(80, 80): bin m of the outcome reads the sound at `factor` times the frequency of bin m."""
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
    """A listener behind a trainable map of the mel bins."""

    def __init__(self, listener: Listener) -> None:
        super().__init__()
        self.listener = listener
        self.map = nn.Parameter(torch.eye(listener.config.bins))
        self.shift = nn.Parameter(torch.zeros(listener.config.bins))

    def forward(self, mels: Tensor) -> Hearing:
        """Log-mels (B, F, 80) -> what the listener makes of the mapped ones."""
        plain = (mels - MEL_MEAN) / MEL_SCALE
        hearing: Hearing = self.listener((plain @ self.map.T + self.shift) * MEL_SCALE + MEL_MEAN)
        return hearing

    @torch.no_grad()
    def folded(self) -> Listener:
        """The listener with the map in its first convolution and the changes in its weights."""
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
    """CTC of phones and characters, nats a symbol."""
    mels = pad_sequence([_around(p.mel) for p in prompts], True, SILENCE)
    lengths = torch.tensor([len(p.mel) + BEFORE + AFTER for p in prompts])
    if augment is not None:
        mels, lengths = augment(mels, lengths)
    mels = nn.functional.pad(mels, (0, 0, 0, -mels.shape[1] % 8), value=SILENCE)
    hearing = adapted(mels)
    frames = (lengths + 7) // 8 * adapted.listener.config.subframes
    frames = frames.clamp(max=hearing.phones.shape[1])
    found = []
    for logits, spell in ((hearing.phones, phones), (hearing.characters, characters)):
        found.append(ctc_loss(logits, frames, *targets([p.text for p in prompts], spell)))
    return PHONE_WEIGHT * found[0] + found[1]


def _around(mel: Tensor) -> Tensor:
    return nn.functional.pad(mel, (0, 0, BEFORE, AFTER), value=SILENCE)


@torch.no_grad()
def best_stretch(adapted: AdaptedListener, prompts: Sequence[ReadPrompt]) -> float:
    """Set the map to the stretch under which the prompts are likeliest; which one."""
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
    steps: int,
    seed: int,
    data: str = "",
) -> None:
    """The map, and low-rank changes of the lower half; resumes from the checkpoint.

    Raises ConfigError where the checkpoint is of other `data` (a digest).
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
        for group in optimiser.param_groups:
            group["lr"] = RATE * (1 - 0.9 * run.step / steps) * min(1.0, run.step / 10)
        nats = loss(adapted, [prompts[i] for i in chosen], augment)
        optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(nats)
        nn.utils.clip_grad_norm_(trained, 1.0)
        optimiser.step()
        run.log(ctc=nats.detach())
        if run.due():
            _save(run, adapted, optimiser, data)
    _save(run, adapted, optimiser, data)


def _save(run: Run, adapted: AdaptedListener, optimiser: torch.optim.Optimizer, data: str) -> None:
    model = adapted.state_dict()
    run.save({"model": model, "optimiser": optimiser.state_dict(), "data": data})


def _digest(base: Path, prompts: Sequence[ReadPrompt]) -> str:
    """Of what is learned, and of the listener that learns it."""
    heard = [p.text.encode() + p.mel.numpy().tobytes() for p in prompts]
    return digest([(base / "parity.json").read_bytes(), *heard])


@torch.no_grad()
def accuracy(listener: Listener, base: Path, prompts: Sequence[ReadPrompt]) -> dict[str, float]:
    """How well these are understood: phone and character error, and the share answered right."""
    listener.eval()
    part = read_part(base, "s2s")
    known = [q for q in questions(Split.TRAIN) if q.family in part.facts.get("families", q.family)]
    answers = {" ".join(words(q.text)): " ".join(words(q.reply)) for q in known}
    model, vocabulary = HybridS2S(s2s_config(part)), Vocabulary(part.facts["words"])
    fill(model, part)
    wrong, total, right, asked = [0, 0], [0, 0], 0, 0
    for prompt in prompts:
        mel = _around(prompt.mel)
        hearing = listener(mel[None, : len(mel) // 8 * 8])
        for kind, (logits, wanted) in enumerate(
            ((hearing.phones, phones(prompt.text)), (hearing.characters, characters(prompt.text)))
        ):
            wrong[kind] += Levenshtein.distance(best_path(logits[0], logits.shape[1]), wanted)
            total[kind] += len(wanted)
        if prompt.text in answers:
            asked += 1
            end = -(-(len(prompt.mel) + BEFORE) // 8)
            nothing = TargetReply("", np.zeros(0, np.int64), np.zeros((0, 0), np.int64))
            example = Example(hearing.states[0].numpy().astype(np.float16), end, nothing)
            right += " ".join(words(reply_text(model, vocabulary, example))) == answers[prompt.text]
    shares = {"phone_error": wrong[0] / total[0], "character_error": wrong[1] / total[1]}
    return {k: round(v, 4) for k, v in shares.items()} | {
        "answered_right": round(right / asked, 4) if asked else float("nan"),
        "prompts": len(prompts),
    }


def adapt(
    data: Path, base: Path, output: Path, run: Run, train_count: int, steps: int, seed: int = 3
) -> dict[str, Any]:
    """The whole of it; what it did, as it is printed. Raises ConfigError."""
    prompts = read_prompts(data)
    check_enough(data, len(prompts), train_count)
    taught, judged = prompts[:train_count], prompts[train_count:]
    before = accuracy(load_listener(base), base, judged)
    adapted = AdaptedListener(load_listener(base))
    factor = best_stretch(adapted, taught)
    train(adapted, taught, run, steps, seed, _digest(base, taught))
    listener = adapted.folded()
    after = accuracy(listener, base, judged)
    output.mkdir(parents=True, exist_ok=True)
    for path in [*base.glob("*.safetensors"), base / "parity.json", *base.glob(VOICES)]:
        shutil.copyfile(path, output / path.name)
    facts = {**read_part(base, "listener").facts, "adapted": f"{len(taught)} prompts, {run.step}"}
    write_part(output, "listener", listener, listener.config, facts)
    run.finish(**{f"{k}_after": v for k, v in after.items()})
    return {
        "stretch": factor,
        "before": before,
        "after": after,
        "steps": run.steps_of(steps),
        "weights": str(output),
    }
