"""Commits for tests: unset fields have the values of a session's first turn."""

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
    """A commit; the test must set at least sid, owner, steps, outputs, cursor and frame."""
    return StepCommit(**{**_FIRST, **fields})
