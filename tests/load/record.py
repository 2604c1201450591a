"""What a run found, as JSON beside the plots: later parts and later runs read it again."""

import json
import math
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter

T = TypeVar("T")


def _plain(value: Any) -> Any:
    """As JSON has it: a rung that fell over holds infinities, which JSON does not."""
    if is_dataclass(value):
        return {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


class Record:
    """What each part found last, and where."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._parts: dict[str, dict[str, Any]] = (
            json.loads(path.read_text()) if path.exists() else {}
        )

    def keep(self, part: str, found: object, place: str) -> None:
        """Write down what a part found; the others' stays."""
        self._parts[part] = {"place": place, "found": _plain(found)}
        fresh = self.path.with_suffix(".new")
        fresh.write_text(json.dumps(self._parts, indent=1, allow_nan=False) + "\n")
        fresh.replace(self.path)  # a run that is ended here leaves the old one whole

    def found(self, part: str, kind: type[T]) -> T | None:
        """What a part found; None when it never ran, or was of another shape then."""
        try:
            found: T = TypeAdapter(kind).validate_python(self._parts[part]["found"])
        except (KeyError, ValueError):
            return None
        return found

    def place(self, part: str) -> str:
        """Where and when the part ran; empty when it never did."""
        return str(self._parts.get(part, {}).get("place", ""))
