"""openai-agents (Python) against a running server: `with_agents.py URL QUESTION.wav STORY.wav`.

A spoken turn, a barge-in over a long answer, a push-to-talk turn and an error. It prints one JSON
line of what it heard.
"""

import asyncio
import json
import sys
import wave
from typing import Any

from agents.realtime import RealtimeAgent, RealtimeRunner
from agents.realtime.model_inputs import RealtimeModelSendRawMessage

RATE_HZ = 24_000
PIECE = RATE_HZ // 25 * 2  # 40 ms
WITHIN_S = 60


class Caller:
    """One session: what it reported."""

    def __init__(self, session: Any) -> None:
        self.session = session
        self.events: list[Any] = []
        self.sound = 0
        self.news = asyncio.Condition()

    async def listen(self) -> None:
        """Keep every event."""
        async for event in self.session:
            if event.type == "audio":
                self.sound += len(event.audio.data)
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

    async def speak(self, pcm: bytes, *, commit: bool = False) -> None:
        """Send sound as a microphone does."""
        for at in range(0, len(pcm), PIECE):
            last = at + PIECE >= len(pcm)
            await self.session.send_audio(pcm[at : at + PIECE], commit=commit and last)
            await asyncio.sleep(PIECE / 2 / RATE_HZ)

    async def raw(self, kind: str, **data: Any) -> None:
        """Send an event that the package has no method for."""
        message: Any = {"type": kind, "other_data": data}
        await self.session.model.send_event(RealtimeModelSendRawMessage(message=message))

    def history(self, role: str) -> list[str]:
        """The words of one side, as the package knows them."""
        items = self.got("history_updated")[-1].history
        return [
            " ".join(getattr(c, "transcript", None) or getattr(c, "text", "") for c in i.content)
            for i in items
            if i.type == "message" and i.role == role
        ]


def read(wav: str) -> bytes:
    """The samples of a recording at 24 kHz."""
    with wave.open(wav, "rb") as file:
        return file.readframes(file.getnframes())


async def play(caller: Caller, question: bytes, story: bytes) -> dict[str, Any]:
    """What one caller does."""
    silence = bytes(RATE_HZ * 2)
    await caller.speak(question + silence)
    await caller.until("agent_end")
    before = caller.sound
    await caller.speak(story + silence)
    await caller.until_sound(before + 3 * RATE_HZ * 2)
    await caller.speak(question + silence)
    await caller.until("audio_interrupted")
    await caller.until("agent_end", 3)
    await caller.raw(
        "session.update", session={"type": "realtime", "audio": {"input": {"turn_detection": None}}}
    )
    await caller.speak(question, commit=True)
    await caller.raw("response.create")
    await caller.until("agent_end", 4)
    await caller.raw("conversation.item.retrieve", item_id="item_of_nobody")
    error = await caller.until("error")
    return {
        "heard": caller.history("user"),
        "said": caller.history("assistant"),
        "interrupted": len(caller.got("audio_interrupted")),
        "error": str(error.error),
        "sound_s": round(caller.sound / 2 / RATE_HZ, 2),
        "events": len(caller.events),
    }


async def main(url: str, question: str, story: str) -> dict[str, Any]:
    """All four parts, in one session."""
    agent = RealtimeAgent(name="Antiphon", instructions="You are a friendly voice assistant.")
    address = f"{url.replace('http', 'ws', 1)}/v1/realtime"
    async with await RealtimeRunner(agent).run(
        model_config={"api_key": "any", "url": address}
    ) as session:
        caller = Caller(session)
        listening = asyncio.create_task(caller.listen())
        playing = asyncio.create_task(play(caller, read(question), read(story)))
        await asyncio.wait({listening, playing}, return_when=asyncio.FIRST_COMPLETED)
        if listening.done():
            listening.result()  # raises
        listening.cancel()
        return playing.result()


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(*sys.argv[1:]))))
