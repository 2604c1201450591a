"""Keep the results of each part as JSON beside the plots, for later parts and later runs."""

import json
import math
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter

T = TypeVar("T")


def _plain(value: Any) -> Any:
    """The value as JSON allows it: a failed rung has infinities, which become text."""
    if is_dataclass(value):
        return {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


class Record:
    """The last result of each part, and the place of its run."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._parts: dict[str, dict[str, Any]] = (
            json.loads(path.read_text()) if path.exists() else {}
        )

    def keep(self, part: str, found: object, place: str) -> None:
        """Store the result of a part; those of the other parts stay."""
        self._parts[part] = {"place": place, "found": _plain(found)}
        fresh = self.path.with_suffix(".new")
        fresh.write_text(json.dumps(self._parts, indent=1, allow_nan=False) + "\n")
        fresh.replace(self.path)  # a run that ends here leaves the old file whole

    def found(self, part: str, kind: type[T]) -> T | None:
        """The result of a part; None if it never ran or its stored shape is outdated."""
        try:
            found: T = TypeAdapter(kind).validate_python(self._parts[part]["found"])
        except (KeyError, ValueError):
            return None
        return found

    def place(self, part: str) -> str:
        """The place and time of the part's run; empty if it never ran."""
        return str(self._parts.get(part, {}).get("place", ""))
