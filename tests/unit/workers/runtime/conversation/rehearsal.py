"""A conversation with an engine and an in-memory log: the worker's loop without its I/O."""

import itertools
import json
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from shared.audio import Pcm16
from shared.log.meta import Meta
from shared.log.reads import StoredSession
from shared.log.records import Audio, InputRecord, OutputRecord, Speech, Step, StepRecord
from shared.modes import ReplyMode
from workers.engines.base import Engine, Opening
from workers.engines.echo import EchoEngine
from workers.runtime.conversation.conversation import Conversation
from workers.runtime.conversation.state import Phase, State
from workers.runtime.conversation.step import LogWrite
from workers.runtime.conversation.tuning import Tuning
from workers.runtime.ownership.rebuild import recover

TURNS_AT_MOST = 2_000


class Rehearsal:
    """One session in slot 0; `die` makes the next worker go on from the log."""

    def __init__(
        self,
        mode: ReplyMode = ReplyMode.TURN,
        engine: Engine | None = None,
        tuning: Tuning | None = None,
        instructions: str = "",
        seed: int = 7,
    ) -> None:
        self.engine = engine or EchoEngine(1)
        state = State.new(tuning or Tuning(), mode)
        self.conversation = Conversation(
            state,
            traits=self.engine.traits,
            fold=self.engine.fold,
            first_opening=Opening(seed=seed, instructions=instructions),
        )
        self.inputs: list[tuple[int, InputRecord]] = []
        self.steps: list[tuple[int, StepRecord]] = []
        self.outputs: list[tuple[int, OutputRecord]] = []
        self.writes: list[LogWrite] = []
        self._n = itertools.count(1)
        self.instructions, self.seed = instructions, seed
        self.engine.open(0, Opening(seed))

    def say(self, *records: InputRecord | Pcm16) -> None:
        """Log what the caller's side says; arrays are audio."""
        for record in records:
            audio = Audio(record.tobytes()) if isinstance(record, np.ndarray) else record
            self.inputs.append((next(self._n), audio))

    def turn(self, count: int = 64) -> bool:
        """One turn of the loop with at most so many new records; whether anything was done."""
        # What was offered and not consumed is offered again, as it is after a takeover.
        self.conversation._inbox.clear()
        self.conversation.offer(
            [r for r in self.inputs if r[0] > self.conversation.state.cursor][:count]
        )
        plan = self.conversation.plan()
        if plan is None:
            return False
        if plan.opening is not None:
            self.engine.open(0, plan.opening)
        output = None if plan.idle else self.engine.step([plan.work(0)])[0]
        self._write(self.conversation.settle(output))
        return True

    def run(self, *records: InputRecord | Pcm16) -> None:
        """Say it, and turn until there is nothing to do."""
        self.say(*records)
        for _ in range(TURNS_AT_MOST):
            if not self.turn():
                return
        raise AssertionError(f"still busy after {TURNS_AT_MOST} turns")

    def die(self) -> None:
        """kill -9: the next worker has only the log, trimmed as it is."""
        last = self.writes[-1] if self.writes else None
        if last is None:
            return
        outputs = [r for r in self.outputs if r[0] >= last.keep_outputs]
        dropped = {write.drop_step for write in self.writes}
        steps = [r for r in self.steps if r[0] >= last.keep_steps and r[0] not in dropped]
        inputs = [r for r in self.inputs if r[0] >= last.keep_inputs]
        stored = StoredSession(meta=self._meta(last), inputs=inputs, steps=steps, outputs=outputs)
        rebuilt = recover(stored, self.engine.traits, self.engine.fold)
        self.conversation = rebuilt.conversation
        self.engine.open(0, replace(rebuilt.opening, history=()))
        for _ in self.engine.replay(0, rebuilt.opening.history):
            pass

    def phase(self) -> Phase:
        """Where the conversation stands."""
        return self.conversation.state.phase

    def of(self, *kinds: type[OutputRecord]) -> list[OutputRecord]:
        """The output records of these kinds, in order."""
        return [record for _, record in self.outputs if isinstance(record, kinds)]

    @property
    def events(self) -> list[OutputRecord]:
        """All output records but speech."""
        return [record for _, record in self.outputs if not isinstance(record, Speech)]

    @property
    def speech(self) -> list[Speech]:
        """What the assistant said."""
        return [record for _, record in self.outputs if isinstance(record, Speech)]

    @property
    def pcm(self) -> bytes:
        """The assistant's side."""
        return b"".join(record.pcm for record in self.speech)

    @property
    def heard(self) -> list[int]:
        """The input records that the engine heard, in order."""
        steps = [record for _, record in self.steps if isinstance(record, Step)]
        return [n for step in steps for n in step.hear]

    def _write(self, write: LogWrite) -> None:
        assert write.first_step == len(self.steps) + 1
        assert write.first_output == len(self.outputs) + 1
        self.steps += enumerate(write.steps, write.first_step)
        self.outputs += enumerate(write.outputs, write.first_output)
        self.writes.append(write)

    def _meta(self, last: LogWrite) -> Meta:
        return Meta(
            sid="s",
            state="live",
            mode=last.mode,
            owner="",
            conn="",
            n=len(self.inputs),
            cursor=last.cursor,
            k=len(self.steps),
            m=len(self.outputs),
            f=last.frame,
            generation=last.generation,
            played=0,
            seed=self.seed,
            samples=0,
            options=json.dumps({"instructions": self.instructions}),
        )


def assert_deaths_change_nothing(steady: Rehearsal, mortal: Rehearsal) -> None:
    """Turn both until there is nothing to do; the mortal one's worker dies after each turn."""
    while steady.turn(1):
        assert mortal.turn(1)
        mortal.die()
    assert same(mortal.outputs, steady.outputs)
    assert same(mortal.steps, steady.steps)


def same(left: Sequence[object], right: Sequence[object]) -> bool:
    """Equality that says where two long lists first differ."""
    for index, (a, b) in enumerate(zip(left, right, strict=False)):
        assert a == b, f"item {index}: {a!r:.200} against {b!r:.200}"
    return len(left) == len(right)
