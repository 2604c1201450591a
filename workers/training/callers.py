"""The callers: which voices are trained, which are kept for the evaluation, and their corpus.

The split, held to in every stage:
- trained: espeak-ng accents x variants, flite kal, kal16, awb and slt;
- `UNSEEN_ESPEAK`: variants (and one accent) that no training hears, of an engine it knows;
- `UNSEEN_FLITE`: flite rms, a voice whose engine is known through two other speakers;
- `NEVER_HEARD`: festival's diphone engine, with `ked` a speaker heard nowhere (festival's `kal` is
  the speaker of flite's kal, so it is the easier one).
A shard of the listener's corpus is `<name>.npy` (log-mel frames, float16, end to end) and
`<name>.jsonl` (text, voice, start, frames).
"""

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from workers.models.mel import LogMel
from workers.training.tts import Job, Voice, speak
from workers.training.words import broad_text, unheard_text

Mels = NDArray[np.float16]  # (T, 80)

_ACCENTS: Final = (
    "gmw/en-US", "gmw/en-US", "gmw/en-US", "gmw/en", "gmw/en", "gmw/en-GB-x-rp",
    "gmw/en-GB-scotland", "gmw/en-GB-x-gbclan", "gmw/en-GB-x-gbcwmd", "gmw/en-029",
)  # fmt: skip
_VARIANTS: Final = (
    "m1 m2 m3 m5 m7 m8 f1 f2 f3 f5 Alex Alicia Andy Annie Denis Diogo Gene Henrique Hugo Jacky Lee "
    "Marco Mario Michael Mike adam anika antonio aunty boris caleb ed edward gustave iven iven2 "
    "john kaukovalta klatt klatt2 klatt3 klatt4 marcelo max michel miguel norbert pablo paul pedro "
    "quincy rob robert sandro steph steph2 travis zac"
).split()
_UNSEEN_VARIANTS: Final = (
    "m4 m6 f4 Andrea belinda benjamin david edward2 grandma grandpa klatt5 linda shelby victor"
).split()
_UNSEEN_ACCENTS: Final = ("gmw/en-US", "gmw/en", "gmw/en-US-nyc")

TRAINED_ESPEAK: Final = tuple(
    Voice("espeak", f"{accent}+{variant}")
    for accent in dict.fromkeys(_ACCENTS)
    for variant in _VARIANTS
)
TRAINED_FLITE: Final = tuple(
    Voice("flite", name) for name in ("cmu_us_awb", "cmu_us_slt", "cmu_us_kal16", "cmu_us_kal")
)
UNSEEN_ESPEAK: Final = tuple(
    Voice("espeak", f"{accent}+{variant}")
    for accent in _UNSEEN_ACCENTS
    for variant in _UNSEEN_VARIANTS
)
UNSEEN_FLITE: Final = (Voice("flite", "cmu_us_rms"),)
NEVER_HEARD: Final = (Voice("festival", "ked_diphone"), Voice("festival", "kal_diphone"))

# Share of flite in training, drawn again for each batch. Measured: with 3 % the phone error on rms
# was .53, with 35 % it was .35.
FLITE_SHARE: Final = 0.38
SHARD_UTTERANCES: Final = 1500
SHARDS: Final = 12
EVALUATION_UTTERANCES: Final = 60


def trained_voice(rng: random.Random) -> Voice:
    """A voice of the training: 62 % espeak-ng, accents weighted towards American."""
    if rng.random() < FLITE_SHARE:
        return rng.choices(TRAINED_FLITE, (3, 3, 2, 1))[0]
    return Voice("espeak", f"{rng.choice(_ACCENTS)}+{rng.choice(_VARIANTS)}")


def varied(voice: Voice, text: str, rng: random.Random) -> Job:
    """The text in this voice, with a speed, pitch and speaker size of its own."""
    return Job(
        voice,
        text,
        rate=rng.uniform(0.8, 1.25),
        pitch=rng.uniform(0.75, 1.35),
        size=rng.choice((1.0, rng.uniform(0.88, 1.14))),
    )


@dataclass(frozen=True, slots=True)
class Heard:
    """One utterance of the corpus: its mels are a view of a memory map."""

    text: str
    voice: str
    mels: Mels


def mels_of(jobs: Sequence[Job]) -> list[Mels]:
    """Speak the jobs and take their log-mel frames, each (T, 80) float16."""
    front = LogMel()
    with torch.no_grad():
        return [
            front(torch.from_numpy(samples)[None])[0].numpy().astype(np.float16)
            for samples in speak(jobs)
        ]


def save_shard(folder: Path, name: str, jobs: Sequence[Job]) -> None:
    """Speak the jobs into a shard; the index is written last, so that it means a whole shard."""
    folder.mkdir(parents=True, exist_ok=True)
    mels: list[Mels] = []
    for start in tqdm(range(0, len(jobs), 100), desc=name, mininterval=10):
        mels.extend(mels_of(jobs[start : start + 100]))
    np.save(folder / f"{name}.npy", np.concatenate(mels))
    lines, start = [], 0
    for job, frames in zip(jobs, mels, strict=True):
        row = {"text": job.text, "voice": str(job.voice), "start": start, "frames": len(frames)}
        lines.append(json.dumps(row))
        start += len(frames)
    (folder / f"{name}.jsonl").write_text("\n".join(lines) + "\n")


def load_shard(folder: Path, name: str) -> list[Heard]:
    """Read a shard; its mels stay on disk until they are used."""
    frames = np.load(folder / f"{name}.npy", mmap_mode="r")
    rows = map(json.loads, (folder / f"{name}.jsonl").read_text().splitlines())
    return [
        Heard(r["text"], r["voice"], frames[r["start"] : r["start"] + r["frames"]]) for r in rows
    ]


def load_training(folder: Path) -> list[Heard]:
    """All whole training shards."""
    names = sorted(path.stem for path in folder.glob("train*.jsonl"))
    return [heard for name in names for heard in load_shard(folder, name)]


def training_jobs(shard: int) -> list[Job]:
    """The jobs of one training shard, a function of its number."""
    rng = random.Random(1000 + shard)
    return [varied(trained_voice(rng), broad_text(rng), rng) for _ in range(SHARD_UTTERANCES)]


def evaluation_jobs(voices: Sequence[Voice], make: Callable[[random.Random], str]) -> list[Job]:
    """Jobs in these voices at their own speed, pitch and size."""
    rng = random.Random(99)
    return [Job(rng.choice(voices), make(rng)) for _ in range(EVALUATION_UTTERANCES)]


EVALUATIONS: Final = {
    "trained": TRAINED_ESPEAK + TRAINED_FLITE,
    "espeak": UNSEEN_ESPEAK,
    "rms": UNSEEN_FLITE,
    "ked": NEVER_HEARD[:1],
    "kal": NEVER_HEARD[1:],
}  # each is evaluated on words never spoken in training


def main(minutes: float, runs: Path, preset: str, first: int = 0, every: int = 1) -> None:
    """Make the shards that are not there yet; `first` and `every` share them among processes."""
    del minutes, preset  # about fifteen core-minutes
    folder = runs / "callers"
    torch.set_num_threads(1)
    for shard in range(first, SHARDS, every):
        if not (folder / f"train{shard:02d}.jsonl").exists():
            save_shard(folder, f"train{shard:02d}", training_jobs(shard))
    if first:
        return
    for name, voices in EVALUATIONS.items():
        if not (folder / f"eval_{name}.jsonl").exists():
            save_shard(folder, f"eval_{name}", evaluation_jobs(voices, unheard_text))
