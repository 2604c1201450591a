"""Waiting in tests: for a condition, never for a fixed time.

All time-outs scale from one constant. It is many times what anything takes on a quiet machine, so
it only ends a test if its condition never comes true.
"""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import Final

PATIENCE_S: Final = 120.0
LOOK_S: Final = 0.01  # between two looks at a condition

Describe = Callable[[], object]


async def until(
    condition: Callable[[], object | Awaitable[object]], got: Describe = lambda: "a time-out"
) -> None:
    """Wait in the event loop until the condition (a plain or an async function) is true.

    Raises TimeoutError with what `got` says after `PATIENCE_S`.
    """
    deadline = time.monotonic() + PATIENCE_S
    while True:
        found = condition()
        if await found if inspect.isawaitable(found) else found:
            return
        if time.monotonic() > deadline:
            raise TimeoutError(f"Expected a condition to come true, got {got()}")
        await asyncio.sleep(LOOK_S)


def wait_until(
    condition: Callable[[], object],
    got: Describe = lambda: "a time-out",
    within_s: float = PATIENCE_S,
) -> None:
    """The same outside of an event loop."""
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"Expected a condition to come true, got {got()}")
        time.sleep(LOOK_S)
