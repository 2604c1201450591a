"""A caller for the chaos suite: speaks in real time, reconnects after every loss, resends."""

import asyncio
import itertools
import json
import struct
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn

import redis
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException
from websockets.typing import Subprotocol

from shared.audio import CHUNK_MS, CHUNK_SAMPLES
from tests.chaos.oracle import Ledger
from tests.chaos.subject import ECHO, Subject

HEADER: Final = struct.Struct("<IIHH")  # frame, generation, flags, zero
CHUNK_S: Final = CHUNK_MS / 1_000
POISON: Final = b"\x9a\x02" * CHUNK_SAMPLES
RING_CHUNKS: Final = 25  # the caller can resend 2 s of acknowledged audio
# A gateway takes 12 s at once from a caller who resumes, then twice real time. More would end the
# connection, and a caller who was cut off for longer would never catch up.
AT_ONCE_CHUNKS: Final = 100
CATCH_UP_SPEED: Final = 1.5
LATE_CHUNKS: Final = 3
LATE_S: Final = 0.03  # a head start for late audio: it would be in the log first, if accepted
BACK_OFF_S: Final = (0.02, 0.05, 0.1, 0.2, 0.4)
CONNECT_WITHIN_S: Final = 5.0
LEAVE_WITHIN_S: Final = 2.0


@dataclass
class Call:
    """One session of a caller, over any number of sockets."""

    ledger: Ledger
    began_at: float
    stopped_at: float | None = None
    session: str = ""
    token: str = ""
    frame: int = 0  # number of the last frame
    acked: int = 0  # chunks

    def recorded_chunks(self, now: float) -> int:
        """How many chunks the microphone has recorded."""
        return int(((self.stopped_at or now) - self.began_at) / CHUNK_S)

    def start_message(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """The message that begins or resumes the session."""
        if not self.session:
            return {"type": "start", "mode": "stream", "options": {**options}}
        resume = {"session": self.session, "token": self.token, "frame": self.frame}
        return {"type": "start", "resume": resume}


class RefusedError(Exception):
    """The server refused to begin or to continue the session."""


@dataclass
class Caller:
    """Makes one call after another; each call has audio of its own."""

    urls: Sequence[str]
    seed: int
    number: int
    subject: Subject = ECHO
    log: redis.Redis | None = None
    calls: list[Call] = field(default_factory=list)
    arrivals: list[float] = field(default_factory=list)  # of frames, monotonic seconds
    refused: int = 0  # calls that the server refused to begin
    outcomes: list[str] = field(default_factory=list)
    left_open: list[ClientConnection] = field(default_factory=list)
    socket: ClientConnection | None = None
    poison_at: int | None = None  # the chunk that kills the worker
    _late: list[ClientConnection] = field(default_factory=list)
    _stopping: bool = False
    _tries: int = 0
    _url_index: int = 0

    async def run(self) -> None:
        """Speak until `stop`, then wait for the frames that are still missing."""
        self._url_index = self.number
        try:
            await self._call_until_complete()
        finally:
            for socket in self.left_open:
                socket.transport.abort()
                await socket.wait_closed()

    async def _call_until_complete(self) -> None:
        while not self._over():
            try:
                await self._connected()
            except RefusedError:
                self._tries += 1
            except (OSError, WebSocketException, TimeoutError):
                self._tries += 1
                self._url_index += 1
            await asyncio.sleep(BACK_OFF_S[min(self._tries, len(BACK_OFF_S) - 1)])

    def stop(self) -> None:
        """Stop speaking."""
        self._stopping = True
        if self.calls and self.calls[-1].stopped_at is None:
            self.calls[-1].stopped_at = time.monotonic()

    @property
    def stopping(self) -> bool:
        """Whether `stop` was called."""
        return self._stopping

    def abandon(self) -> None:
        """Leave the socket open and stop reading it, as when the network dies silently."""
        if (socket := self.socket) is not None:
            self.left_open.append(socket)
            self._late.append(socket)
            socket.transport.pause_reading()
            self.socket = None
            self._url_index += 1

    def reset(self) -> None:
        """Reset the connection, in the middle of any message."""
        if self.socket is not None:
            self.socket.transport.abort()

    def poison(self) -> None:
        """Send the poison chunk next: it kills the worker that hears it."""
        self.poison_at = self.calls[-1].recorded_chunks(time.monotonic()) + 2

    def _over(self) -> bool:
        if not self._stopping:
            return False
        if not self.calls or self.calls[-1].ledger.ended_by:
            return True
        call, now = self.calls[-1], time.monotonic()
        last = max(self.arrivals[-1] if self.arrivals else 0.0, call.stopped_at or now)
        return call.ledger.complete(call.recorded_chunks(now)) or now - last > call.ledger.hung_s

    def _call(self) -> Call:
        if not self.calls or self.calls[-1].ledger.ended_by:
            number = self.number * 64 + len(self.calls) + 1
            ledger = self.subject.ledger(self.log, self.seed, number)
            self.calls.append(Call(ledger, time.monotonic()))
        return self.calls[-1]

    async def _connected(self) -> None:
        call = self._call()
        if self._stopping and call.stopped_at is None:
            call.stopped_at = time.monotonic()
        url = self.urls[self._url_index % len(self.urls)]
        async with asyncio.timeout(CONNECT_WITHIN_S):
            socket = await connect(
                url,
                subprotocols=[Subprotocol("antiphon.v1")],
                compression=None,
                ping_interval=None,
                close_timeout=LEAVE_WITHIN_S,
                max_queue=None,
            )
        self.socket = socket
        try:
            async with asyncio.timeout(CONNECT_WITHIN_S):
                chunk = await self._begin(socket, call)
            await self._send_late_audio(call, chunk)
            await self._talk(socket, call, chunk)
        finally:
            if self.socket is not None:
                self.socket = None
                socket.transport.abort()
                await socket.wait_closed()

    async def _begin(self, socket: ClientConnection, call: Call) -> int:
        """Begin or resume; the first chunk to send. Raises RefusedError."""
        await socket.send(json.dumps(call.start_message(self.subject.options)))
        answer = json.loads(await socket.recv())
        if answer["type"] != "ready":
            self._refused(call, answer)
        if not call.session:
            call.began_at = time.monotonic()
        call.session, call.token = answer["session"], answer["token"]
        call.ledger.session = call.session
        self.outcomes.append(answer["outcome"])
        call.ledger.resumed(answer["outcome"], answer["next_frame"])
        if answer["outcome"] == "not_recovered":
            call.frame = answer["next_frame"] - 1
        self._tries = 0
        wanted = int(answer["next_sample"]) // CHUNK_SAMPLES
        return max(wanted, call.acked - RING_CHUNKS)

    async def _send_late_audio(self, call: Call, chunk: int) -> None:
        """Send audio on the abandoned sockets: it arrives after their successor has connected."""
        while self._late:
            with suppress(OSError, WebSocketException):
                socket = self._late.pop()
                for index in range(max(0, chunk - LATE_CHUNKS), chunk):
                    await socket.send(call.ledger.audio.chunk(index))
                await asyncio.sleep(LATE_S)

    def _refused(self, call: Call, answer: dict[str, Any]) -> NoReturn:
        code = answer.get("code", answer["type"])
        if call.session and code in ("not_found", "bad_token", "session_lost", "poisoned"):
            call.ledger.ended_by = code
        elif not call.session:
            self.refused += 1
            call.began_at = time.monotonic()
        raise RefusedError(code)

    async def _talk(self, socket: ClientConnection, call: Call, chunk: int) -> None:
        speaking = asyncio.create_task(self._speak(socket, call, chunk))
        listening = asyncio.create_task(self._listen(socket, call))
        try:
            await asyncio.wait({speaking, listening}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (speaking, listening):
                task.cancel()
            results = await asyncio.gather(speaking, listening, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception):
                raise result

    async def _speak(self, socket: ClientConnection, call: Call, chunk: int) -> None:
        """Send each chunk once it is recorded; return when all frames have come back."""
        began, first = time.monotonic(), chunk + AT_ONCE_CHUNKS
        while self.socket is socket and not self._over():
            now = time.monotonic()
            allowed = first + int(CATCH_UP_SPEED * (now - began) / CHUNK_S)
            due = min(call.recorded_chunks(now), allowed)
            while chunk < due and self.socket is socket:
                poisoned = chunk == self.poison_at and len(self.calls) == 1
                await socket.send(POISON if poisoned else call.ledger.audio.chunk(chunk))
                chunk += 1
                if chunk % 3 == 0:
                    await socket.send(json.dumps({"type": "played", "frame": call.frame}))
            await asyncio.sleep(CHUNK_S / 4)
        if self.socket is socket:
            await socket.send(json.dumps({"type": "end"}))
            with suppress(TimeoutError):
                await asyncio.wait_for(socket.wait_closed(), LEAVE_WITHIN_S)

    async def _listen(self, socket: ClientConnection, call: Call) -> None:
        async for message in socket:
            if self.socket is not socket:
                return
            if isinstance(message, bytes):
                call.frame = HEADER.unpack_from(message)[0]
                call.ledger.take(message[HEADER.size :], call.frame)
                self.arrivals.append(time.monotonic())
            else:
                self._take_event(json.loads(message), call)

    def _take_event(self, event: dict[str, Any], call: Call) -> None:
        match event["type"]:
            case "ack":
                call.acked = event["samples"] // CHUNK_SAMPLES
            case "skip":
                call.ledger.skip(event["first"], event["last"])
            case "error" if event["code"] in ("session_lost", "poisoned"):
                call.ledger.ended_by = event["code"]
                raise RefusedError(event["code"])
            case "error":
                self.outcomes.append(event["code"])


def silences(arrivals: Sequence[float], since: float, until: float) -> list[float]:
    """Seconds between consecutive frames, for the pairs with their second frame in the interval."""
    pairs = itertools.pairwise(arrivals)
    return [after - before for before, after in pairs if since <= after <= until]
