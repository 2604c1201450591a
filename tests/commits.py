"""Commits for tests: every field has the value of a session's first turn unless a test sets it."""

from typing import Any, Final

from shared.log.writes import StepCommit

_FIRST: Final[dict[str, Any]] = {
    "first_step": 1,
    "first_output": 1,
    "generation": 1,
    "mode": "turn",
    "keep_inputs": 1,
    "keep_steps": 1,
    "keep_outputs": 1,
}


def a_commit(**fields: Any) -> StepCommit:
    """A commit with these fields: sid, owner, steps, outputs, cursor and frame at least."""
    return StepCommit(**{**_FIRST, **fields})
