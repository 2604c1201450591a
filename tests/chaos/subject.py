"""What a trial runs on: the engine, and how its callers know what they must get back."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import redis

from tests.chaos.oracle import CallAudio, Ledger

# The log's client, the trial's seed, the call's number -> what checks this call.
MakeLedger = Callable[[redis.Redis | None, int, int], Ledger]


def echo_ledger(log: redis.Redis | None, seed: int, number: int) -> Ledger:
    """The echo engine returns every frame."""
    del log
    return Ledger(CallAudio(seed, number))


@dataclass(frozen=True, slots=True)
class Subject:
    """An engine under test."""

    env: Mapping[str, str] = field(default_factory=lambda: {"ENGINE": "echo"})
    ledger: MakeLedger = echo_ledger
    options: Mapping[str, Any] = field(default_factory=dict)  # of the callers' sessions


ECHO: Final = Subject()
