"""A snapshot between this release's format and that of the release before. Pure.

With a new format, `ADDED` and `PREVIOUS` begin anew: `PREVIOUS` is what the last release packs.
"""

from collections.abc import Mapping
from typing import Any, Final

from shared.log import formats

# What this format adds where a field's default does not say it: each key's value for old snapshots.
ADDED: Final[Mapping[str, Any]] = {
    "briefs": [{}, {}],
    "memory": {"covered": 0},
    "aside": {},
    "reply": {"wordless": 0},
}

_TURN: Final = dict.fromkeys(("first", "last", "kept", "frames"))
# The keys of the format before. A value of None keeps whatever is there.
PREVIOUS: Final[Mapping[str, Any]] = {
    **dict.fromkeys(("phase", "detector", "ring")),
    **dict.fromkeys(("played", "phrase_played", "confirmed", "paused")),
    **dict.fromkeys(("finished", "armed", "waited", "ended")),
    "tuning": dict.fromkeys(
        ("vad_threshold", "silence_ms", "min_speech_ms", "interrupt_ms", "manual", "vad")
    ),
    "context": dict.fromkeys(("first", "chunks", "base", "spoke", "started")),
    "reply": {
        **dict.fromkeys(("generation", "first", "before", "kept", "steps")),
        **dict.fromkeys(("announced", "worded", "done", "gain", "marks")),
    },
    "memory": {"answered": _TURN, "before": _TURN, "base_record": None},
    "transcript": None,
}


def from_previous(body: Mapping[str, Any]) -> dict[str, Any]:
    """A body that the release before packed, as this one packs it."""
    return {**_filled(body, ADDED), "version": formats.CURRENT}


def to_previous(body: Mapping[str, Any]) -> dict[str, Any]:
    """A body of this release, as the one before reads it."""
    return {**_kept(body, PREVIOUS), "version": formats.PREVIOUS}


def _filled(body: Mapping[str, Any], added: Mapping[str, Any]) -> dict[str, Any]:
    inner = {
        name: _filled(body[name], value) if isinstance(body.get(name), dict) else value
        for name, value in added.items()
        if isinstance(value, dict) and body.get(name) is not None
    }
    return {**added, **body, **inner}


def _kept(body: Mapping[str, Any], keys: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: _kept(body[name], inner) if inner and isinstance(body[name], dict) else body[name]
        for name, inner in keys.items()
    }
