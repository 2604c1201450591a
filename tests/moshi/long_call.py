"""Run a call of two hours in minutes: its log, its memory and its rebuild must not grow.

`python -m tests.moshi.long_call`. A tiny Moshi hears noise through the worker's own loop, with an
in-memory log that is trimmed as Redis trims it. Its context is a tenth of the real one, and so is
the call's length, so the context moves as often as it does in two hours. In each part of the call
the worker dies several times, and the next one rebuilds the slot from the log.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

import torch

from shared.log.records import Played, Record, encode
from shared.modes import ReplyMode
from tests.moshi.tiny import tiny_folder
from tests.unit.workers.engines.moshi.made import babble, made_engine
from tests.unit.workers.runtime.conversation.rehearsal import Rehearsal
from workers.engines.moshi.engine import CONTEXT_CHUNKS, MoshiEngine

SCALE: Final = 10
CHUNKS_PER_HOUR: Final = 45_000
PARTS: Final = 8
AT_ONCE: Final = 25  # chunks between two looks
DEATHS: Final = 6  # in each part
HEAD: Final = """\
| hours | moves | log, kB | steps held | memory, MB | steps rebuilt | ms of CPU |
|---|---|---|---|---|---|---|
"""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Part:
    """The largest figures of one part of the call."""

    chunks: int  # since the call began
    moves: int  # of the context, since the call began
    log_kb: float  # what Redis keeps
    steps: int  # that the worker holds
    resident_mb: float  # of this process
    rebuilt_steps: int
    rebuild_ms: float  # CPU time


class LongCall(Rehearsal):
    """A rehearsal that forgets what the log no longer has."""

    def forget(self) -> None:
        """Trim as Redis does. The lists keep their lengths, since these number the records."""
        last = self.writes[-1]
        self.inputs = [r for r in self.inputs if r[0] >= last.keep_inputs]
        dropped = [write.drop_step for write in self.writes if write.drop_step]
        drop(self.steps, [*range(self._steps_from, last.keep_steps), *dropped])
        drop(self.outputs, range(self._outputs_from, last.keep_outputs))
        self._steps_from, self._outputs_from = last.keep_steps, last.keep_outputs
        del self.writes[:-1]

    _steps_from = _outputs_from = 1

    def kept(self) -> int:
        """Bytes of all records that the log keeps."""
        stored: list[tuple[int, Record]] = [*self.inputs, *self.steps, *self.outputs]
        return sum(len(encode(record)[1]) for number, record in stored if number)


def drop(records: list[tuple[int, T]], numbers: Iterable[int]) -> None:
    """Let go of these records; 0 marks their places."""
    for number in numbers:
        records[number - 1] = (0, records[-1][1])


def measure(context: int, chunks: int, parts: int = PARTS) -> Iterator[Part]:
    """Run a call of so many chunks whose context holds `context`."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        engine = made_engine(folder=tiny_folder(Path(folder), context=context))
    call = LongCall(ReplyMode.STREAM, engine)
    looks = chunks // parts // AT_ONCE
    for number in range(parts):
        found = []
        for look in range(looks):
            seed = number * looks + look
            call.run(*babble(AT_ONCE, seed), Played(call.writes[-1].frame if seed else 0))
            call.forget()
            rebuilt = _rebuilt(call) if look % max(1, looks // DEATHS) == 0 else (0, 0.0)
            found.append(_look(call, *rebuilt))
        yield Part((number + 1) * looks * AT_ONCE, *map(max, zip(*found, strict=True)))


def _rebuilt(call: LongCall) -> tuple[int, float]:
    """Let the worker die: positions that the next one reads, and its milliseconds of CPU time."""
    began = time.thread_time()
    call.die()
    took_ms = 1_000 * (time.thread_time() - began)
    return _engine(call)._contexts[0].count, took_ms


def _look(
    call: LongCall, rebuilt: int, rebuild_ms: float
) -> tuple[int, float, int, float, int, float]:
    context = call.conversation.state.context
    assert context is not None
    held = _engine(call)._contexts[0].count
    moves = context.moved // call.engine.traits.carry_chunks
    return moves, call.kept() / 1e3, held, _resident_mb(), rebuilt, rebuild_ms


def _engine(call: LongCall) -> MoshiEngine:
    assert isinstance(call.engine, MoshiEngine)
    return call.engine


def _resident_mb() -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    (kib,) = [line.split()[1] for line in lines if line.startswith("VmRSS")]
    return int(kib) / 1024


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(prog="python -m tests.moshi.long_call", description=__doc__)
    parser.add_argument("--hours", type=float, default=2.0)
    parser.add_argument("--scale", type=int, default=SCALE, help="of the context and the length")
    given = parser.parse_args()
    chunks = int(given.hours * CHUNKS_PER_HOUR / given.scale)
    sys.stdout.write(HEAD)
    for part in measure(CONTEXT_CHUNKS // given.scale, chunks):
        hours = part.chunks * given.scale / CHUNKS_PER_HOUR
        sys.stdout.write(
            f"| {hours:.2f} | {part.moves} | {part.log_kb:.0f} | {part.steps} | "
            f"{part.resident_mb:.0f} | {part.rebuilt_steps} | {part.rebuild_ms:.0f} |\n"
        )
        sys.stdout.flush()


if __name__ == "__main__":
    main()
