"""Prepares a process before it serves: the garbage collector, and a count of its tasks."""

import asyncio
import gc
from typing import Final

from shared.telemetry import TASKS

# New objects between two garbage collections. Every tick would reach Python's default of 700.
YOUNG_OBJECTS: Final = 20_000


def tame_collector() -> None:
    """Collect garbage rarely, and never among the objects that exist now.

    Records and frames form no cycles. A collection over all imported objects took 20 to 40 ms, in
    which no frame left.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, 20, 20)


def watch_tasks(loop: asyncio.AbstractEventLoop) -> None:
    """Count this loop's tasks at every scrape."""
    TASKS.set_function(lambda: len(asyncio.all_tasks(loop)))
