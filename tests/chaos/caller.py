"""A caller who never gives up: speaks in real time, comes back after every loss, repairs."""

import asyncio
import itertools
import json
import struct
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException
from websockets.typing import Subprotocol

from shared.audio import CHUNK_MS, CHUNK_SAMPLES
from tests.chaos.oracle import Ledger, Voice

HEADER: Final = struct.Struct("<IIHH")  # frame, generation, flags, zero
CHUNK_S: Final = CHUNK_MS / 1_000
POISON: Final = b"\x9a\x02" * CHUNK_SAMPLES
RING_CHUNKS: Final = 25  # 2 s of what was acknowledged can be said again
LATE_CHUNKS: Final = 3
LATE_S: Final = 0.03  # and are in the log before what the new socket brings, if it takes them
HUNG_S: Final = 10.0  # without a frame that is owed: the call hangs
BACK_OFF_S: Final = (0.02, 0.05, 0.1, 0.2, 0.4)
CONNECT_WITHIN_S: Final = 5.0
LEAVE_WITHIN_S: Final = 2.0


@dataclass
class Call:
    """One session of a caller, over as many sockets as it takes."""

    ledger: Ledger
    began_at: float
    stopped_at: float | None = None
    session: str = ""
    token: str = ""
    frame: int = 0  # the last frame's number
    acked: int = 0  # chunks

    def made(self, now: float) -> int:
        """How many chunks the microphone has given."""
        return int(((self.stopped_at or now) - self.began_at) / CHUNK_S)

    def start(self) -> dict[str, Any]:
        """How to begin or go on."""
        if not self.session:
            return {"type": "start", "mode": "stream"}
        resume = {"session": self.session, "token": self.token, "frame": self.frame}
        return {"type": "start", "resume": resume}


class Hopeless(Exception):
    """The server said that this session is over."""


@dataclass
class Caller:
    """Calls, one after the other; each is told from all others by its voice."""

    urls: Sequence[str]
    seed: int
    number: int
    calls: list[Call] = field(default_factory=list)
    arrivals: list[float] = field(default_factory=list)  # of frames, monotonic seconds
    refused: int = 0  # starts that were turned away
    outcomes: list[str] = field(default_factory=list)
    left_open: list[ClientConnection] = field(default_factory=list)
    socket: ClientConnection | None = None
    poison_at: int | None = None  # the chunk at which the model's process dies
    _late: list[ClientConnection] = field(default_factory=list)
    _stopping: bool = False
    _tries: int = 0
    _at: int = 0

    async def run(self) -> None:
        """Speak until `stop`, then hear the rest of it."""
        self._at = self.number
        try:
            await self._talk_until_heard()
        finally:
            for socket in self.left_open:
                socket.transport.abort()
                await socket.wait_closed()

    async def _talk_until_heard(self) -> None:
        while not self._over():
            try:
                await self._connected()
            except Hopeless:
                self._tries += 1
            except (OSError, WebSocketException, TimeoutError):
                self._tries += 1
                self._at += 1
            await asyncio.sleep(BACK_OFF_S[min(self._tries, len(BACK_OFF_S) - 1)])

    def stop(self) -> None:
        """Say no more."""
        self._stopping = True
        if self.calls and self.calls[-1].stopped_at is None:
            self.calls[-1].stopped_at = time.monotonic()

    def abandon(self) -> None:
        """The network dies without a word: this socket is read no more, and nobody closes it."""
        if (socket := self.socket) is not None:
            self.left_open.append(socket)
            self._late.append(socket)
            socket.transport.pause_reading()
            self.socket = None
            self._at += 1

    def reset(self) -> None:
        """The network dies with a reset, in the middle of whatever was said."""
        if self.socket is not None:
            self.socket.transport.abort()

    def _over(self) -> bool:
        if not self._stopping:
            return False
        if not self.calls or self.calls[-1].ledger.told:
            return True
        call, now = self.calls[-1], time.monotonic()
        last = max(self.arrivals[-1] if self.arrivals else 0.0, call.stopped_at or now)
        return call.ledger.complete(call.made(now)) or now - last > HUNG_S

    def _call(self) -> Call:
        if not self.calls or self.calls[-1].ledger.told:
            voice = Voice(self.seed, self.number * 64 + len(self.calls) + 1)
            self.calls.append(Call(Ledger(voice), time.monotonic()))
        return self.calls[-1]

    async def _connected(self) -> None:
        call = self._call()
        if self._stopping and call.stopped_at is None:
            call.stopped_at = time.monotonic()
        url = self.urls[self._at % len(self.urls)]
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
            await self._arrive_late(call, chunk)
            await self._talk(socket, call, chunk)
        finally:
            if self.socket is not None:
                self.socket = None
                socket.transport.abort()
                await socket.wait_closed()

    async def _begin(self, socket: ClientConnection, call: Call) -> int:
        """The chunk with which to go on. Raises Hopeless."""
        await socket.send(json.dumps(call.start()))
        answer = json.loads(await socket.recv())
        if answer["type"] != "ready":
            self._refused(call, answer)
        if not call.session:
            call.began_at = time.monotonic()
        call.session, call.token = answer["session"], answer["token"]
        self.outcomes.append(answer["outcome"])
        call.ledger.resumed(answer["outcome"], answer["next_frame"])
        if answer["outcome"] == "not_recovered":
            call.frame = answer["next_frame"] - 1
        self._tries = 0
        wanted = int(answer["next_sample"]) // CHUNK_SAMPLES
        return max(wanted, call.acked - RING_CHUNKS)

    async def _arrive_late(self, call: Call, chunk: int) -> None:
        """What was under way on a socket that was left arrives when its successor is there."""
        while self._late:
            with suppress(OSError, WebSocketException):
                socket = self._late.pop()
                for index in range(max(0, chunk - LATE_CHUNKS), chunk):
                    await socket.send(call.ledger.voice.chunk(index))
                await asyncio.sleep(LATE_S)

    def _refused(self, call: Call, answer: dict[str, Any]) -> NoReturn:
        code = answer.get("code", answer["type"])
        if call.session and code in ("not_found", "bad_token", "session_lost", "poisoned"):
            call.ledger.told = code
        elif not call.session:
            self.refused += 1
            call.began_at = time.monotonic()
        raise Hopeless(code)

    async def _talk(self, socket: ClientConnection, call: Call, chunk: int) -> None:
        speaking = asyncio.create_task(self._speak(socket, call, chunk))
        hearing = asyncio.create_task(self._hear(socket, call))
        try:
            await asyncio.wait({speaking, hearing}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (speaking, hearing):
                task.cancel()
            results = await asyncio.gather(speaking, hearing, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception):
                raise result

    async def _speak(self, socket: ClientConnection, call: Call, chunk: int) -> None:
        """What the microphone gives, when it gives it; returns when all of it was heard."""
        while self.socket is socket and not self._over():
            now = time.monotonic()
            while chunk < call.made(now) and self.socket is socket:
                poisoned = chunk == self.poison_at and len(self.calls) == 1
                await socket.send(POISON if poisoned else call.ledger.voice.chunk(chunk))
                chunk += 1
                if chunk % 3 == 0:
                    await socket.send(json.dumps({"type": "played", "frame": call.frame}))
            await asyncio.sleep(CHUNK_S / 4)
        if self.socket is socket:
            await socket.send(json.dumps({"type": "end"}))
            with suppress(TimeoutError):
                await asyncio.wait_for(socket.wait_closed(), LEAVE_WITHIN_S)

    def poison(self) -> None:
        """What is said next kills the process that hears it."""
        self.poison_at = self.calls[-1].made(time.monotonic()) + 2

    async def _hear(self, socket: ClientConnection, call: Call) -> None:
        async for message in socket:
            if self.socket is not socket:
                return
            if isinstance(message, bytes):
                call.frame = HEADER.unpack_from(message)[0]
                call.ledger.take(message[HEADER.size :])
                self.arrivals.append(time.monotonic())
            else:
                self._event(json.loads(message), call)

    def _event(self, event: dict[str, Any], call: Call) -> None:
        match event["type"]:
            case "ack":
                call.acked = event["samples"] // CHUNK_SAMPLES
            case "skip":
                call.ledger.skip(event["first"], event["last"])
            case "error" if event["code"] in ("session_lost", "poisoned"):
                call.ledger.told = event["code"]
                raise Hopeless(event["code"])
            case "error":
                self.outcomes.append(event["code"])


def silences(arrivals: Sequence[float], since: float, until: float) -> list[float]:
    """Seconds between one frame and the next, where that ends within the time."""
    pairs = itertools.pairwise(arrivals)
    return [after - before for before, after in pairs if since <= after <= until]
