"""A folder of small files that were computed here, and record.json, which says what each one is.

record.json maps a file's name to its size, its sha256 and facts: what made it, from which sources,
under which licences. A file that is not the recorded one is refused.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from shared.errors import ConfigError

RECORD: Final = "record.json"


def put_file(folder: Path, name: str, data: bytes, facts: Mapping[str, Any]) -> None:
    """Write a file and its entry; the entries of other files stay."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / RECORD
    record = json.loads(path.read_text()) if path.exists() else {}
    record[name] = {"bytes": len(data), "sha256": sha256(data), "facts": dict(facts)}
    _replace(folder / name, data)
    _replace(path, (json.dumps(record, indent=1, sort_keys=True) + "\n").encode())


def read_file(folder: Path, name: str) -> tuple[bytes, dict[str, Any]]:
    """A recorded file's bytes and facts. Raises ConfigError where it is not the recorded one."""
    path = folder / RECORD
    if not path.exists():
        raise ConfigError(f"Expected {RECORD} in {folder}, got none: restore the whole folder")
    entry = json.loads(path.read_text()).get(name)
    if entry is None or not (folder / name).exists():
        raise ConfigError(f"Expected {name} in {folder} and in its {RECORD}, but it is missing")
    data = (folder / name).read_bytes()
    check(folder / name, data, entry["sha256"], "restore the whole folder")
    facts: dict[str, Any] = entry["facts"]
    return data, facts


def check(path: Path, data: bytes, wanted: str, remedy: str) -> None:
    """Raises ConfigError where the data are not those of this sha256."""
    found = sha256(data)
    if found != wanted:
        raise ConfigError(f"Expected sha256 {wanted} of {path}, got {found}: {remedy}")


def sha256(data: bytes) -> str:
    """The digest in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def _replace(path: Path, data: bytes) -> None:
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(data)
    partial.replace(path)
