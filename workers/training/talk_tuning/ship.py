"""Puts a finished adapter into the weights folder that workers load, and records its sources."""

import json
from pathlib import Path
from typing import Any, Final

from shared.errors import ConfigError
from workers.models.llama.source import PACKAGE, PACKAGE_FILE, PACKAGE_SHA256
from workers.models.recorded_files import put_file
from workers.training.talk_tuning.tune import ADAPTER, RECORD

WEIGHTS: Final = Path("workers/weights/cascade")
MOST_BYTES: Final = 30_000_000
LICENCES: Final = {
    "model": f"{PACKAGE} 0.1.2, {PACKAGE_FILE}: SmolLM2-135M-Instruct (Hugging Face, Apache-2.0)",
    "conversations": "written for this repository (MIT)",
    "adapter": "MIT",
}


def ship(run: Path, weights: Path = WEIGHTS) -> dict[str, Any]:
    """Copy a run's adapter and record it; the facts. Raises ConfigError on an unfinished run."""
    record = run / RECORD
    if not record.exists():
        raise ConfigError(f"Expected {record}, which a finished tuning writes, got none")
    data = (run / ADAPTER).read_bytes()
    if len(data) > MOST_BYTES:
        raise ConfigError(f"Expected an adapter of at most {MOST_BYTES} bytes, got {len(data)}")
    facts = {
        "made_by": "make train-chat",
        "model": PACKAGE_SHA256,
        "tuning": json.loads(record.read_text()),
        "licences": LICENCES,
    }
    put_file(weights, ADAPTER, data, facts)
    return facts
