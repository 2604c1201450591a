"""The assistant's voice, festival's cmu_us_slt_arctic_hts, as recordings with word times.

`synthesise` makes one recording of each text. The broad corpus, thousands of random strings of
ordinary words, teaches codec and vocoder the whole voice; the replies teach what the service says.
A shard is `<name>.npy` (int16, 24 kHz, all utterances end to end) and `<name>.jsonl` (text,
position, word times), in the folder `assistant` of the runs.
"""

import json
import random
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from scipy.signal import resample_poly
from tqdm import tqdm

from shared.audio import SAMPLE_RATE_HZ, Pcm16, pcm16_from_floats
from workers.training.questions import follow_ups
from workers.training.questions.catalogue import (
    Split,
    all_reply_texts,
    language_of,
    questions,
    words,
)
from workers.training.questions.lexicon import ordinary_words
from workers.training.questions.question_families import Language
from workers.training.questions.small_talk import UNKNOWN_REPLY
from workers.training.speech import spanish_pronunciation
from workers.training.speech.speech_library import festival, quotable
from workers.training.speech.waveforms import levelled, read_wave, sound_bounds

VOICE: Final = "cmu_us_slt_arctic_hts"  # 32 kHz, parametric; licences EST (CMU) and BSD-3
VOICE_RATE_HZ: Final = 32_000
HEAD_S: Final = 0.03  # silence kept before the sound
TAIL_S: Final = 0.06  # silence kept after it
FLOOR: Final = 0.02  # of the loudest 10 ms; quieter is silence: the voice's pauses lie near .002
BATCH: Final = 100  # utterances of one festival process
ORDINARY_WORDS: Final = 9_000
BROAD_UTTERANCES: Final = 1700
REPLIES: Final = 1600
HELD_OUT_UTTERANCES: Final = 60

PRELUDE: Final = f"""(voice_{VOICE})
(define (speak_to txt name)
  (let ((utt (eval (list 'Utterance 'Text txt))))
    (utt.synth utt)
    (utt.save.wave utt (string-append name ".wav") 'riff)
    (utt.save.words utt (string-append name ".words"))))
"""


@dataclass(frozen=True, slots=True)
class Utterance:
    """One recording: int16 samples at 24 kHz and (word, start, end) in seconds from its start."""

    text: str
    samples: Pcm16
    words: list[tuple[str, float, float]]


def synthesise(texts: Sequence[str]) -> list[Utterance]:
    """A trimmed recording of each text at -23 dBFS, the same each time. Needs `festival`."""
    found: list[Utterance] = []
    for start in tqdm(range(0, len(texts), BATCH), desc="assistant", mininterval=10):
        found.extend(_speak(texts[start : start + BATCH]))
    return found


def _speak(texts: Sequence[str]) -> list[Utterance]:
    """The recordings of one festival process, which gets Spanish words in English phones."""
    with tempfile.TemporaryDirectory(prefix="festival-") as name:
        folder = Path(name)
        foreign = [text for text in texts if language_of(text) is Language.SPANISH]
        lines = spanish_pronunciation.entries(foreign)
        for i, text in enumerate(texts):
            said = spanish_pronunciation.respelled(text) if text in foreign else text
            lines.append(f'(speak_to "{quotable(said)}" "{folder}/{i}")')
        script = folder / "batch.scm"
        script.write_text(PRELUDE + "\n".join(lines) + "\n")
        festival(script, VOICE, "festvox-us-slt-hts")
        found = [_read(text, folder / str(i)) for i, text in enumerate(texts)]
        return [_renamed(said) if said.text in foreign else said for said in found]


def _renamed(said: Utterance) -> Utterance:
    """A Spanish utterance with its own words in place of the names that festival got."""
    times = [(start_s, end_s) for _, start_s, end_s in said.words]
    named = zip(words(said.text), times, strict=True)
    return replace(said, words=[(word, *time) for word, time in named])


def _read(text: str, stem: Path) -> Utterance:
    """One synthesised file and its word ends -> a trimmed, levelled utterance at 24 kHz."""
    raw, rate_hz = read_wave(stem.with_suffix(".wav"))
    if rate_hz != VOICE_RATE_HZ:
        raise ValueError(f"Expected {VOICE_RATE_HZ} Hz from {VOICE}, got {rate_hz}")
    samples = resample_poly(raw, 3, 4).astype(np.float32)
    bounds = sound_bounds(samples, FLOOR, HEAD_S, TAIL_S)
    cut = samples[bounds]
    offset_s, length_s = bounds.start / SAMPLE_RATE_HZ, len(cut) / SAMPLE_RATE_HZ
    words = _words(stem.with_suffix(".words"), offset_s, length_s)
    return Utterance(text, pcm16_from_floats(levelled(cut)), words)


def _words(path: Path, offset_s: float, length_s: float) -> list[tuple[str, float, float]]:
    """Festival's `end 100 word` lines -> (word, start, end); a word starts where the last ends."""
    words: list[tuple[str, float, float]] = []
    last_s = 0.0
    for line in path.read_text().splitlines()[1:]:
        fields = line.split()
        end_s = min(max(float(fields[0]) - offset_s, last_s), length_s)
        words.append((fields[2], round(last_s, 4), round(end_s, 4)))
        last_s = end_s
    return words


def save_shard(runs: Path, name: str, utterances: Sequence[Utterance]) -> None:
    """Write a shard, its index last, so that an index means a complete shard."""
    folder = runs / "assistant"
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / f"{name}.npy", np.concatenate([u.samples for u in utterances]))
    start, lines = 0, []
    for said in utterances:
        row = {"text": said.text, "start": start, "samples": len(said.samples), "words": said.words}
        lines.append(json.dumps(row))
        start += len(said.samples)
    (folder / f"{name}.jsonl").write_text("\n".join(lines) + "\n")


def load_shard(runs: Path, name: str) -> list[Utterance]:
    """Read a shard back; samples are views of a memory map."""
    audio = np.load(runs / "assistant" / f"{name}.npy", mmap_mode="r")
    found = []
    for line in (runs / "assistant" / f"{name}.jsonl").read_text().splitlines():
        row = json.loads(line)
        samples = audio[row["start"] : row["start"] + row["samples"]]
        found.append(Utterance(row["text"], samples, [(w, s, e) for w, s, e in row["words"]]))
    return found


def broad_texts(seed: int = 7) -> Iterator[str]:
    """Endless strings of ordinary words, with punctuation that varies the voice's melody."""
    rng = random.Random(seed)
    words = ordinary_words(ORDINARY_WORDS)
    small = ["the", "a", "of", "to", "and", "is", "it", "you", "in", "for", "I", "with", "okay"]
    while True:
        chosen = [
            rng.choice(small) if rng.random() < 0.25 else rng.choice(words)
            for _ in range(rng.randint(3, 9))
        ]
        if len(chosen) > 5 and rng.random() < 0.4:
            chosen[2] += ","
        yield " ".join(chosen).capitalize() + rng.choice("....?!")


def replies(families: Sequence[str] = ()) -> list[str]:
    """A sample of the replies of some families (empty: all), for codec and vocoder to train on."""
    asked = questions(Split.TRAIN)
    texts = sorted({q.reply for q in asked if not families or q.family in families})
    often = {UNKNOWN_REPLY, follow_ups.NO_CONTEXT_REPLY, follow_ups.SURE_REPLY}
    return sorted(often | set(random.Random(8).sample(texts, min(REPLIES, len(texts)))))


def main(runs: Path, share: float = 1.0, families: Sequence[str] = ()) -> None:
    """Make the shards `heldout`, `broad`, `replies` and `spanish` if missing or out of date.

    A `share` below 1 is for trials; all of it takes about seven minutes.
    """
    texts = broad_texts()
    held_out = [next(texts) for _ in range(round(share * HELD_OUT_UTTERANCES))]
    broad = [next(texts) for _ in range(round(share * BROAD_UTTERANCES))]
    spanish = sorted(all_reply_texts(Language.SPANISH))
    spoken = {"replies": replies(families), "spanish": spanish}
    parts = {name: said[: max(1, round(share * len(said)))] for name, said in spoken.items()}
    for name, wanted in {"heldout": held_out, "broad": broad, **parts}.items():
        if not _holds(runs, name, wanted):
            save_shard(runs, name, synthesise(wanted))


def _holds(runs: Path, name: str, texts: Sequence[str]) -> bool:
    """Whether the shard exists and speaks exactly these texts."""
    there = (runs / "assistant" / f"{name}.jsonl").exists()
    return there and {said.text for said in load_shard(runs, name)} == set(texts)
