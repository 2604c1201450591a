"""What every process of ours sets up before it serves."""

import asyncio
import gc
from typing import Final

from shared.telemetry import TASKS

# New objects between two searches for garbage cycles. Python's 700 are reached in every tick.
YOUNG_OBJECTS: Final = 20_000


def tame_collector() -> None:
    """Search for garbage cycles rarely, and never among the objects that exist now.

    Records and frames form no cycles. A search through everything that is imported took 20 to
    40 ms, and no frame left meanwhile.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, 20, 20)


def watch_tasks(loop: asyncio.AbstractEventLoop) -> None:
    """Count this loop's tasks at every scrape."""
    TASKS.set_function(lambda: len(asyncio.all_tasks(loop)))
