"""Writes a tuned weights folder: the base's files, with one part replaced by the tuned one."""

import shutil
from pathlib import Path

from workers.models.voice.repertoire import FILE as VOICES


def copy_weights(base: Path, output: Path) -> None:
    """Copy the parts, their parity file and the voices."""
    output.mkdir(parents=True, exist_ok=True)
    for path in [*base.glob("*.safetensors"), base / "parity.json", *base.glob(VOICES)]:
        shutil.copyfile(path, output / path.name)
