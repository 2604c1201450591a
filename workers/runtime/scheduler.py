"""Who steps in this turn of the loop, and how long the loop rests after it. Pure."""

from collections.abc import Sequence
from typing import Final

# A reply this far ahead of its caller can wait while another one's caller hears silence soon.
SAFE_LEAD_FRAMES: Final = 40  # 800 ms
URGENT_LEAD_FRAMES: Final = 20  # 400 ms

CATCH_UP_ROUNDS: Final = 4  # 320 ms of input a turn at most
TURN_BUDGET_MS: Final = 40.0  # half of a chunk

TICK_MIN_S: Final = 0.0  # nearly idle: what is said is heard at once
TICK_MAX_S: Final = 0.010  # under load: a gateway rings every 20 ms, and there are several
_FULL_LOAD_SESSIONS: Final = 20


def may_continue(leads: Sequence[int | None]) -> list[bool]:
    """For each slot by its lead (frames ahead of the caller; None: no reply): may its reply go on?

    While any reply is about to run dry, those that are safely ahead leave the step to it: a
    smaller batch is a faster one.
    """
    urgent = any(lead is not None and lead < URGENT_LEAD_FRAMES for lead in leads)
    return [not urgent or lead is None or lead < SAFE_LEAD_FRAMES for lead in leads]


def rounds(step_ms: float) -> int:
    """How many steps one turn of the loop may give to who is behind with their input.

    The first is everybody's; the others are theirs alone, and everybody else waits for them. So
    they end when the turn has taken half of a chunk's time, whatever one step takes.
    """
    return max(1, min(CATCH_UP_ROUNDS, int(TURN_BUDGET_MS // max(step_ms, 1.0))))


def tick_s(sessions: int) -> float:
    """From one turn's beginning to the next's, at least, when no session has work at once."""
    load = min(1.0, sessions / _FULL_LOAD_SESSIONS)
    return TICK_MIN_S + load * (TICK_MAX_S - TICK_MIN_S)
