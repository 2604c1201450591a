"""ENGINE=moshi under the faults: every frame and every code against a call that never died.

The model's speech is not in the caller's audio, so it is computed again: an engine without Redis,
gateway and faults hears the same chunks. A tiny random checkpoint talks without a pause.

A batch of several calls, or a rebuilt context, sums in another order. Where two tokens are equal
but for that rounding, a call might go on with the other one. It would show as `foreign`, without a
fault of the log. Draws make that rare (`workers/models/moshi/sampling.py`).
"""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from typing import Any, ClassVar, Final

import numpy as np
import redis

from shared.audio import CHUNK_SAMPLES, FRAME_BYTES
from shared.log import keys
from shared.log.records import Step, decode
from shared.modes import ReplyMode
from tests.chaos.oracle import CallAudio, Ledger
from tests.chaos.subject import Subject
from tests.patience import PATIENCE_S, wait_until
from tests.unit.workers.engines.moshi.made import made_engine, shared_folder
from tests.unit.workers.runtime.conversation.rehearsal import Rehearsal
from workers.engines.moshi.engine import MoshiEngine
from workers.runtime.conversation.tuning import Tuning

LOUDEST: Final = 3_000
# Another batch sums in another order, and the limiter rounds: two steps of 16 bits at most.
SOUND_WITHIN: Final = 4
SLOTS: Final = 8
# Nothing is speech, so nothing interrupts, and no chunk is taken for the assistant's own echo. Both
# depend on when a frame was played. The model hears every chunk all the same.
OPTIONS: Final[dict[str, Any]] = {"interrupts": False, "vad_threshold": 0.5}

Codes = tuple[bytes | None, tuple[bytes, ...]]


class Babble(CallAudio):
    """Noise in which the codec hears different codes in every chunk."""

    def chunk(self, index: int) -> bytes:
        """Chunk `index` (from 0)."""
        rng = np.random.default_rng((self.seed, self.number, index))
        most = rng.integers(100, LOUDEST)
        return rng.integers(-most, most, CHUNK_SAMPLES, dtype="<i2").tobytes()


@dataclass
class TalkLedger(Ledger):
    """The frames of one call, and what an engine that never died says in it."""

    log: redis.Redis = field(kw_only=True)
    frames: dict[int, bytes] = field(default_factory=dict)
    hung_s: ClassVar[float] = 2 * PATIENCE_S
    _whole: Future[list[bytes]] | None = None

    def take(self, pcm: bytes, number: int) -> None:
        """Count a received frame by its number."""
        self.doubled += number in self.received
        self.reordered += number < self.newest and number not in self.received
        self.received.add(number)
        self.frames[number] = pcm
        self.newest = max(self.newest, number)

    def complete(self, chunks: int) -> bool:
        """Whether all came that an engine says to so many chunks. Called when the call is over."""
        if self._whole is None:
            self._whole = _REFERENCE.submit(self._expect, chunks)
        return self._whole.done()

    def lost(self, chunks: int) -> int:
        """Frames that never came; also compares those that came."""
        if self.ended_by:
            return 0
        self.complete(chunks)
        assert self._whole is not None
        expected = self._whole.result()
        self.foreign += sum(number > len(expected) for number in self.frames)
        for number, pcm in enumerate(expected, 1):
            self.foreign += number in self.frames and not alike(pcm, self.frames[number])
        return len(set(range(1, len(expected) + 1)) - self.received - self.skipped)

    def _expect(self, chunks: int) -> list[bytes]:
        """In a thread: the frames of a call that never died. Counts steps with other codes."""
        meta: Any = self.log.hget(keys.meta(self.session), "seed")
        rehearsal = Rehearsal(ReplyMode.STREAM, _engine(), Tuning(**OPTIONS), seed=int(meta))
        rehearsal.run(*(np.frombuffer(self.audio.chunk(i), "<i2") for i in range(chunks)))
        frames = [
            record.pcm[at : at + FRAME_BYTES]
            for record in rehearsal.speech
            for at in range(0, len(record.pcm), FRAME_BYTES)
        ]
        wait_until(lambda: len(self.frames) >= len(frames), lambda: f"{len(self.frames)} frames")
        expected = [codes(record) for _, record in rehearsal.steps if isinstance(record, Step)]
        found = list(self._logged())
        assert found
        self.foreign += sum(a != b for a, b in zip(found, expected[-len(found) :], strict=True))
        return frames

    def _logged(self) -> Iterator[Codes]:
        """What the log still holds; it is trimmed to what a takeover needs."""
        entries: Any = self.log.xrange(keys.steps(self.session))
        for _, fields in entries:
            ((kind, value),) = fields.items()
            record = decode(kind.decode(), value)
            if isinstance(record, Step) and record.hear:
                yield codes(record)


def codes(step: Step) -> Codes:
    """What a step said and heard."""
    return step.said, step.heard


def alike(one: bytes, other: bytes) -> bool:
    """Whether two frames have the same sound."""
    left, right = (np.frombuffer(pcm, "<i2").astype(int) for pcm in (one, other))
    return left.shape == right.shape and bool(np.abs(left - right).max() <= SOUND_WITHIN)


@cache
def _engine() -> MoshiEngine:
    return made_engine()


_REFERENCE: Final = ThreadPoolExecutor(1, "reference")


def talk_ledger(log: redis.Redis | None, seed: int, number: int) -> TalkLedger:
    """Checks one call."""
    assert log is not None
    return TalkLedger(Babble(seed, number), log=log)


def moshi(seed: int = 1) -> Subject:
    """The subject; its checkpoint lasts as long as this process. `seed`: of every call's draws."""
    env = {
        "ENGINE": "moshi",
        "MODEL": str(shared_folder()),
        "DEVICE": "cpu",
        "WORKER_SLOTS": str(SLOTS),
        "SESSION_SEED": str(seed),
        "GATEWAY_STEP_BUDGET_MS": "10000",  # a busy machine turns no caller away
    }
    return Subject(env, talk_ledger, OPTIONS)
