"""Makes a call that speaks a recording to a server and receives the reply.

When the socket is lost, it resumes the call on another one and continues where `ready` says, so no
frame is missed. `examples/client.py` shows the protocol without resuming and measuring.
"""

import asyncio
import json
import struct
import time
from collections.abc import Mapping
from typing import Any, Final, NoReturn
from urllib.parse import urlencode

import numpy as np
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.typing import Subprotocol

from client.failure import CallFailed
from client.measurements import CallMeasurements, speech_end_s
from client.no_connection import no_connection
from client.wire import Wire
from shared.audio import CHUNK_MS, Pcm16

HEADER: Final = struct.Struct("<IIHH")  # frame number, generation, flags, zero
PIECE_S: Final = CHUNK_MS / 1_000  # 0.08
PATIENCE_S: Final = 15.0  # for a reply, from the end of the recording
LINGER_S: Final = 0.5  # the call goes on for so long after the reply
HANG_UP_WITHIN_S: Final = 2.0  # for the server to take `end` and close the socket
# If a server does not report the end of a reply, silence of this length ends it.
QUIET_S: Final = 1.5
RETRY_S: Final = 0.1  # between two tries to resume
PLAYED_EVERY_PIECES: Final = 3  # 240 ms
# After these errors the session is still there to be resumed.
TRANSIENT_ERRORS: Final = ("internal", "no_capacity", "too_slow")


class SpokenCall:
    """One recording spoken to a server. `plain`: only audio both ways, without the subprotocol."""

    def __init__(
        self,
        url: str,
        question: Pcm16,
        *,
        plain: bool,
        start: Mapping[str, str | None],
        wire: Wire | None = None,
    ) -> None:
        """`question`: at the rate of `wire`. `start`: its fields mode, voice, style, auth."""
        self.wire = wire or Wire()
        named = {name: value for name, value in start.items() if value}
        self._start_fields: dict[str, str | int] = {**named, **self.wire.fields}
        query = f"?{urlencode(self._start_fields)}" if plain and self._start_fields else ""
        self.url = url + query
        self.measurements = CallMeasurements(rate_hz=self.wire.rate_hz)
        self.socket: ClientConnection | None = None
        self.session: str | None = None
        self.resumes = 0
        self._question = question
        self._native = not plain
        self._token = ""
        self._next_piece = 0  # of the recording, then of silence
        self._started_at = self._spoken_at = 0.0
        self._reports_done = False  # the server reports the end of a reply

    async def run(self) -> None:
        """Speak, take the reply to its end and hang up. Raises CallFailed."""
        try:
            socket: ClientConnection | None = await self._connect()
        except (OSError, WebSocketException, TimeoutError) as error:
            raise no_connection(self.url, error) from error
        self._started_at = time.monotonic()
        self._spoken_at = self._started_at + len(self._question) / self.wire.rate_hz
        while socket is not None:
            socket = await self._use(socket)

    def report(self) -> dict[str, Any]:
        """The measurements, as the JSON line of `client.talk`."""
        found = self.measurements
        audible_at = found.first_audible_at()
        speech_end_at = self._started_at + speech_end_s(self._question, self.wire.rate_hz)
        return {
            "transcript": found.transcript,
            "heard": " / ".join(found.transcripts),
            "first_audio_ms": _ms(self._decidable_at(), audible_at),
            "first_audio_from_speech_end_ms": _ms(speech_end_at, audible_at),
            "reply_seconds": round(len(found.samples()) / self.wire.rate_hz, 2),
            "gaps": found.gaps,
            "underruns": found.underruns,
            "frames": len(found.frames),
            "resumes": self.resumes,
            "session": self.session,
        }

    async def _use(self, socket: ClientConnection) -> ClientConnection | None:
        """Continue the call on this socket; the next socket if it is lost, None at the end."""
        receiving = asyncio.create_task(self._receive(socket))
        try:
            await self._speak(socket, receiving)
        except ConnectionClosed as closed:
            await asyncio.wait({receiving}, timeout=LINGER_S)
            if receiving.done() and isinstance(refusal := receiving.exception(), CallFailed):
                raise refusal from closed
            return await self._resume(closed)
        else:
            return None
        finally:
            receiving.cancel()
            await asyncio.gather(receiving, return_exceptions=True)
            await self._hang_up(socket)

    async def _hang_up(self, socket: ClientConnection) -> None:
        """Say `end` and close, however the call went: else the server would keep its slot."""
        try:
            async with asyncio.timeout(HANG_UP_WITHIN_S):
                if self._native:
                    await socket.send(json.dumps({"type": "end"}))
                await socket.close()
        except (ConnectionClosed, TimeoutError):  # the server has closed it, or does not answer
            socket.transport.abort()

    async def _connect(self) -> ClientConnection:
        """A socket on which the call starts or goes on. Raises CallFailed when it is refused."""
        protocols = [Subprotocol("antiphon.v1")] if self._native else None
        socket = await connect(self.url, subprotocols=protocols, compression=None)
        try:
            if self._native:
                await self._start(socket)
        except BaseException:
            await self._hang_up(socket)
            raise
        self.socket = socket
        return socket

    async def _start(self, socket: ClientConnection) -> None:
        start: dict[str, Any] = {"type": "start"}
        if self.session is not None:
            frame = self.measurements.last_frame
            start["resume"] = {"session": self.session, "token": self._token, "frame": frame}
        else:
            start |= self._start_fields
        await socket.send(json.dumps(start))
        answer = json.loads(await asyncio.wait_for(socket.recv(), PATIENCE_S))
        if answer["type"] != "ready":
            self._raise_refusal(answer)
        if self.session is None:
            self._reports_done = answer["mode"] == "turn"
        self.session, self._token = answer["session"], answer["token"]
        # The log holds the recording up to there; the rest is sent from there, again if need be.
        self._next_piece = answer["next_sample"] // self.wire.piece_samples

    def _raise_refusal(self, answer: dict[str, Any]) -> NoReturn:
        if self.session is not None and answer.get("code") in TRANSIENT_ERRORS:
            raise TimeoutError(answer["message"])
        again_ms = answer.get("retry_after_ms")
        hint = f"; try again in {again_ms / 1_000:.1f} s" if again_ms else ""
        raise CallFailed(f"The server refused: {answer.get('message', answer)}{hint}")

    async def _resume(self, closed: ConnectionClosed) -> ClientConnection:
        """The same call on another socket. Raises CallFailed when the session is lost."""
        if not self._native:
            raise CallFailed(f"The server closed the connection: {closed}") from closed
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                socket = await self._connect()
            except (OSError, WebSocketException, TimeoutError) as error:
                if time.monotonic() > deadline:
                    raise CallFailed(f"The connection was lost for good: {error}") from error
                await asyncio.sleep(RETRY_S)
            else:
                self.resumes += 1
                return socket

    async def _speak(self, socket: ClientConnection, receiving: asyncio.Task[None]) -> None:
        """Send the recording in real time, then silence, until the reply is over."""
        while not self._over(time.monotonic()):
            if receiving.done():
                receiving.result()
            # A microphone delivers a piece when its last sample was spoken, not before.
            due_at = self._started_at + (self._next_piece + 1) * PIECE_S
            # A lost socket ends this wait at once, so that the call is resumed without delay.
            await asyncio.wait({receiving}, timeout=max(0.0, due_at - time.monotonic()))
            await socket.send(self.wire.encode(self._piece(self._next_piece)))
            self._next_piece += 1
            if self._native and self._next_piece % PLAYED_EVERY_PIECES == 0:
                played = self.measurements.played(time.monotonic())
                await socket.send(json.dumps({"type": "played", "frame": played}))

    def _piece(self, number: int) -> Pcm16:
        """80 ms of the recording, then of silence."""
        size = self.wire.piece_samples
        found = self._question[number * size : (number + 1) * size]
        return np.pad(found, (0, size - len(found)))

    async def _receive(self, socket: ClientConnection) -> None:
        """Take everything that arrives. Raises CallFailed when the server ends the call."""
        async for data in socket:
            now = time.monotonic()
            if isinstance(data, str):
                event = json.loads(data)
                if event["type"] == "error" and event["code"] not in TRANSIENT_ERRORS:
                    raise CallFailed(
                        f"The server ended the call: {event['code']}: {event['message']}"
                    )
                self.measurements.take_event(event, now)
            elif self._native:
                number, generation, _, _ = HEADER.unpack(data[: HEADER.size])
                if number > self.measurements.last_frame:  # else it came on an earlier socket
                    self._take_frame(number, generation, data[HEADER.size :], now)
            else:
                self._take_frame(None, 0, data, now)

    def _take_frame(self, number: int | None, generation: int, audio: bytes, now: float) -> None:
        pcm = self.wire.decode(audio).tobytes()
        self.measurements.take_frame(number, generation, pcm, now)

    def _over(self, now: float) -> bool:
        """Whether the reply was played to its end. Raises CallFailed when none arrives."""
        found = self.measurements
        if now < self._spoken_at:
            return False
        audible = found.first_audible_at() is not None
        if not audible and now > self._spoken_at + PATIENCE_S:
            raise CallFailed(f"No reply within {PATIENCE_S:g} s of the end of the recording")
        if found.frames and now > max(self._spoken_at, found.frames[-1].received_at) + PATIENCE_S:
            raise CallFailed(f"The reply stopped in the middle for {PATIENCE_S:g} s")
        if self._reports_done:
            done = found.answered and not found.reply_open
            return done and not found.playing(now - LINGER_S)
        return audible and now > self._spoken_at + QUIET_S and found.quiet_s(now) > QUIET_S

    def _decidable_at(self) -> float | None:
        """When the client had sent all audio that the server needed to end the turn.

        The message that reports the decision is no measure: it comes with the first audio, so it
        would hide the model's time and the network's.
        """
        sample = self.measurements.decided_sample
        return None if sample is None else self._started_at + sample / self.wire.rate_hz


def _ms(since: float | None, at: float | None) -> float | None:
    return None if since is None or at is None else round((at - since) * 1_000, 1)
