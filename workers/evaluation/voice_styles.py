"""Measures voices and styles: pitch, melody, level, and how well the judge recognises each.

Recordings of the same replies pass the codec and come out in every voice and style, as rows of one
batch, as in service. An autocorrelation measures the pitch in the sound itself. A reply is right if
the evaluation's judge recognises it.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch import Tensor

from shared.audio import Floats, Pcm16, pcm16_from_floats
from shared.voices import Persona
from workers.evaluation.figures import interval
from workers.evaluation.judge import says
from workers.models.mel import LogMel
from workers.models.voice.voice import Voice, load_voice
from workers.training.questions.catalogue import all_reply_texts
from workers.training.speech.assistant import synthesise
from workers.training.speech.clips import HOP, padded, pitch

REPLIES: Final = 60
LOW_HZ: Final = 60.0  # bounds of any voice's pitch
HIGH_HZ: Final = 400.0
BEGIN: Final = "<!-- voices: begin -->"
END: Final = "<!-- voices: end -->"

HEAD: Final = """## Voices and styles

Codec and vocoder resynthesised the recordings of {replies} replies in every voice and style. An
autocorrelation of the sound measured the pitch and the melody (the range of the middle 80 % of the
pitch, in semitones). **Right** is as above, by the same judge.

| voice | style | pitch, Hz | melody, semitones | level, dBFS | right (95 % interval) |
|---|---|---|---|---|---|
"""
TAIL: Final = "\nMade by `make voices`, which writes `voices.json` beside the weights.\n"


@dataclass(frozen=True, slots=True)
class StyleRow:
    """One voice in one style."""

    voice: str
    style: str
    replies: int
    pitch_hz: float  # median
    melody_semitones: float  # from the 10th to the 90th percentile
    level_dbfs: float
    right: float
    low: float  # 95 % interval of `right`
    high: float

    @classmethod
    def of(cls, persona: Persona, sounds: Sequence[Floats], right: Sequence[bool]) -> "StyleRow":
        """From the replies' sounds, float32 at 24 kHz, and whether the judge recognised each."""
        low, middle, high = np.percentile(np.concatenate([*map(_pitches, sounds)]), (10, 50, 90))
        level = 10 * np.log10(np.mean(np.concatenate(sounds) ** 2))
        return cls(
            persona.voice,
            persona.style,
            len(sounds),
            round(float(middle), 1),
            round(float(12 * np.log2(high / low)), 2),
            round(float(level), 1),
            sum(right) / len(right),
            *interval(sum(right), len(right)),
        )

    def line(self) -> str:
        """The row in Markdown."""
        return (
            f"| {self.voice} | {self.style} | {self.pitch_hz:.0f} | {self.melody_semitones:.1f} "
            f"| {self.level_dbfs:.1f} | **{self.right:.0%}** ({self.low:.0%} to {self.high:.0%}) |"
        )


def measure(weights: Path, count: int = REPLIES) -> list[StyleRow]:
    """A row for every voice and style of the weights, on `count` replies."""
    offer = load_voice(weights, 1).offer
    personas = [Persona(*names) for names in product(offer.voices, offer.styles)]
    voice = load_voice(weights, len(personas))
    texts = sorted({text for text in all_reply_texts() if text})
    said = synthesise(texts[:: max(1, len(texts) // count)][:count])
    sounds: list[list[Floats]] = [[] for _ in personas]
    right: list[list[bool]] = [[] for _ in personas]
    for utterance in said:
        for at, sound in enumerate(spoken(voice, utterance.samples, personas)):
            sounds[at].append(sound)
            right[at].append(says(pcm16_from_floats(sound), utterance.text))
    found = zip(personas, sounds, right, strict=True)
    return [StyleRow.of(*parts) for parts in found]


def _pitches(sound: Floats) -> Floats:
    """The pitch in Hertz of the voiced frames of a sound (N,)."""
    whole = torch.from_numpy(sound[: len(sound) // HOP * HOP])
    found = pitch(whole, LOW_HZ, HIGH_HZ)
    voiced: Floats = found[found > 0].numpy()
    return voiced


@torch.inference_mode()
def spoken(voice: Voice, recording: Pcm16, personas: Sequence[Persona]) -> list[Floats]:
    """A recording through the codec in each persona's voice: float32 (N,), N as recorded."""
    samples = torch.from_numpy(padded(recording))[None]
    codes = voice.codec.encode(LogMel()(samples)).repeat(len(personas), 1, 1)  # (P, T, Q)
    rows = torch.arange(len(personas))
    voice.reset(rows, personas)
    parts: list[Tensor] = [voice.step(codes[:, t], rows) for t in range(codes.shape[1])]
    late = torch.cat([*parts, voice.flush(rows)], dim=1)
    return list(late[:, voice.delay_samples :].numpy())


def section(rows: Sequence[StyleRow]) -> str:
    """The rows as a section of docs/evaluation.md, between its markers."""
    lines = "\n".join(row.line() for row in rows)
    head = HEAD.format(replies=rows[0].replies)
    return f"{BEGIN}\n{head}{lines}\n{TAIL}{END}\n"


def placed(document: str, text: str) -> str:
    """The document with its section replaced by this one, or with this one at its end."""
    before, begin, rest = document.partition(BEGIN)
    if not begin:
        return f"{document.rstrip()}\n\n{text}"
    return before + text.rstrip("\n") + rest.partition(END)[2]


def main(weights: Path, output: Path, count: int = REPLIES) -> list[StyleRow]:
    """Measure, and write voices.json beside the weights and the section of docs/evaluation.md."""
    torch.set_num_threads(1)
    rows = measure(weights, count)
    (weights / "voices.json").write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n")
    path = output / "docs" / "evaluation.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(placed(path.read_text() if path.exists() else "", section(rows)))
    print(section(rows))
    return rows
