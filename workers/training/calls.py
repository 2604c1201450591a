"""Calls without sockets: WAV in, WAV out, through the runtime's conversation and an engine.

The same VAD, turn logic, batched engine and guard as in service; only the transport is left out.
Many calls go on at once, each in a slot of the engine's batch.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from shared.audio import CHUNK_BYTES, CHUNK_SAMPLES, SAMPLE_RATE_HZ, Pcm16
from shared.config import ReplyMode
from shared.messages import Audio, Played, ReplyDone, Speech, Text
from workers.engines.base import Engine, Output
from workers.runtime.conversation import Conversation
from workers.runtime.turn import Plan

SILENCE_BEFORE_S: Final = 0.48
PATIENCE_CHUNKS: Final = 60  # heard after the question, 4.8 s: then no answer is coming
REPLY_CHUNKS: Final = 160  # and a reply takes no longer than this
DITHER: Final = 1.0  # of 32,768, RMS: no microphone gives digital silence


@dataclass(slots=True)
class Answer:
    """What a call gave: the text and the audio of its first reply."""

    text: str = ""
    pcm: Pcm16 = field(default_factory=lambda: np.zeros(0, dtype=np.int16))
    reason: str = "none"  # why the reply ended; none: there was none


class Call:
    """One caller who asks one question and listens to the answer."""

    def __init__(self, question: Pcm16, mode: ReplyMode, seed: int) -> None:
        self._talk = Conversation(mode=mode, seed=seed)
        self._chunks = _chunks(question, np.random.default_rng(seed))
        self._next = 0
        self._parts: list[bytes] = []
        self._texts: list[str] = []
        self._n = 0
        self.answer: Answer | None = None

    @property
    def done(self) -> bool:
        """Whether the reply has ended, or none will come."""
        return self.answer is not None

    def plan(self) -> Plan | None:
        """Say the next 80 ms, or let the reply go on; what the engine is to do."""
        replying = self._talk.lead is not None
        if self._talk.frame > self._talk.played:
            self._offer(Played(self._talk.frame))
        if not replying:
            self._offer(Audio(self._chunk()))
        return self._talk.plan()

    def _offer(self, record: Audio | Played) -> None:
        self._n += 1
        self._talk.offer([(self._n, record)])

    def _chunk(self) -> bytes:
        chunk = self._chunks[min(self._next, len(self._chunks) - 1)]
        self._next += 1
        return chunk

    def settle(self, output: Output | None) -> None:
        """Settle the planned turn with the engine's output (None when it was idle)."""
        for record in self._talk.settle(output).outputs:
            if isinstance(record, Text):
                self._texts.append(record.text)
            elif isinstance(record, Speech):
                self._parts.append(record.pcm)
            elif isinstance(record, ReplyDone):
                self._finish(record.reason)
        if self._next > len(self._chunks) + PATIENCE_CHUNKS + REPLY_CHUNKS * bool(self._parts):
            self._finish("length" if self._parts else "none")

    def _finish(self, reason: str) -> None:
        pcm = np.frombuffer(b"".join(self._parts), dtype="<i2")
        self.answer = self.answer or Answer("".join(self._texts).strip(), pcm, reason)


def _chunks(question: Pcm16, rng: np.random.Generator) -> list[bytes]:
    """The question with silence before it and a faint noise under all, in 80 ms pieces.

    The last piece is silence, and is said again as long as the call waits.
    """
    before = round(SILENCE_BEFORE_S * SAMPLE_RATE_HZ)
    after = 2 * CHUNK_SAMPLES - len(question) % CHUNK_SAMPLES
    whole = np.pad(question.astype(np.float32), (before, after))
    whole += rng.normal(0, DITHER, len(whole))
    data = np.clip(np.rint(whole), -32768, 32767).astype("<i2").tobytes()
    return [data[i : i + CHUNK_BYTES] for i in range(0, len(data) - CHUNK_BYTES + 1, CHUNK_BYTES)]


def converse(
    engine: Engine, questions: Sequence[Pcm16], mode: ReplyMode = ReplyMode.TURN
) -> list[Answer]:
    """Ask every question in a call of its own, as many at once as the engine has slots."""
    calls = [Call(question, mode, seed) for seed, question in enumerate(questions)]
    waiting = calls[::-1]
    live: dict[int, Call] = {}
    while waiting or live:
        for slot in range(engine.slots):
            if slot not in live and waiting:
                live[slot] = waiting.pop()
        _step(engine, live)
        live = {slot: call for slot, call in live.items() if not call.done}
    return [call.answer or Answer() for call in calls]


def _step(engine: Engine, live: dict[int, Call]) -> None:
    """One batched step of all live calls."""
    plans = {slot: plan for slot, call in live.items() if (plan := call.plan()) is not None}
    for slot, plan in plans.items():
        if plan.opening is not None:
            engine.open(slot, plan.opening)
    batch = [plan.work(slot) for slot, plan in plans.items() if not plan.idle]
    outputs = {output.slot: output for output in engine.step(batch)} if batch else {}
    for slot in plans:
        live[slot].settle(outputs.get(slot))
