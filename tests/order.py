"""The order of the test modules when several processes share them.

Tests of whole processes mostly wait, and some take long. They come first, so that none is the last
to end. Tests that compute come between them, so that a core has work while a process waits.
"""

from collections.abc import Mapping
from itertools import chain, zip_longest
from typing import Final

WAITING: Final = ("e2e", "operations", "chaos", "redis")  # folders, the longest modules first


def mixed(sizes: Mapping[str, int]) -> list[str]:
    """The modules, given with how many tests each has: waiting and computing in turn."""
    waiting = sorted(filter(_waits, sizes), key=lambda name: WAITING.index(_folder(name)))
    computing = sorted((name for name in sizes if not _waits(name)), key=lambda name: -sizes[name])
    pairs = zip_longest(waiting, computing)
    return [name for name in chain.from_iterable(pairs) if name is not None]


def _folder(name: str) -> str:
    return name.split("/")[1]


def _waits(name: str) -> bool:
    return _folder(name) in WAITING
