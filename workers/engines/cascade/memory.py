"""Folds a call's earlier turns into text, as bytes for the log, which the next turn begins with.

Pure. `fold` adds a turn once it is over. Of an interrupted reply it keeps the words that began
before the caller's playhead.
"""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import msgpack

from workers.engines.base import Past
from workers.engines.cascade.log import LoggedStep

# 2,000 tokens of English. After a cut the model must read the rest again. So a cut leaves well less
# than the limit, and the next one is some turns away.
MAX_BYTES: Final = 8_000
CUT_TO_BYTES: Final = 6_000
_PACKER: Final = msgpack.Packer(use_bin_type=True)


class RememberedTurn(NamedTuple):
    """One turn and its reply."""

    caller: str
    assistant: str  # the words of the reply that were played


def exchanges(memory: bytes) -> list[RememberedTurn]:
    """The turns in the memory, oldest first."""
    return [RememberedTurn(*pair) for pair in msgpack.unpackb(memory)] if memory else []


def fold(memory: bytes, turn: Sequence[Past], frames: int | None) -> bytes:
    """The memory with one more turn; see `Engine.fold`."""
    steps = [LoggedStep.from_bytes(past.said) for past in turn if past.said is not None]
    caller = next((s.transcript for s in reversed(steps) if s.transcript is not None), "")
    if not caller:
        return memory
    latest = RememberedTurn(caller, _spoken(steps, frames))
    return _packed([*exchanges(memory), latest])


def _spoken(steps: Iterable[LoggedStep], frames: int | None) -> str:
    """The words of the reply that began within its first `frames` frames."""
    words: list[str] = []
    before = 0
    for step in steps:
        words += [w for at, w in step.words if frames is None or before + at < frames]
        before += step.frames
    return " ".join(words)


def _packed(turns: list[RememberedTurn]) -> bytes:
    packed = bytes(_PACKER.pack(turns))
    if len(packed) <= MAX_BYTES:
        return packed
    while len(turns) > 1 and len(packed) > CUT_TO_BYTES:
        turns = turns[1:]
        packed = bytes(_PACKER.pack(turns))
    return packed
