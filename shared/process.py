"""What a process of ours asks of Python before it serves."""

import gc
from typing import Final

YOUNG_OBJECTS: Final = 20_000  # of them some are garbage in a cycle: Python's 700 come every tick


def tame_collector() -> None:
    """Look for cycles seldom, and never again among what was made before this.

    Records and frames make none; a search of all that is imported took 20 to 40 ms, in which no
    frame left.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, 20, 20)
