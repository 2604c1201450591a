"""The renditions as the frozen listener hears them: cached states of several distorted copies.

A language model that meets each rendition once too often learns the rendition. So every copy has
its own distortions, tempo, and silence before and after. A cache shard is `<name>.npy` (states,
float16, end to end) and `<name>.jsonl` (text, start, steps, end of speech), in runs/heard.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F
from tqdm import tqdm

from workers.models.tokenizer.listener import Listener
from workers.training import renditions
from workers.training.augment import SILENCE, Augmenter, Strength
from workers.training.callers import Heard, load_shard

STEP: Final = 8  # mel frames
BEFORE: Final = (20, 64)  # frames heard before speech: the runtime's pre-roll is about 400 ms
TAIL: Final = 12  # steps heard after the end of speech
LONG_TAIL: Final = 36  # of a fifth: stream mode hears on while it speaks
LONG_SHARE: Final = 0.2  # of the batches
BATCH: Final = 48
UNKNOWN: Final = 110  # utterances of unknown words, a shard
NOISES: Final = 12  # rows of noise alone, a shard
# Milder than the listener's own training: what it cannot hear, the model cannot learn.
STRENGTH: Final = Strength(
    warp=(0.9, 1.12),
    stretch=(0.88, 1.15),
    narrow=0.1,
    noise_db=(12.0, 50.0),
    quiet=0.35,
    babble=0.05,
    room=0.3,
    masks=1,
    mask_frames=6,
    mask_bins=6,
)

States = NDArray[np.float16]


@dataclass(frozen=True, slots=True)
class Turn:
    """One rendition as heard: `end` is the first step after speech. `text` '' is noise alone."""

    text: str
    states: States  # (T, W), a view of a memory map
    end: int


def placed(
    utterances: Sequence[Heard], augment: Augmenter, rng: np.random.Generator
) -> Iterator[tuple[Tensor, int]]:
    """Distorted mels (F, M), F in whole steps, of each utterance with silence around; and `end`."""
    before = rng.integers(*BEFORE, size=len(utterances))
    lengths = torch.tensor([len(u.mels) + b for u, b in zip(utterances, before, strict=True)])
    mels = torch.full((len(utterances), int(lengths.max()), 80), SILENCE)
    for row, heard, start in zip(mels, utterances, before, strict=True):
        row[start : start + len(heard.mels)] = torch.from_numpy(heard.mels.astype(np.float32))
    mels, lengths = augment.tempo(mels, lengths)
    ends = -(-lengths // STEP)
    tail = LONG_TAIL if rng.random() < LONG_SHARE else TAIL
    mels = F.pad(mels, (0, 0, 0, (tail + 1) * STEP), value=SILENCE)
    mels = augment.masks(augment.noise(augment.line(augment.room(augment.warp(mels)))))
    for row, end in zip(mels, ends.tolist(), strict=True):
        yield row[: (end + tail) * STEP], end


def plain(utterances: Sequence[Heard]) -> Iterator[tuple[Tensor, int]]:
    """Undistorted mels for checks: 400 ms of silence before, TAIL steps after."""
    for heard in utterances:
        mel = torch.from_numpy(heard.mels.astype(np.float32))
        end = -(-(len(mel) + 5 * STEP) // STEP)
        whole = (end + TAIL) * STEP
        yield F.pad(mel, (0, 0, 5 * STEP, whole - len(mel) - 5 * STEP), value=SILENCE), end


@torch.no_grad()
def listened(listener: Listener, mels: Sequence[Tensor]) -> list[States]:
    """Mels (F, M) of similar length -> states (F // 8, W) float16."""
    with torch.autocast("cpu", dtype=torch.bfloat16):
        batch = torch.nn.utils.rnn.pad_sequence(list(mels), batch_first=True)
        states = listener.eval()(batch).states.float().numpy().astype(np.float16)
    return [row[: len(mel) // STEP] for row, mel in zip(states, mels, strict=True)]


def save(folder: Path, name: str, turns: Sequence[Turn]) -> None:
    """Write a shard; the index last, so that it means a whole shard."""
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / f"{name}.npy", np.concatenate([turn.states for turn in turns]))
    lines, start = [], 0
    for turn in turns:
        row = {"text": turn.text, "start": start, "steps": len(turn.states), "end": turn.end}
        lines.append(json.dumps(row))
        start += len(turn.states)
    partial = folder / f"{name}.partial"
    partial.write_text("\n".join(lines) + "\n")
    partial.rename(folder / f"{name}.jsonl")


def load(folder: Path, name: str) -> list[Turn]:
    """Read a shard; states stay on disk until they are used."""
    states = np.load(folder / f"{name}.npy", mmap_mode="r")
    rows = map(json.loads, (folder / f"{name}.jsonl").read_text().splitlines())
    return [Turn(r["text"], states[r["start"] : r["start"] + r["steps"]], r["end"]) for r in rows]


def encode_copy(
    listener: Listener, utterances: Sequence[Heard], augment: Augmenter, seed: int
) -> list[Turn]:
    """One distorted copy of each utterance."""
    rng = np.random.default_rng(seed)
    order = np.argsort([len(heard.mels) for heard in utterances], kind="stable")
    turns: list[Turn] = []
    for start in range(0, len(order), BATCH):
        batch = [utterances[i] for i in order[start : start + BATCH]]
        mels, ends = zip(*placed(batch, augment, rng), strict=True)
        states = listened(listener, mels)
        turns += [
            Turn(heard.text, s, end) for heard, s, end in zip(batch, states, ends, strict=True)
        ]
    return turns


def encode_check(listener: Listener, utterances: Sequence[Heard]) -> list[Turn]:
    """Each utterance as it is."""
    turns: list[Turn] = []
    for start in range(0, len(utterances), BATCH):
        batch = utterances[start : start + BATCH]
        mels, ends = zip(*plain(batch), strict=True)
        states = listened(listener, mels)
        turns += [Turn(h.text, s, e) for h, s, e in zip(batch, states, ends, strict=True)]
    return turns


def noise_alone(count: int, seed: int) -> list[Heard]:
    """`count` recordings of nothing but a click: what the VAD takes for speech at times."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        mels = np.full((int(rng.integers(20, 120)), 80), SILENCE, dtype=np.float16)
        at = int(rng.integers(0, len(mels) - 8))
        mels[at : at + 8] = (rng.standard_normal((8, 80)) - 4).astype(np.float16)
        found.append(Heard("", "noise", mels))
    return found


def unknown(runs: Path, shard: int, asked: set[str]) -> list[Heard]:
    """Broad speech that is no question, for one shard."""
    names = sorted(path.stem for path in (runs / "callers").glob("train*.jsonl"))
    broad = load_shard(runs / "callers", names[shard % len(names)])
    other = [heard for heard in broad if heard.text not in asked and len(heard.text.split()) > 2]
    start = shard * UNKNOWN % max(1, len(other) - UNKNOWN)
    return [Heard("", h.voice, h.mels) for h in other[start : start + UNKNOWN]]


def main(runs: Path, listener: Listener, copies: int, first: int = 0, every: int = 1) -> None:
    """Encode the shards that are not there yet; `first` and `every` share them."""
    torch.set_num_threads(1)
    folder = runs / "heard"
    asked = set(renditions.by_text())
    for condition in renditions.CONDITIONS if first == 0 else ():
        name = f"check_{condition}"
        if not (folder / f"{name}.jsonl").exists():
            save(folder, name, encode_check(listener, load_shard(runs / "renditions", name)))
    names = sorted(path.stem for path in (runs / "renditions").glob("train*.jsonl"))
    plan = [(copy, shard) for copy in range(copies) for shard in range(len(names))][first::every]
    for copy, shard in tqdm(plan, desc="heard", mininterval=10):
        name = f"train{copy:02d}{shard:02d}"
        if (folder / f"{name}.jsonl").exists():
            continue
        seed = 100 * copy + shard
        spoken = load_shard(runs / "renditions", names[shard])
        spoken += unknown(runs, seed, asked) + noise_alone(NOISES, seed)
        save(folder, name, encode_copy(listener, spoken, Augmenter(STRENGTH, seed), seed))
