"""Measures how well the cascade understands your own recordings: word errors of each folder.

A folder holds sound files, each with its words in a text file of the same name: `a.wav`, `a.txt`.
Each recording is one call through the VAD, the turn taking and the hearing of the service.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy as np
import soundfile
from scipy.signal import resample_poly

from shared.audio import SAMPLE_RATE_HZ, Pcm16, pcm16_from_floats
from shared.errors import ConfigError
from shared.settings import load_settings
from workers.engines import load_engine
from workers.engines.base import Engine
from workers.evaluation.calls import OfflineCall, run_calls
from workers.evaluation.progress_bar import ProgressBar
from workers.evaluation.transcript_errors import WordErrors, word_errors
from workers.runtime.conversation.tuning import Tuning

CALLS: Final = 8  # at once
SOUNDS: Final = frozenset({".wav", ".flac", ".ogg", ".mp3"})
# A recording is one turn, whose pauses end nothing.
ONE_TURN: Final = Tuning(silence_ms=1_500)
HEAD: Final = (
    "| recordings | count | words | word errors | without a word heard |\n|---|---|---|---|---|"
)


@dataclass(frozen=True, slots=True)
class Recording:
    """One sound file and its words."""

    path: Path
    said: str
    pcm: Pcm16


@dataclass(frozen=True, slots=True)
class Understood:
    """What the engine understood of one recording."""

    path: str
    said: str
    transcript: str
    errors: int
    words: int


def main(folders: Sequence[Path], output: Path | None) -> None:
    """Print the table; `output` gets each recording's transcript as JSON. Raises ConfigError."""
    found = {folder: read_folder(folder) for folder in folders}
    settings = load_settings({"ENGINE": "cascade", "WORKER_SLOTS": str(CALLS)})
    engine = load_engine(settings)
    progress = ProgressBar(sum(map(len, found.values())))
    understood = {
        folder: understand(engine, recordings, progress) for folder, recordings in found.items()
    }
    print(HEAD)
    for folder, results in understood.items():
        print(table_row(folder.name, results))
    if output:
        body = {str(folder): list(map(asdict, some)) for folder, some in understood.items()}
        output.write_text(json.dumps(body, indent=1) + "\n")


def read_folder(folder: Path) -> list[Recording]:
    """The recordings, by name. Raises ConfigError if there is none, or one lacks its words."""
    paths = sorted(path for path in folder.glob("*") if path.suffix.lower() in SOUNDS)
    if not paths:
        raise ConfigError(f"Expected sound files ({', '.join(sorted(SOUNDS))}) in {folder}")
    wordless = [path.name for path in paths if not path.with_suffix(".txt").exists()]
    if wordless:
        raise ConfigError(
            f"Expected the words of each recording in {folder} in a .txt file of the same name, "
            f"got none for {wordless[:10]}"
        )
    return [_read(path) for path in paths]


def _read(path: Path) -> Recording:
    try:
        samples, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise ConfigError(f"Expected a readable sound file, got {path}: {error}") from error
    mono = resample_poly(samples.mean(axis=1), SAMPLE_RATE_HZ, rate_hz)
    words = path.with_suffix(".txt").read_text().strip()
    return Recording(path, words, pcm16_from_floats(np.clip(mono, -1, 1).astype(np.float32)))


def understand(
    engine: Engine, recordings: Sequence[Recording], progress: ProgressBar
) -> list[Understood]:
    """Hold one call for each recording, as many at once as the engine has slots."""
    calls = [
        OfflineCall([recording.pcm], seed=seed, tuning=ONE_TURN, engine=engine)
        for seed, recording in enumerate(recordings)
    ]
    run_calls(engine, calls, progress.add)
    return [
        _understood(recording, call.answers[-1].transcript)
        for recording, call in zip(recordings, calls, strict=True)
    ]


def _understood(recording: Recording, transcript: str) -> Understood:
    found = word_errors(recording.said, transcript)
    return Understood(str(recording.path), recording.said, transcript, found.errors, found.words)


def table_row(name: str, results: Sequence[Understood]) -> str:
    """One folder's line of the table."""
    total = sum((WordErrors(one.errors, one.words) for one in results), WordErrors())
    silent = sum(not one.transcript for one in results)
    return f"| {name} | {len(results)} | {total.words} | {total.rate:.1%} | {silent} |"
