"""openai-agents (Python) against a running server: `with_agents.py URL QUESTION.wav STORY.wav`.

A spoken turn, a barge-in over a long answer, a push-to-talk turn and an error. It prints one JSON
line of what it heard.
"""

import asyncio
import json
import sys
from typing import Any

from agents.realtime import RealtimeAgent, RealtimeRunner
from agents.realtime.model_inputs import RealtimeModelSendRawMessage
from microphone import SECOND, SILENCE, Log, listening_meanwhile, read, spoken


class Caller(Log):
    """One session and what it reported."""

    def __init__(self, session: Any) -> None:
        super().__init__()
        self.session = session

    async def listen(self) -> None:
        """Keep every event."""
        async for event in self.session:
            await self.add(event, event.audio.data if event.type == "audio" else b"")

    async def speak(self, pcm: bytes, *, commit: bool = False) -> None:
        """Send sound as a microphone does."""
        left = len(pcm)
        async for piece in spoken(pcm):
            left -= len(piece)
            await self.session.send_audio(piece, commit=commit and not left)

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


async def play(caller: Caller, question: bytes, story: bytes) -> dict[str, Any]:
    """What one caller does."""
    await caller.speak(question + SILENCE)
    await caller.until("agent_end")
    before = caller.sound
    await caller.speak(story + SILENCE)
    await caller.until_sound(before + 3 * SECOND)
    await caller.speak(question + SILENCE)
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
        "sound_s": round(caller.sound / SECOND, 2),
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
        playing = play(caller, read(question), read(story))
        return await listening_meanwhile(caller.listen(), playing)


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(*sys.argv[1:]))))
