"""The callers' voices, split into trained and unseen ones, and the corpus of the evaluations.

Every stage keeps to this split:
- trained: espeak-ng accents x variants, flite kal, kal16, awb and slt;
- `UNSEEN_ESPEAK`: variants and one accent that no training uses, of a trained engine;
- `UNSEEN_FLITE`: flite rms, a voice of an engine that training knows by two other speakers;
- `UNSEEN_FESTIVAL`: an engine that no training uses, festival's diphone synthesiser. Its `ked` is a
  new speaker. Its `kal` is the speaker of flite's kal, and so the easier one.

Training synthesises its speech as it goes (`caller_stream.py`). The evaluations' speech is kept in
shards: `<name>.npy` (log-mel frames, float16, end to end) and `<name>.jsonl` (text, voice, start,
frames).
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

from shared.audio import Floats
from workers.models.mel import LogMel
from workers.training.questions.listener_texts import untrained_text
from workers.training.questions.question_families import Language
from workers.training.speech import spanish_pronunciation
from workers.training.speech.acoustics import with_fixed_noise
from workers.training.speech.tts import SpeechJob, TtsVoice, speak

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
    TtsVoice("espeak", f"{accent}+{variant}")
    for accent in dict.fromkeys(_ACCENTS)
    for variant in _VARIANTS
)
TRAINED_FLITE: Final = tuple(
    TtsVoice("flite", name) for name in ("cmu_us_awb", "cmu_us_slt", "cmu_us_kal16", "cmu_us_kal")
)
UNSEEN_ESPEAK: Final = tuple(
    TtsVoice("espeak", f"{accent}+{variant}")
    for accent in _UNSEEN_ACCENTS
    for variant in _UNSEEN_VARIANTS
)
UNSEEN_FLITE: Final = (TtsVoice("flite", "cmu_us_rms"),)
UNSEEN_FESTIVAL: Final = (TtsVoice("festival", "ked_diphone"), TtsVoice("festival", "kal_diphone"))

_SPANISH_ACCENTS: Final = (spanish_pronunciation.CASTILIAN, spanish_pronunciation.AMERICAN)


def _spanish(variants: Sequence[str]) -> tuple[TtsVoice, ...]:
    return tuple(
        TtsVoice("espeak", f"{accent}+{variant}", Language.SPANISH)
        for accent in _SPANISH_ACCENTS
        for variant in variants
    )


TRAINED_SPANISH: Final = _spanish(_VARIANTS)
UNSEEN_SPANISH: Final = _spanish(_UNSEEN_VARIANTS)
# ked again: neither its engine nor its accent, American Spanish, occurs in training.
UNSEEN_FESTIVAL_SPANISH: Final = (TtsVoice("festival", "ked_diphone", Language.SPANISH),)

EVALUATION_UTTERANCES: Final = 60
NOISE_DB: Final = 10.0  # of the evaluation in noise


@dataclass(frozen=True, slots=True)
class VoiceGroup:
    """Voices of similar cost, with their share of the training and their utterances' reuse."""

    voices: tuple[TtsVoice, ...]
    weights: tuple[int, ...]
    share: float
    reuse: float  # how often an utterance is drawn before a new one replaces it
    capacity: int = 3000  # utterances kept, about 0.4 GB


# The shares were measured: with 3 % of flite the phone error on rms was .53, with 35 % it was .35.
# The statistical voices take a fiftieth of real time, the others a thousandth.
VOICE_GROUPS: Final = (
    VoiceGroup(
        TRAINED_ESPEAK,
        tuple(_ACCENTS.count(voice.name.partition("+")[0]) for voice in TRAINED_ESPEAK),
        share=0.52,
        reuse=2.0,
    ),
    VoiceGroup(TRAINED_FLITE[:2], (1, 1), share=0.36, reuse=9.0),
    VoiceGroup(TRAINED_FLITE[2:], (2, 1), share=0.12, reuse=2.0),
)
# The language model's training adds Spanish turns; their share is relative to the English ones.
SPANISH_VOICE_GROUPS: Final = (
    VoiceGroup(TRAINED_SPANISH, (1,) * len(TRAINED_SPANISH), share=0.09, reuse=2.0, capacity=600),
)


def varied(voice: TtsVoice, text: str, rng: random.Random) -> SpeechJob:
    """The text in this voice, with a random speed, pitch and speaker size.

    The two statistical voices vary most, so that a third one is not out of range.
    """
    wide = voice in VOICE_GROUPS[1].voices
    return SpeechJob(
        voice,
        text,
        rate=rng.uniform(0.8, 1.25),
        pitch=rng.uniform(0.62, 1.45) if wide else rng.uniform(0.75, 1.35),
        size=rng.choice((1.0, rng.uniform(0.82, 1.2) if wide else rng.uniform(0.88, 1.14))),
    )


@dataclass(frozen=True, slots=True)
class CallerUtterance:
    """One utterance; those of a shard have mels that are a view of a memory map."""

    text: str
    voice: str
    mels: Mels


@torch.no_grad()
def mels_of(samples: Floats) -> Mels:
    """Samples (N,) -> log-mel frames (T, 80) float16."""
    mels: Mels = LogMel()(torch.from_numpy(samples)[None])[0].numpy().astype(np.float16)
    return mels


def save_shard(
    folder: Path, name: str, jobs: Sequence[SpeechJob], noise_db: float | None = None
) -> None:
    """Synthesise the jobs into a shard, with noise at `noise_db` below the speech unless None.

    The index is written last, so an index means a complete shard.
    """
    folder.mkdir(parents=True, exist_ok=True)
    spoken = speak(jobs)
    if noise_db is not None:
        spoken = [with_fixed_noise(samples, noise_db, seed) for seed, samples in enumerate(spoken)]
    mels = [mels_of(samples) for samples in spoken]
    np.save(folder / f"{name}.npy", np.concatenate(mels))
    lines, start = [], 0
    for job, frames in zip(jobs, mels, strict=True):
        row = {"text": job.text, "voice": str(job.voice), "start": start, "frames": len(frames)}
        lines.append(json.dumps(row))
        start += len(frames)
    (folder / f"{name}.jsonl").write_text("\n".join(lines) + "\n")


def load_shard(folder: Path, name: str) -> list[CallerUtterance]:
    """Read a shard; its mels stay on disk until they are used."""
    frames = np.load(folder / f"{name}.npy", mmap_mode="r")
    rows = map(json.loads, (folder / f"{name}.jsonl").read_text().splitlines())
    return [
        CallerUtterance(r["text"], r["voice"], frames[r["start"] : r["start"] + r["frames"]])
        for r in rows
    ]


def evaluation_jobs(
    voices: Sequence[TtsVoice], make: Callable[[random.Random], str]
) -> list[SpeechJob]:
    """Jobs in these voices, at each voice's own speed, pitch and size."""
    rng = random.Random(99)
    return [SpeechJob(rng.choice(voices), make(rng)) for _ in range(EVALUATION_UTTERANCES)]


# Each speaks words that training never speaks; `noise` is at NOISE_DB.
EVALUATIONS: Final = {
    "trained": TRAINED_ESPEAK + TRAINED_FLITE,
    "espeak": UNSEEN_ESPEAK,
    "noise": UNSEEN_ESPEAK,
    "rms": UNSEEN_FLITE,
    "ked": UNSEEN_FESTIVAL[:1],
    "kal": UNSEEN_FESTIVAL[1:],
}


def main(runs: Path) -> None:
    """Synthesise the missing shards on which the listener is evaluated."""
    for name, voices in EVALUATIONS.items():
        if not (runs / "callers" / f"eval_{name}.jsonl").exists():
            noise_db = NOISE_DB if name == "noise" else None
            jobs = evaluation_jobs(voices, untrained_text)
            save_shard(runs / "callers", f"eval_{name}", jobs, noise_db)
