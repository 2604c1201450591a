"""openai-python against a running server: `python with_openai.py URL QUESTION.wav STORY.wav`.

A spoken turn, a barge-in over a long answer, a push-to-talk turn and an error; then a call by the
Live API. Every event must be one that the package's own models accept in full. It prints one JSON
line of what it heard.
"""

import asyncio
import base64
import json
import sys
from typing import Any

from microphone import SECOND, SILENCE, WITHIN_S, Log, listening_meanwhile, read, spoken
from openai import AsyncOpenAI
from openai.types.live import ServerEvent
from openai.types.realtime import RealtimeServerEvent
from pydantic import TypeAdapter

STRICT = TypeAdapter(RealtimeServerEvent)
STRICT_LIVE = TypeAdapter(ServerEvent)


class Caller(Log):
    """One session and what came."""

    def __init__(self, connection: Any) -> None:
        super().__init__()
        self.connection = connection

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
            is_sound = event.type == "response.output_audio.delta"
            await self.add(event, base64.b64decode(event.delta) if is_sound else b"")

    async def speak(self, pcm: bytes) -> None:
        """Send sound as a microphone does."""
        async for piece in spoken(pcm):
            audio = base64.b64encode(piece).decode()
            await self.connection.input_audio_buffer.append(audio=audio)


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
        playing = play(caller, read(question), read(story))
        heard = await listening_meanwhile(caller.listen(), playing)
    return {**heard, "live": await live(client, read(question))}


async def live(client: AsyncOpenAI, question: bytes) -> str:
    """Ask by the Live API; the answer's words."""
    words = ""
    async with asyncio.timeout(WITHIN_S), client.live.connect() as call:
        await call.session.start(session={"model": "gpt-live-1"})
        audio = base64.b64encode(question + SILENCE).decode()
        await call.session.input_audio.append(audio=audio)
        while "Paris" not in words:
            event = STRICT_LIVE.validate_json(await call.recv_bytes())
            if event.type == "session.output_transcript.delta":
                words += event.delta
        await call.session.close()
        while STRICT_LIVE.validate_json(await call.recv_bytes()).type != "session.closed":
            pass
    return words


async def play(caller: Caller, question: bytes, story: bytes) -> dict[str, Any]:
    """What one caller does."""
    connection = caller.connection
    await caller.until("session.created")
    # A spoken turn.
    await connection.session.update(
        session={"type": "realtime", "audio": {"input": {"transcription": {"model": "whisper-1"}}}}
    )
    await caller.until("session.updated")
    await caller.speak(question + SILENCE)
    spoken = await caller.until("response.done")
    # A barge-in: the caller asks over an answer of which they have heard more than a second.
    before = caller.sound
    await caller.speak(story + SILENCE)
    await caller.until_sound(before + 3 * SECOND)
    await caller.speak(question + SILENCE)
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
        "sound_s": round(caller.sound / SECOND, 2),
        "events": len(caller.events),
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(*sys.argv[1:]))))
