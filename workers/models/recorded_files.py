"""Reads and writes a folder of small computed files, which record.json describes.

record.json maps each file's name to its size, sha256 and facts: the command that made it, its
sources and their licences. `read_file` refuses a file with another sha256.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from shared.errors import ConfigError

RECORD: Final = "record.json"


def put_file(folder: Path, name: str, data: bytes, facts: Mapping[str, Any]) -> None:
    """Write a file and its entry. The entries of other files stay."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / RECORD
    record = json.loads(path.read_text()) if path.exists() else {}
    record[name] = {"bytes": len(data), "sha256": sha256(data), "facts": dict(facts)}
    replace(folder / name, data)
    replace(path, (json.dumps(record, indent=1, sort_keys=True) + "\n").encode())


def read_file(folder: Path, name: str) -> tuple[bytes, dict[str, Any]]:
    """The bytes and facts of a recorded file. Raises ConfigError if it is missing or differs."""
    path = folder / RECORD
    if not path.exists():
        raise ConfigError(f"Expected {RECORD} in {folder}, got none: restore the whole folder")
    entry = json.loads(path.read_text()).get(name)
    if entry is None or not (folder / name).exists():
        raise ConfigError(
            f"Expected {name} in {folder} and in its {RECORD}, but it is missing: "
            "restore the whole folder"
        )
    data = (folder / name).read_bytes()
    check(folder / name, data, entry["sha256"], "restore the whole folder")
    facts: dict[str, Any] = entry["facts"]
    return data, facts


def check(path: Path, data: bytes, wanted: str, remedy: str) -> None:
    """Raise ConfigError if the data have another sha256."""
    found = sha256(data)
    if found != wanted:
        raise ConfigError(f"Expected sha256 {wanted} of {path}, got {found}: {remedy}")


def sha256(data: bytes) -> str:
    """The sha256 of the data, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def replace(path: Path, data: bytes) -> None:
    """Write the whole file or none of it: a reader never sees a part."""
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(data)
    partial.replace(path)
