"""openai-python against a running server: `python with_openai.py URL QUESTION.wav STORY.wav`.

A spoken turn, a barge-in over a long answer, a push-to-talk turn and an error; then a call by the
Live API. Every event must be one that the package's own models accept in full. It prints one JSON
line of what it heard.
"""

import asyncio
import base64
import json
import sys
import wave
from typing import Any

from openai import AsyncOpenAI
from openai.types.live import ServerEvent
from openai.types.realtime import RealtimeServerEvent
from pydantic import TypeAdapter

STRICT = TypeAdapter(RealtimeServerEvent)
STRICT_LIVE = TypeAdapter(ServerEvent)
RATE_HZ = 24_000
PIECE = RATE_HZ // 25 * 2  # 40 ms
WITHIN_S = 60


class Caller:
    """One session: what was sent and what came."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self.events: list[Any] = []
        self.sound = 0
        self.news = asyncio.Condition()

    async def listen(self) -> None:
        """Keep every event, after a strict check."""
        while True:
            raw = await self.connection.recv_bytes()
            event = STRICT.validate_json(raw)
            if (
                type(event).__name__ == "RealtimeErrorEvent"
                and '"type":"error"' not in raw.decode()
            ):
                raise AssertionError(f"an unknown event: {raw[:200]!r}")
            if event.type == "response.output_audio.delta":
                self.sound += len(base64.b64decode(event.delta))
            async with self.news:
                self.events.append(event)
                self.news.notify_all()

    def got(self, kind: str) -> list[Any]:
        """All events of this type."""
        return [event for event in self.events if event.type == kind]

    async def until(self, kind: str, count: int = 1) -> Any:
        """Wait for an event; returns it."""
        async with asyncio.timeout(WITHIN_S), self.news:
            await self.news.wait_for(lambda: len(self.got(kind)) >= count)
        return self.got(kind)[count - 1]

    async def until_sound(self, size: int) -> None:
        """Wait until this many bytes of sound have come."""
        async with asyncio.timeout(WITHIN_S), self.news:
            await self.news.wait_for(lambda: self.sound >= size)

    async def speak(self, pcm: bytes) -> None:
        """Send sound as a microphone does."""
        for at in range(0, len(pcm), PIECE):
            audio = base64.b64encode(pcm[at : at + PIECE]).decode()
            await self.connection.input_audio_buffer.append(audio=audio)
            await asyncio.sleep(PIECE / 2 / RATE_HZ)


def text_of(done: Any) -> str:
    """The words of a response."""
    return " ".join(
        content.transcript or "" for item in done.response.output for content in item.content
    )


async def main(url: str, question: str, story: str) -> dict[str, Any]:
    """All four parts, in one session."""
    client = AsyncOpenAI(api_key="any", base_url=f"{url}/v1", websocket_base_url=f"{url}/v1")
    async with client.realtime.connect(model="gpt-realtime") as connection:
        caller = Caller(connection)
        listening = asyncio.create_task(caller.listen())
        playing = asyncio.create_task(play(caller, read(question), read(story)))
        await asyncio.wait({listening, playing}, return_when=asyncio.FIRST_COMPLETED)
        if listening.done():
            listening.result()  # raises
        listening.cancel()
    return {**playing.result(), "live": await live(client, read(question))}


async def live(client: AsyncOpenAI, question: bytes) -> str:
    """Ask by the Live API; the answer's words."""
    words = ""
    async with asyncio.timeout(WITHIN_S), client.live.connect() as call:
        await call.session.start(session={"model": "gpt-live-1"})
        audio = base64.b64encode(question + bytes(RATE_HZ * 2)).decode()
        await call.session.input_audio.append(audio=audio)
        while "Paris" not in words:
            event = STRICT_LIVE.validate_json(await call.recv_bytes())
            if event.type == "session.output_transcript.delta":
                words += event.delta
        await call.session.close()
        while STRICT_LIVE.validate_json(await call.recv_bytes()).type != "session.closed":
            pass
    return words


def read(wav: str) -> bytes:
    """The samples of a recording at 24 kHz."""
    with wave.open(wav, "rb") as file:
        return file.readframes(file.getnframes())


async def play(caller: Caller, question: bytes, story: bytes) -> dict[str, Any]:
    """What one caller does."""
    connection, silence = caller.connection, bytes(RATE_HZ * 2)
    await caller.until("session.created")
    # A spoken turn.
    await connection.session.update(
        session={"type": "realtime", "audio": {"input": {"transcription": {"model": "whisper-1"}}}}
    )
    await caller.until("session.updated")
    await caller.speak(question + silence)
    spoken = await caller.until("response.done")
    # A barge-in: the caller asks over an answer of which they have heard more than a second.
    before = caller.sound
    await caller.speak(story + silence)
    await caller.until_sound(before + 3 * RATE_HZ * 2)
    await caller.speak(question + silence)
    barged = await caller.until("response.done", 3)
    # Push-to-talk.
    await connection.session.update(
        session={"type": "realtime", "audio": {"input": {"turn_detection": None}}}
    )
    await caller.speak(question)
    await connection.input_audio_buffer.commit()
    done = len(caller.got("response.done"))
    await connection.response.create(response={"metadata": {"turn": "pushed"}})
    pushed = await caller.until("response.done", done + 1)
    # An error.
    await connection.response.cancel()
    error = await caller.until("error")
    return found(caller, spoken=spoken, barged=barged, pushed=pushed, error=error)


def found(caller: Caller, *, spoken: Any, barged: Any, pushed: Any, error: Any) -> dict[str, Any]:
    """What the proof compares: each turn's text, and how the responses ended."""
    heard = caller.got("conversation.item.input_audio_transcription.completed")
    return {
        "heard": [event.transcript for event in heard],
        "spoken": text_of(spoken),
        "barged": text_of(barged),
        "pushed": text_of(pushed),
        "metadata": pushed.response.metadata,
        "statuses": [event.response.status for event in caller.got("response.done")],
        "reasons": [
            event.response.status_details and event.response.status_details.reason
            for event in caller.got("response.done")
        ],
        "error": error.error.code,
        "sound_s": round(caller.sound / 2 / RATE_HZ, 2),
        "events": len(caller.events),
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(*sys.argv[1:]))))
