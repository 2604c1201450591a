"""Reads voices.toml, the named voices and styles that a weights folder offers.

    pitch_hz = 172.0                 # the recorded voice's middle pitch; styles widen about it
    [voice.alto]                     # the first one is the default; without entries: as recorded
    [voice.baritone]
    pitch = 0.6                      # factor of the recorded voice's F0
    formants = 0.86                  # factor of the resonances of its vocal tract
    [style.neutral]
    [style.calm]
    range = 0.6                      # the melody's distance from its middle, on a logarithmic scale
    level_db = -2.0
    tilt_db = -3.0                   # highest against lowest frequencies; below 0 is softer

A folder without the file has one voice and one style, called DEFAULT.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, TypeVar

from shared.errors import ConfigError
from shared.voices import DEFAULT, Offer

FILE: Final = "voices.toml"
MAX_ENTRIES: Final = 16  # each step of a shaped row multiplies once a voice
MAX_NAME: Final = 32  # letters
PITCH_HZ: Final = 172.0

Bounds = Mapping[str, tuple[float, float]]
_VOICE: Final[Bounds] = {"pitch": (0.3, 2.5), "formants": (0.7, 1.4)}
_STYLE: Final[Bounds] = {"range": (0.0, 3.0), "level_db": (-20.0, 6.0), "tilt_db": (-20.0, 20.0)}


@dataclass(frozen=True, slots=True)
class Timbre:
    """How a voice differs from the recorded one."""

    pitch: float = 1.0
    formants: float = 1.0


@dataclass(frozen=True, slots=True)
class Style:
    """How a way of speaking differs from the recorded one."""

    range: float = 1.0
    level_db: float = 0.0
    tilt_db: float = 0.0


_Entry = TypeVar("_Entry", Timbre, Style)


@dataclass(frozen=True, slots=True)
class Repertoire:
    """The voices and styles of a weights folder; the first of each is the default."""

    voices: Mapping[str, Timbre] = field(
        default_factory=lambda: MappingProxyType({DEFAULT: Timbre()})
    )
    styles: Mapping[str, Style] = field(
        default_factory=lambda: MappingProxyType({DEFAULT: Style()})
    )
    pitch_hz: float = PITCH_HZ

    @property
    def offer(self) -> Offer:
        """The names of the voices and styles."""
        return Offer(tuple(self.voices), tuple(self.styles))

    def plain(self) -> "Repertoire":
        """The recorded voice and style alone, for a vocoder that cannot shape the sound."""
        voice = next((name for name, timbre in self.voices.items() if timbre == Timbre()), DEFAULT)
        style = next((name for name, style in self.styles.items() if style == Style()), DEFAULT)
        return Repertoire({voice: Timbre()}, {style: Style()}, self.pitch_hz)


def read_repertoire(folder: Path) -> Repertoire:
    """The repertoire of a weights folder. Raises ConfigError on a file of another form."""
    path = folder / FILE
    if not path.exists():
        return Repertoire()
    try:
        body = tomllib.loads(path.read_text())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"Expected TOML in {path}, got {error}") from error
    if unknown := set(body) - {"pitch_hz", "voice", "style"}:
        raise ConfigError(f"Expected pitch_hz, voice and style in {path}, got {sorted(unknown)}")
    return Repertoire(
        _entries(path, "voice", body, Timbre, _VOICE),
        _entries(path, "style", body, Style, _STYLE),
        _number(path, "pitch_hz", body.get("pitch_hz", PITCH_HZ), (50.0, 500.0)),
    )


def _entries(
    path: Path, kind: str, body: Mapping[str, Any], entry: type[_Entry], bounds: Bounds
) -> Mapping[str, _Entry]:
    found = body.get(kind, {DEFAULT: {}})
    if not isinstance(found, dict) or not 1 <= len(found) <= MAX_ENTRIES:
        raise ConfigError(f"Expected 1 to {MAX_ENTRIES} tables [{kind}.name] in {path}")
    made = {}
    for name, values in found.items():
        where = f"{kind}.{name}"
        if not (name.isidentifier() and len(name) <= MAX_NAME) or not isinstance(values, dict):
            raise ConfigError(
                f"Expected tables [{kind}.name] in {path}, with names of at most {MAX_NAME} "
                f"letters, digits and _; got {where!r:.80}"
            )
        if unknown := set(values) - set(bounds):
            raise ConfigError(
                f"Expected {sorted(bounds)} in [{where}] of {path}, got {sorted(unknown)}"
            )
        numbers = {n: _number(path, f"{where}.{n}", v, bounds[n]) for n, v in values.items()}
        made[name] = entry(**numbers)
    return MappingProxyType(made)


def _number(path: Path, name: str, value: object, bounds: tuple[float, float]) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ConfigError(f"Expected a number as {name} in {path}, got {value!r:.80}")
    if not bounds[0] <= value <= bounds[1]:
        raise ConfigError(f"Expected {name} from {bounds[0]} to {bounds[1]} in {path}, got {value}")
    return float(value)
