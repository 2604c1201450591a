"""Writes synthetic conversations in the fine-tuning layout, to try it and as an example.

Many voices ask the questions of one company, which the shipped model does not know, and the
assistant's voice answers. A voice outside these conversations asks in the recording `new.wav`.
"""

import json
from pathlib import Path
from typing import Final

import numpy as np
import soundfile

from shared.audio import SAMPLE_RATE_HZ, Floats, floats_from_pcm16
from workers.training.speech.assistant import Utterance, synthesise
from workers.training.speech.callers import TRAINED_ESPEAK, UNSEEN_ESPEAK
from workers.training.speech.tts import SpeechJob, TtsVoice, speak

ANSWERS: Final = {
    "when does the bakery open?": "the bakery opens at seven in the morning.",
    "do you have rye bread?": "yes, we bake rye bread on fridays.",
    "can i order a birthday cake?": "of course, a birthday cake takes two days.",
    "where can i park my car?": "you can park behind the house.",
    "how much is a croissant?": "a croissant is two euros.",
    "may i bring my dog?": "dogs are welcome on the terrace.",
}
ROUNDS: Final = 14  # voices that ask every question, each in a recording of its own
PAUSE_S: Final = (0.7, 1.3)
ROOM: Final = 0.0004  # RMS


def _caller(number: int) -> TtsVoice:
    return TRAINED_ESPEAK[(number * 17) % len(TRAINED_ESPEAK)]


def main(folder: Path) -> None:
    """Write the recordings, their transcripts and data.jsonl; and `new.wav` beside them."""
    folder.mkdir(parents=True, exist_ok=True)
    answers = {said.text: said for said in synthesise(list(ANSWERS.values()))}
    rng = np.random.default_rng(4)
    lines = []
    for number in range(ROUNDS):
        asked = [str(text) for text in rng.permutation(list(ANSWERS))]
        path = folder / f"{number:02d}.wav"
        length_s = _record(path, _caller(number), asked, answers, rng)
        lines.append(json.dumps({"path": path.name, "duration": round(length_s, 3)}))
    (folder / "data.jsonl").write_text("\n".join(lines) + "\n")
    first = speak([SpeechJob(UNSEEN_ESPEAK[3], next(iter(ANSWERS)))])[0]
    soundfile.write(folder / "new.wav", first, SAMPLE_RATE_HZ, subtype="PCM_16")


def _record(
    path: Path,
    voice: TtsVoice,
    asked: list[str],
    answers: dict[str, Utterance],
    rng: np.random.Generator,
) -> float:
    """Write one stereo recording and its transcript; return its length in seconds."""
    left: list[Floats] = []
    right: list[Floats] = []
    alignments: list[object] = []
    jobs = [SpeechJob(voice, text, float(rng.uniform(0.85, 1.15))) for text in asked]
    for text, question in zip(asked, speak(jobs), strict=True):
        answer = answers[ANSWERS[text]]
        begin = sum(map(len, left))
        pauses = [round(rng.uniform(*PAUSE_S) * SAMPLE_RATE_HZ) for _ in range(2)]
        at_s = (begin + len(question) + sum(pauses)) / SAMPLE_RATE_HZ
        said = floats_from_pcm16(np.asarray(answer.samples))
        before = np.zeros(len(question) + sum(pauses), np.float32)
        left += [before, said]
        right += [np.pad(question, (pauses[0], pauses[1])), np.zeros(len(said), np.float32)]
        alignments += [[w, [at_s + a, at_s + b], "SPEAKER_MAIN"] for w, a, b in answer.words]
    both = np.stack([np.concatenate(left), np.concatenate(right)], axis=1)
    both += ROOM * rng.standard_normal(both.shape, dtype=np.float32)
    soundfile.write(path, both, SAMPLE_RATE_HZ, subtype="PCM_16")
    path.with_suffix(".json").write_text(json.dumps({"alignments": alignments}))
    return len(both) / SAMPLE_RATE_HZ
