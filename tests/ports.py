"""Gives each test process TCP ports that no other test process of this machine gets.

A process that is about to listen has not bound its port yet. So a port that looks free may be
another process's a moment later. Once, two workers drew the same port, and one ended at its start.
"""

import fcntl
import os
import random
import socket
import tempfile
from collections.abc import Iterator
from functools import cache
from itertools import cycle
from pathlib import Path
from typing import Final

# A Cluster's node listens for its bus at its own port and 10,000. Those ports too are in no block,
# and below the ports of outgoing connections.
PORTS: Final = range(10_000, 20_000)
BLOCK: Final = 100  # ports of one process; it gives them in turn


def free_port() -> int:
    """A TCP port of the loopback address that nobody listens at."""
    for port in _mine():
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return port
    raise AssertionError("a cycle has no end")


@cache
def _mine() -> Iterator[int]:
    """This process's ports, in turn and without end."""
    block = reserved(Path(tempfile.gettempdir()))
    return cycle(random.sample(block, BLOCK))  # seeded by the system, not by the tests


def reserved(folder: Path) -> range:
    """A block of ports that no other process reserves while this one lives.

    The lock on a file in `folder` ends with the process. Raises RuntimeError when none is left.
    """
    firsts = PORTS[::BLOCK]
    for first in random.sample(firsts, len(firsts)):
        file = os.open(folder / f"antiphon-test-ports-{first}", os.O_CREAT | os.O_RDWR, 0o666)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
        else:
            return range(first, first + BLOCK)  # the file stays open, and so locked
    raise RuntimeError(f"Expected a free block of ports, got {len(firsts)} locked ones in {folder}")
