"""A Realtime client, its session and a worker's conversation in one process, without I/O or clock.

Time passes only where a test lets it: `wait` plays and runs the worker.
"""

import base64
import json
from typing import Any

import numpy as np

from gateway.call.opening import Place
from gateway.call.resume import Missed, delivered, missed
from gateway.call.uplink import MAX_WAITING_RECORDS, Uplink
from gateway.realtime.dialect import Dialect
from gateway.realtime.endpoint import LEAD_FRAMES, session_at
from gateway.realtime.session import AnyDialect, RealtimeSession, new_uplink
from shared.audio import CHUNK_MS, CHUNK_SAMPLES, FRAME_MS
from shared.log.records import Audio
from shared.log.writes import Answer, Receipt
from shared.modes import ReplyMode
from tests.unit.workers.runtime.conversation.rehearsal import Rehearsal
from workers.engines.base import Engine
from workers.runtime.conversation.tuning import Tuning

SID = "0123456789abcdef" * 2
TICK_S = 0.02


class Exchange:
    """One client at one session; `events` holds all that it got."""

    session: RealtimeSession
    lead_frames = LEAD_FRAMES

    def __init__(self, engine: Engine | None = None, mode: ReplyMode = ReplyMode.TURN) -> None:
        self.now = 100.0
        self.tick_s = TICK_S
        self.stuck = False  # the gateway writes nothing to the log
        self.events: list[dict[str, Any]] = []
        self.worker = Rehearsal(mode, engine, Tuning())
        self._read = 0
        self._connections = 1
        self._missed: Missed

    def begin(self, dialect: AnyDialect, uplink: Uplink) -> None:
        """Begin the client's session."""
        place = Place(SID, "1:g:n", self.now)
        self.session = session_at(place, uplink, dialect, self.now, lead_frames=self.lead_frames)
        self.session.begin(self.now)

    def place_after(self, frame: int, packed: bytes) -> Place:
        """Where another gateway goes on after `frame`, the client's last one.

        `packed`: what Redis has of the session.
        """
        self._connections += 1
        state = self.worker.conversation.state
        records = [record for _, record in self.worker.outputs]
        self._missed = missed(records, frame, state.frame)
        chunks = sum(isinstance(record, Audio) for _, record in self.worker.inputs)
        return Place(
            SID,
            f"{self._connections}:g:n",
            self.now,
            n=len(self.worker.inputs),
            samples=chunks * CHUNK_SAMPLES,
            next_frame=self._missed.next_frame,
            generation=state.generation,
            client=packed,
            has_frame=self._missed.has_frame,
            delivered=delivered(self.worker.outputs, frame),
        )

    def go_on(self, place: Place, uplink: Uplink, dialect: AnyDialect, known: int | None) -> None:
        """Serve the client there; `known`: the last record that the dialect knows."""
        self.session = session_at(
            place,
            uplink,
            dialect,
            self.now,
            lead_frames=self.lead_frames,
            keeps=True,
            known=known,
        )
        self.session.begin(self.now, "token")
        output = self.worker.conversation.state.output
        self.session.replay(self._missed.records, output, self.now)
        self.work()

    def send(self, kind: str, **fields: Any) -> None:
        """Send one event, and let the worker take it."""
        self.raw(json.dumps({"type": kind, **fields}))

    def raw(self, text: str) -> None:
        """Send any text."""
        self.session.receive(text, self.now)
        self.work()

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        until = self.now + seconds - 1e-9
        while self.now < until:
            self.now += self.tick_s
            self.work()

    def work(self) -> None:
        """Exchange records between the session and the worker, and send what is due."""
        while (
            not self.stuck
            and (append := self.session.next_append(self.now)) is not None
            and append.records
        ):
            self.worker.run(*append.records)
            last = append.first + len(append.records) - 1
            self.session.take_receipt(Receipt(Answer.STORED, last), self.now)
            assert len(append.records) <= MAX_WAITING_RECORDS
        while self.worker.turn():
            pass
        if new := self.worker.outputs[self._read :]:  # they count from 1
            self._read = new[-1][0]
            self.session.take_records(new, self.now)
        self.session.send_due(self.now)
        self._collect()

    def got(self, kind: str) -> list[dict[str, Any]]:
        """All events of this type."""
        return [event for event in self.events if event["type"] == kind]

    def types(self, since: int = 0) -> list[str]:
        """The types of all events; several deltas in a row count once."""
        found: list[str] = []
        for event in self.events[since:]:
            if not found or found[-1] != event["type"]:
                found.append(event["type"])
        return found

    def error(self) -> dict[str, Any]:
        """What the last error event reports."""
        error: dict[str, Any] = self.got("error")[-1]["error"]
        return error

    def _collect(self) -> None:
        while messages := self.session.more_messages():
            for message in messages:
                self.collect(json.loads(message))

    def collect(self, message: dict[str, Any]) -> None:
        """Keep what the client got."""
        self.events.append(message)


class Stage(Exchange):
    """One Realtime client."""

    def __init__(self, engine: Engine | None = None, model: str = "") -> None:
        super().__init__(engine)
        uplink = new_uplink(self.now)
        self.dialect = Dialect(
            SID,
            model,
            uplink.sample_of,
            voices=("low",),
            takes_text=self.worker.engine.traits.reads,
        )
        self.begin(self.dialect, uplink)
        self._collect()

    def saved(self) -> bytes:
        """What Redis would have of the session now."""
        return self.dialect.saved(self.session.position)

    def resume(self, frame: int, packed: bytes | None = None, event_id: str = "") -> None:
        """Lose the socket; another gateway goes on after `frame`, the client's last one.

        `packed`: what Redis has of the session, by default all.
        """
        place = self.place_after(frame, self.saved() if packed is None else packed)
        uplink = new_uplink(self.now, n=place.n, samples=place.samples)
        self.dialect = Dialect(
            SID,
            "",
            uplink.sample_of,
            voices=("low",),
            takes_text=self.worker.engine.traits.reads,
            resumed=place.generation,
            samples=place.samples,
            connection=self._connections,
        )
        known = self.dialect.restore(place.client, place.has_frame, place.delivered, event_id)
        self.go_on(place, uplink, self.dialect, known)

    def say(self, *chunks: Any) -> None:
        """Send sound in real time, 80 ms an event."""
        for chunk in chunks:
            audio = base64.b64encode(np.asarray(chunk, "<i2").tobytes()).decode()
            self.send("input_audio_buffer.append", audio=audio)
            self.wait(CHUNK_MS / 1_000)

    @property
    def frames(self) -> int:
        """How many frames of sound the client got."""
        size = sum(len(base64.b64decode(e["delta"])) for e in self.got(SOUND))
        return size // (24 * 2 * FRAME_MS)


SOUND = "response.output_audio.delta"
