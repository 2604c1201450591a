"""Converts snapshots between this release's format and the previous release's. Pure.

With a new format, rewrite `ADDED` and `PREVIOUS`: `PREVIOUS` has the keys that the last release
packs.
"""

from collections.abc import Mapping
from typing import Any, Final

from shared.log import formats

# Keys that this format adds and that have no default: their values for old snapshots.
ADDED: Final[Mapping[str, Any]] = {
    "briefs": [{}, {}],
    "memory": {"covered": 0},
    "aside": {},
    "reply": {"wordless": 0},
}

_TURN: Final = dict.fromkeys(("first", "last", "kept", "frames"))
# The keys of the previous format. The value None keeps the whole entry.
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
    """A body of the previous release, as this one packs it."""
    return {**_filled(body, ADDED), "version": formats.CURRENT}


def to_previous(body: Mapping[str, Any]) -> dict[str, Any]:
    """A body of this release, as the previous one reads it."""
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
