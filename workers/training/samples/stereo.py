"""Reads recorded conversations: stereo WAVs and transcripts, in the layout of moshi-finetune.

    data.jsonl       a line a conversation: {"path": "calls/a.wav", "duration": 61.2}
    calls/a.wav      two channels: left the assistant, right the caller; any sample rate
    calls/a.json     {"alignments": [["hello", [0.46, 0.81], "SPEAKER_MAIN"], ...]}

SPEAKER_MAIN is the assistant; words of other speakers are optional. The error lists all problems of
a folder at once, each with its file, what was expected, what was found and what to do.
"""

import json
import re
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import numpy as np
import soundfile
from scipy.signal import resample_poly

from shared.audio import SAMPLE_RATE_HZ, Floats
from shared.errors import ConfigError

INDEX: Final = "data.jsonl"
ASSISTANT: Final = "SPEAKER_MAIN"
SLACK_S: Final = 0.25  # tolerance of a stated duration or a word's end
MOST_PROBLEMS: Final = 20  # listed in full
_WORD: Final = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")


class DataError(ConfigError):
    """The folder does not follow this layout."""


@dataclass(frozen=True, slots=True)
class TimedWord:
    """One word of the assistant: lower case, without punctuation."""

    text: str
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class StereoRecording:
    """One recording. Both channels (N,) float32 in [-1, 1] at 24 kHz."""

    name: str
    assistant: Floats
    caller: Floats
    words: tuple[TimedWord, ...]


def plain_words(text: str) -> list[str]:
    """The words of a text in any alphabet: lower case, apostrophes kept."""
    return [word.replace("’", "'") for word in _WORD.findall(text.lower())]


def read_folder(folder: Path) -> list[StereoRecording]:
    """Every conversation of the folder. Raises DataError naming every problem."""
    index = folder / INDEX
    if not index.exists():
        raise DataError(
            f"Expected {index}, got none: write one line for each conversation, "
            '{"path": "calls/a.wav", "duration": 61.2}'
        )
    found: list[StereoRecording] = []
    problems: list[str] = []
    for number, line in enumerate(index.read_text().splitlines(), 1):
        if line.strip():
            try:
                found.append(_conversation(folder, f"{index.name} line {number}", line))
            except DataError as error:
                problems.append(str(error))
    if not found and not problems:
        problems.append(f"{index}: Expected at least one line, got an empty file")
    if problems:
        more = len(problems) - MOST_PROBLEMS
        rest = [f"... and {more} more"] if more > 0 else []
        raise DataError("\n  ".join([f"{folder}:", *problems[:MOST_PROBLEMS], *rest]))
    return found


def _conversation(folder: Path, where: str, line: str) -> StereoRecording:
    entry = _json(line, where)
    if not isinstance(entry, dict) or not isinstance(entry.get("path"), str):
        raise DataError(f'{where}: Expected an object with "path", got {line[:80]}')
    path = folder / entry["path"]
    assistant, caller = _channels(path, where)
    length_s = len(assistant) / SAMPLE_RATE_HZ
    stated = entry.get("duration", length_s)
    if not isinstance(stated, int | float) or abs(stated - length_s) > SLACK_S:
        raise DataError(
            f"{where}: Expected the duration of {entry['path']}, {length_s:.2f} s, got {stated}: "
            "correct the line, or leave duration out"
        )
    return StereoRecording(entry["path"], assistant, caller, _words(path, length_s))


def _json(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise DataError(f"{where}: Expected JSON, got {text[:60]!r} ({error})") from error


def _channels(path: Path, where: str) -> tuple[Floats, Floats]:
    if not path.exists():
        raise DataError(f"{where}: Expected the recording {path}, got no such file")
    try:
        samples, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise DataError(f"{path}: Expected a WAV file, got {error}: convert it") from error
    if samples.shape[1] != 2:
        raise DataError(
            f"{path}: Expected 2 channels (left the assistant, right the caller), got "
            f"{samples.shape[1]}: record the two sides separately; mixed recordings do not work"
        )
    ratio = Fraction(SAMPLE_RATE_HZ, rate_hz)
    if ratio != 1:
        samples = resample_poly(samples, ratio.numerator, ratio.denominator).astype(np.float32)
    return np.ascontiguousarray(samples[:, 0]), np.ascontiguousarray(samples[:, 1])


def _words(recording: Path, length_s: float) -> tuple[TimedWord, ...]:
    path = recording.with_suffix(".json")
    if not path.exists():
        raise DataError(
            f"{recording}: Expected its transcript {path.name} beside it, got none: transcribe it "
            "with word times"
        )
    content = _json(path.read_text(), str(path))
    entries = content.get("alignments") if isinstance(content, dict) else None
    if not isinstance(entries, list):
        raise DataError(f'{path}: Expected {{"alignments": [...]}}, got {str(content)[:60]}')
    words: list[TimedWord] = []
    for number, entry in enumerate(entries):
        text, start_s, end_s, speaker = _entry(path, number, entry)
        before = words[-1].start_s if words else 0.0
        if speaker != ASSISTANT:
            continue
        if not before <= start_s <= end_s <= length_s + SLACK_S:
            raise DataError(
                f"{path} alignment {number} ({text!r}): Expected times in order, between "
                f"{before:.2f} and {length_s:.2f} s, got {start_s} to {end_s}"
            )
        words += [TimedWord(word, start_s, end_s) for word in plain_words(text)]
    if not words:
        raise DataError(
            f"{path}: Expected words of {ASSISTANT}, got none: the assistant, on the left channel, "
            "is the speaker of that name"
        )
    return tuple(words)


def _entry(path: Path, number: int, entry: Any) -> tuple[str, float, float, str]:
    match entry:
        case [str(text), [int() | float() as start_s, int() | float() as end_s], str(speaker)]:
            return text, float(start_s), float(end_s), speaker
    raise DataError(
        f'{path} alignment {number}: Expected ["word", [start_s, end_s], "SPEAKER"], '
        f"got {json.dumps(entry)[:80]}"
    )
