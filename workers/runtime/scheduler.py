"""Decides which sessions step in a turn of the loop, and how long the loop rests. Pure."""

from collections.abc import Sequence
from typing import Final

# A reply this far ahead of its playhead can wait while another caller would soon hear silence.
SAFE_LEAD_FRAMES: Final = 40  # 800 ms
URGENT_LEAD_FRAMES: Final = 20  # 400 ms

CATCH_UP_ROUNDS: Final = 4  # 320 ms of input a turn at most
TURN_BUDGET_MS: Final = 40.0  # half of a chunk

TICK_MIN_S: Final = 0.0  # nearly idle: new input is read at once
TICK_MAX_S: Final = 0.010  # under load: each of several gateways sends a wakeup every 20 ms
_FULL_LOAD_SESSIONS: Final = 20


def may_continue(leads: Sequence[int | None], enough: int | None = None) -> list[bool]:
    """For each slot, by its lead (frames ahead of the playhead; None: no reply): may it go on?

    While a reply is about to run dry, replies that are safely ahead wait: a smaller batch steps
    faster. While all replies are `enough` frames ahead or more, all of them wait; see `Traits`.
    """
    least = min((lead for lead in leads if lead is not None), default=0)
    if enough is not None and least >= enough:
        return [lead is None for lead in leads]
    urgent = least < URGENT_LEAD_FRAMES
    return [not urgent or lead is None or lead < SAFE_LEAD_FRAMES for lead in leads]


def rounds(step_ms: float) -> int:
    """How many steps one turn of the loop may give to sessions that lag with their input.

    All sessions take part in the first. The others are only for lagging sessions, while the rest
    waits. So together they take at most half of a chunk's time, or one step if that takes longer.
    """
    return max(1, min(CATCH_UP_ROUNDS, int(TURN_BUDGET_MS // max(step_ms, 1.0))))


def tick_s(sessions: int) -> float:
    """The least time from one turn to the next while no session has work at once."""
    load = min(1.0, sessions / _FULL_LOAD_SESSIONS)
    return TICK_MIN_S + load * (TICK_MAX_S - TICK_MIN_S)
