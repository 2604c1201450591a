"""`python -m client.talk question.wav`: speak a file to a running server, save its answer.

Also the example of a client in Python. The whole protocol is here: say `start`, wait for `ready`,
send PCM16 as a microphone would, and take frames (12-byte header, 960 bytes) and JSON events.
When the socket is lost, `start` with `resume` goes on where `ready` says: no frame is missed.
"""

import argparse
import asyncio
import json
import struct
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NoReturn
from urllib.parse import urlencode

import soundfile
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.typing import Subprotocol

from client.measurements import Hearing, resample, speech_end_s
from shared.audio import CHUNK_MS, CHUNK_SAMPLES, SAMPLE_RATE_HZ, Pcm16, pcm16_from_bytes

HEADER: Final = struct.Struct("<IIHH")  # frame number, generation, flags, zero
PIECE_S: Final = CHUNK_MS / 1_000  # 0.08
SILENCE: Final = bytes(2 * CHUNK_SAMPLES)
PATIENCE_S: Final = 15.0  # for a reply, from the end of the file
LINGER_S: Final = 0.5  # listened on after the reply
# Where nobody says that a reply is done, this much silence does.
QUIET_S: Final = 1.5
RETRY_S: Final = 0.1  # between two tries to come back
# Errors after which the call itself is still there to be resumed.
PASSING: Final = ("internal", "no_capacity", "too_slow")


class TalkError(Exception):
    """The conversation did not happen; the message says why."""


class Conversation:
    """One file spoken to a server, over as many sockets as it takes."""

    def __init__(
        self, url: str, question: Pcm16, *, plain: bool, wish: Mapping[str, str | None]
    ) -> None:
        """`wish`: of the fields of `start` those that hold a word, as mode, voice and auth."""
        self.wish = {name: word for name, word in wish.items() if word}
        self.url = f"{url}?{urlencode(self.wish)}" if plain and self.wish else url
        self.question = question.astype("<i2").tobytes()
        self.native = not plain
        self.hearing = Hearing()
        self.socket: ClientConnection | None = None
        self.session: str | None = None
        self.resumes = 0
        self.began_at = self.spoken_at = 0.0
        self.tells_done = False  # the server says when a reply is done
        self._token = ""
        self._piece = 0  # the next to send

    async def hold(self) -> None:
        """Speak, and listen until the answer is over. Raises TalkError."""
        try:
            socket: ClientConnection | None = await self._connect()
        except (OSError, WebSocketException, TimeoutError) as error:
            raise TalkError(
                f"No server at {self.url} ({error}); start one with `make run`, "
                "or name it with --url"
            ) from error
        self.began_at = time.monotonic()
        self.spoken_at = self.began_at + len(self.question) / (2 * SAMPLE_RATE_HZ)
        while socket is not None:
            socket = await self._held(socket)

    async def _held(self, socket: ClientConnection) -> ClientConnection | None:
        """Talk on this socket; the one to go on with when it was lost, None at the end."""
        listening = asyncio.create_task(self._listen(socket))
        try:
            await self._speak(socket, listening)
            if self.native:
                await socket.send(json.dumps({"type": "end"}))
        except ConnectionClosed as closed:
            await asyncio.wait({listening}, timeout=LINGER_S)
            if listening.done():
                _raise_refusal(listening)
            return await self._come_back(closed)
        else:
            return None
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
            await socket.close()

    async def _connect(self) -> ClientConnection:
        """A socket on which the call begins or goes on. Raises TalkError when it is refused."""
        protocols = [Subprotocol("antiphon.v1")] if self.native else None
        socket = await connect(self.url, subprotocols=protocols, compression=None)
        try:
            if self.native:
                await self._start(socket)
        except BaseException:
            await socket.close()
            raise
        self.socket = socket
        return socket

    async def _start(self, socket: ClientConnection) -> None:
        wish: dict[str, Any] = {"type": "start"}
        if self.session is not None:
            frame = self.hearing.last_frame
            wish["resume"] = {"session": self.session, "token": self._token, "frame": frame}
        else:
            wish |= self.wish
        await socket.send(json.dumps(wish))
        answer = json.loads(await asyncio.wait_for(socket.recv(), PATIENCE_S))
        if answer["type"] != "ready":
            self._refused(answer)
        if self.session is None:
            self.tells_done = answer["mode"] == "turn"
        self.session, self._token = answer["session"], answer["token"]
        # What the server has of the file; the rest, sent before or not, is sent from here.
        self._piece = answer["next_sample"] // CHUNK_SAMPLES

    def _refused(self, answer: dict[str, Any]) -> NoReturn:
        if self.session is not None and answer.get("code") in PASSING:
            raise TimeoutError(answer["message"])
        raise TalkError(f"The server refused: {answer.get('message', answer)}")

    async def _come_back(self, closed: ConnectionClosed) -> ClientConnection:
        """The same call on another socket. Raises TalkError when that is not to be had."""
        if not self.native:
            raise TalkError(f"The server closed the connection: {closed}") from closed
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                socket = await self._connect()
            except (OSError, WebSocketException, TimeoutError) as error:
                if time.monotonic() > deadline:
                    raise TalkError(f"The connection was lost for good: {error}") from error
                await asyncio.sleep(RETRY_S)
            else:
                self.resumes += 1
                return socket

    async def _speak(self, socket: ClientConnection, listening: asyncio.Task[None]) -> None:
        """Send the file as fast as a person would speak it, then silence."""
        while not self._over(time.monotonic()):
            if listening.done():
                listening.result()
            at = self._piece * len(SILENCE)
            # A microphone gives a piece when its last sample was spoken, not before.
            due_at = self.began_at + (self._piece + 1) * PIECE_S
            # Woken when the socket is lost: each millisecond until the next one is the caller's.
            await asyncio.wait({listening}, timeout=max(0.0, due_at - time.monotonic()))
            await socket.send(self.question[at : at + len(SILENCE)].ljust(len(SILENCE), b"\0"))
            self._piece += 1
            if self.native and self._piece % 3 == 0:
                played = self.hearing.played(time.monotonic())
                await socket.send(json.dumps({"type": "played", "frame": played}))

    async def _listen(self, socket: ClientConnection) -> None:
        """Take everything that comes."""
        async for data in socket:
            now = time.monotonic()
            if isinstance(data, str):
                self._event(json.loads(data), now)
            elif self.native:
                number, generation, _, _ = HEADER.unpack(data[: HEADER.size])
                if number > self.hearing.last_frame:  # else it came before the socket was lost
                    self.hearing.take_frame(number, generation, data[HEADER.size :], now)
            else:
                self.hearing.take_frame(None, 0, data, now)

    def _event(self, event: dict[str, Any], now: float) -> None:
        if event["type"] == "error" and event["code"] not in PASSING:
            raise TalkError(f"The server ended the call: {event['code']}: {event['message']}")
        self.hearing.take_event(event, now)

    def _over(self, now: float) -> bool:
        """Whether the answer has been heard to its end. Raises TalkError when none comes."""
        hearing = self.hearing
        if now < self.spoken_at:
            return False
        heard = hearing.first_audible_at() is not None
        if not heard and now > self.spoken_at + PATIENCE_S:
            raise TalkError(f"No reply within {PATIENCE_S:g} s of the end of the file")
        if hearing.frames and now > max(self.spoken_at, hearing.frames[-1].came_at) + PATIENCE_S:
            raise TalkError(f"The reply stopped in the middle for {PATIENCE_S:g} s")
        if self.tells_done:
            done = hearing.answered and not hearing.reply_open
            return done and not hearing.playing(now - LINGER_S)
        return heard and now > self.spoken_at + QUIET_S and hearing.quiet_s(now) > QUIET_S

    def report(self) -> dict[str, Any]:
        """The measurements, as the JSON line says them."""
        hearing = self.hearing
        audible_at = hearing.first_audible_at()
        question = pcm16_from_bytes(self.question)
        return {
            "transcript": " ".join("".join(hearing.texts).split()),
            "heard": " / ".join(hearing.rough),
            "first_audio_ms": _ms(self._decided_at(), audible_at),
            "first_audio_from_speech_end_ms": _ms(
                self.began_at + speech_end_s(question), audible_at
            ),
            "reply_seconds": round(len(hearing.samples()) / SAMPLE_RATE_HZ, 2),
            "gaps": hearing.gaps,
            "underruns": hearing.underruns,
            "frames": len(hearing.frames),
            "resumes": self.resumes,
            "session": self.session,
        }

    def _decided_at(self) -> float | None:
        """When we had said all that the server needed to decide that our turn was over.

        Not when it told us so: that message comes with the first audio, and would hide the way
        there, the model's time and the way back.
        """
        sample = self.hearing.decided_sample
        return None if sample is None else self.began_at + sample / SAMPLE_RATE_HZ


def _raise_refusal(listening: asyncio.Task[None]) -> None:
    """Raises the TalkError with which listening ended, if it did: the server said why."""
    if isinstance(refusal := listening.exception(), TalkError):
        raise refusal


def _ms(since: float | None, at: float | None) -> float | None:
    return None if since is None or at is None else round((at - since) * 1_000, 1)


async def talk(
    wav: Path, url: str, out: Path, *, plain: bool, **wish: str | None
) -> dict[str, Any]:
    """Speak `wav`, write the answer to `out`; the measurements. Raises TalkError.

    `wish`: mode, voice, style, auth.
    """
    try:
        samples, rate_hz = soundfile.read(wav, dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise TalkError(f"Expected a sound file, got {wav}: {error}") from error
    if not out.parent.is_dir():
        raise TalkError(f"Expected a folder for the reply, got {out.parent}: make it first")
    question = resample(samples.mean(axis=1), rate_hz)
    conversation = Conversation(url, question, plain=plain, wish=wish)
    await conversation.hold()
    soundfile.write(out, conversation.hearing.samples(), SAMPLE_RATE_HZ, subtype="PCM_16")
    return conversation.report()


def main() -> None:
    """Read the command line, talk, print one JSON line."""
    parser = argparse.ArgumentParser(prog="python -m client.talk", description=__doc__)
    parser.add_argument("wav", type=Path, help="what to say: any WAV file")
    parser.add_argument("--url", default="ws://127.0.0.1:8000/ws/stream")
    parser.add_argument("--out", type=Path, default=Path("reply.wav"))
    parser.add_argument("--mode", choices=("turn", "stream"))
    parser.add_argument("--voice", help="whose voice answers: /api/config lists them")
    parser.add_argument("--style", help="in which mood")
    parser.add_argument("--auth", default="", help="a token, where the gateway asks for one")
    parser.add_argument("--plain", action="store_true", help="raw PCM16 both ways, no protocol")
    wish = parser.parse_args()
    try:
        words = {name: getattr(wish, name) for name in ("mode", "voice", "style", "auth")}
        report = asyncio.run(talk(wish.wav, wish.url, wish.out, plain=wish.plain, **words))
    except (TalkError, OSError) as error:
        sys.exit(f"talk: {error}")
    sys.stdout.write(json.dumps(report) + "\n")


if __name__ == "__main__":
    main()
