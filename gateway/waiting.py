"""Waiting for a condition that other tasks bring about."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

POLL_S: Final = 0.004


async def wait_until(condition: Callable[[], bool], within_s: float) -> bool:
    """Wait until the condition holds; False when it does not within this time."""
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() >= deadline:
            return False
        await asyncio.sleep(POLL_S)
    return True
