"""Runs calls without sockets: WAV in, WAV out, through the runtime's conversation and an engine.

VAD, turn logic, batched engine and limiter are those of the service; only the transport is missing.
Many calls run at once, each in a slot of the engine's batch. The caller's audio counts the time: 80
ms a chunk.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from shared.audio import CHUNK_SAMPLES, SAMPLE_RATE_HZ, Pcm16
from shared.log.records import (
    Audio,
    Heard,
    OutputRecord,
    Played,
    ReplyDone,
    ReplyStarted,
    Speech,
    SpeechStopped,
    Text,
)
from shared.modes import ReplyMode
from workers.engines.base import Engine, Opening, Output
from workers.runtime.conversation.conversation import DEFAULT_TRAITS, Conversation
from workers.runtime.conversation.memory import no_fold
from workers.runtime.conversation.state import State
from workers.runtime.conversation.step import Plan
from workers.runtime.conversation.tuning import Tuning

CHUNK_S: Final = CHUNK_SAMPLES / SAMPLE_RATE_HZ  # 0.08
SILENCE_BEFORE_S: Final = 0.48
PATIENCE_CHUNKS: Final = 60  # after the question, 4.8 s; later no reply begins
REPLY_CHUNKS: Final = 160  # the longest reply
DITHER: Final = 1.0  # RMS, of 32,768: no microphone gives digital silence
REST_CHUNKS: Final = 50  # of background, repeated after the last word
ENERGY_VAD: Final = Tuning()


@dataclass(slots=True)
class CallAnswer:
    """The reply to one question, its text and audio, and its times.

    Times are seconds after the question's last sample; None: it did not happen.
    """

    text: str = ""
    transcript: str = ""  # of the question
    pcm: Pcm16 = field(default_factory=lambda: np.zeros(0, dtype=np.int16))
    reason: str = "none"  # why the reply ended; none: there was no reply
    decided_s: float | None = None  # the VAD ended the turn for the last time
    began_s: float | None = None  # the reply began
    steps: int = 0  # of the model, from the reply's beginning to its first sample


class OfflineCall:
    """One caller who asks their questions, each after the answer to the one before."""

    def __init__(
        self,
        said: Sequence[Pcm16],
        mode: ReplyMode = ReplyMode.TURN,
        seed: int = 0,
        background: Pcm16 | None = None,
        tuning: Tuning = ENERGY_VAD,
        engine: Engine | None = None,
    ) -> None:
        """`background` repeats under the whole call; None: a quiet room.

        The call has the traits and the memory of `engine`; None: those of the hybrid model.
        """
        self.answers: list[CallAnswer] = []
        traits = engine.traits if engine else DEFAULT_TRAITS
        fold = engine.fold if engine else no_fold
        self.conversation = Conversation(
            State.new(tuning, mode), traits=traits, fold=fold, first_opening=Opening(seed=seed)
        )
        self._said = list(said)
        self._rng = np.random.default_rng(seed)
        self._background = np.zeros(CHUNK_SAMPLES, np.int16) if background is None else background
        self._rest = self._chunks(np.zeros(REST_CHUNKS * CHUNK_SAMPLES, np.int16))
        self._n = 0
        self._answer = CallAnswer()
        self._final = ""  # transcript so far; a pause may split the question
        self._parts: list[bytes] = []
        self._say(SILENCE_BEFORE_S)

    def _say(self, before_s: float) -> None:
        """Start the next question after so much silence."""
        before = round(before_s * SAMPLE_RATE_HZ)
        words = self._said[len(self.answers)]
        self._ready = self._chunks(np.pad(words, (before, -(before + len(words)) % CHUNK_SAMPLES)))
        self._end_s = (before + len(words)) / SAMPLE_RATE_HZ
        self._next = 0

    def _chunks(self, sound: Pcm16) -> list[bytes]:
        """The sound, with the background and faint noise, in 80 ms pieces."""
        whole = sound.astype(np.float32) + np.resize(self._background, len(sound))
        whole += self._rng.normal(0, DITHER, len(whole))
        pcm = np.clip(np.rint(whole), -32768, 32767).astype("<i2")
        return [row.tobytes() for row in pcm.reshape(-1, CHUNK_SAMPLES)]

    @property
    def done(self) -> bool:
        """Whether every question was asked, and answered or given up."""
        return len(self.answers) == len(self._said)

    @property
    def elapsed_s(self) -> float:
        """Seconds of the caller's audio since the question's last sample."""
        return self._next * CHUNK_S - self._end_s

    def plan(self) -> Plan | None:
        """The engine's next work: after the next 80 ms of audio, or during a reply without any."""
        replying = self.conversation.lead is not None
        if self.conversation.state.frame > self.conversation.state.played:
            self.offer(Played(self.conversation.state.frame))
        if not replying:
            self.offer(Audio(self._chunk()))
        return self.conversation.plan()

    def offer(self, record: Audio | Played) -> None:
        """Pass the caller's next record to the conversation."""
        self._n += 1
        self.conversation.offer([(self._n, record)])

    def _chunk(self) -> bytes:
        late = self._next - len(self._ready)
        chunk = self._ready[self._next] if late < 0 else self._rest[late % REST_CHUNKS]
        self._next += 1
        return chunk

    def settle(self, output: Output | None) -> None:
        """Finish the planned step with the engine's output (None: it was idle)."""
        if self._answer.began_s is not None and not self._parts:
            self._answer.steps += 1
        for record in self.conversation.settle(output).outputs:
            if not self.done:
                self._note(record)
        patience = PATIENCE_CHUNKS + REPLY_CHUNKS * bool(self._parts)
        if not self.done and self._next > len(self._ready) + patience:
            self._finish("length" if self._parts else "none")

    def _note(self, record: OutputRecord) -> None:
        answer = self._answer
        match record:
            case SpeechStopped():
                answer.decided_s = self.elapsed_s
            case Heard(text, final):
                answer.transcript = f"{self._final} {text}".strip()
                self._final = answer.transcript if final else self._final
            case ReplyStarted():
                answer.began_s = self.elapsed_s
            case Text(_, text):
                answer.text += text
            case Speech():
                self._parts.append(record.pcm)
            case ReplyDone():
                self._finish(record.reason)

    def _finish(self, reason: str) -> None:
        self._answer.text = self._answer.text.strip()
        self._answer.pcm = np.frombuffer(b"".join(self._parts), dtype="<i2")
        self._answer.reason = reason
        self.answers.append(self._answer)
        self._answer, self._final, self._parts = CallAnswer(), "", []
        if not self.done:
            self._after_answer()

    def _after_answer(self) -> None:
        """Ask the next question."""
        self._say(SILENCE_BEFORE_S)


def run_calls(
    engine: Engine, calls: Sequence[OfflineCall], on_end: Callable[[int], object] | None = None
) -> None:
    """Run the calls, as many at once as the engine has slots; `on_end` gets how many have ended."""
    waiting = list(calls[::-1])
    live: dict[int, OfflineCall] = {}
    while waiting or live:
        for slot in range(engine.slots):
            if slot not in live and waiting:
                live[slot] = waiting.pop()
        _step(engine, live)
        left = {slot: call for slot, call in live.items() if not call.done}
        if on_end is not None and len(left) < len(live):
            on_end(len(live) - len(left))
        live = left


def _step(engine: Engine, live: dict[int, OfflineCall]) -> None:
    """One batched step of all live calls."""
    plans = {slot: plan for slot, call in live.items() if (plan := call.plan()) is not None}
    for slot, plan in plans.items():
        if plan.opening is not None:
            engine.open(slot, plan.opening)
    batch = [plan.work(slot) for slot, plan in plans.items() if not plan.idle]
    outputs = {output.slot: output for output in engine.step(batch)} if batch else {}
    for slot in plans:
        live[slot].settle(outputs.get(slot))


def converse(
    engine: Engine, questions: Sequence[Pcm16], mode: ReplyMode = ReplyMode.TURN
) -> list[CallAnswer]:
    """Ask every question in a call of its own."""
    calls = [OfflineCall([question], mode, seed) for seed, question in enumerate(questions)]
    run_calls(engine, calls)
    return [call.answers[0] for call in calls]
