"""LiveKit agents against a running server: `with_livekit.py URL QUESTION.wav STORY.wav`.

An agent session without a room; this program plays its microphone and loudspeaker. The call has a
spoken turn, a barge-in over a long answer, a push-to-talk turn and an error. It prints one JSON
line.
"""

import asyncio
import json
import sys
import time
from contextlib import suppress
from typing import Any

from livekit import rtc
from livekit.agents import Agent, AgentSession
from livekit.agents.voice.io import AudioInput, AudioOutput, AudioOutputCapabilities
from livekit.plugins import openai
from microphone import RATE_HZ, SILENCE, WITHIN_S, read, spoken


class Microphone(AudioInput):
    """Gives the session what is spoken into it."""

    def __init__(self) -> None:
        super().__init__(label="recording")
        self._frames: asyncio.Queue[rtc.AudioFrame] = asyncio.Queue()

    async def __anext__(self) -> rtc.AudioFrame:
        return await self._frames.get()

    async def speak(self, pcm: bytes) -> None:
        """Speak in real time."""
        async for piece in spoken(pcm):
            self._frames.put_nowait(rtc.AudioFrame(piece, RATE_HZ, 1, len(piece) // 2))


class Loudspeaker(AudioOutput):
    """Plays in real time, so that the session knows what was heard when it is interrupted."""

    def __init__(self) -> None:
        capabilities = AudioOutputCapabilities(pause=False)
        super().__init__(label="ear", capabilities=capabilities, sample_rate=RATE_HZ)
        self.heard_s = 0.0
        self._began = 0.0
        self._pushed_s = 0.0  # of the present answer
        self._cleared = asyncio.Event()
        self._playing: asyncio.Task[None] | None = None

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        """Take a frame; it may come faster than it is played."""
        await super().capture_frame(frame)
        if not self._pushed_s:
            self._began = time.time()
            self._cleared.clear()
            self.on_playback_started(created_at=self._began)
        self._pushed_s += frame.duration
        self.heard_s += frame.duration

    def flush(self) -> None:
        """The answer is whole."""
        super().flush()
        if self._pushed_s:
            self._playing = asyncio.create_task(self._play())

    def clear_buffer(self) -> None:
        """Stop now."""
        self._cleared.set()

    async def _play(self) -> None:
        left_s = self._began + self._pushed_s - time.time()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._cleared.wait(), max(0, left_s))
        played_s = min(self._pushed_s, time.time() - self._began)
        cut = self._cleared.is_set()
        self._pushed_s = 0.0
        self.on_playback_finished(playback_position=played_s, interrupted=cut)


class Caller:
    """One agent session and what it reported."""

    def __init__(self, url: str, *, manual: bool = False) -> None:
        options: dict[str, Any] = {"turn_detection": None} if manual else {}
        self._model = openai.realtime.RealtimeModel(api_key="any", base_url=f"{url}/v1", **options)
        options = {"turn_handling": {"turn_detection": "manual"}} if manual else {}
        self.session = AgentSession[None](llm=self._model, **options)
        self.microphone, self.loudspeaker = Microphone(), Loudspeaker()
        self.session.input.audio = self.microphone
        self.session.output.audio = self.loudspeaker
        self.heard: list[str] = []
        self.answers: list[Any] = []
        self.errors: list[str] = []
        self.session.on("conversation_item_added", self._add)
        self.session.on("user_input_transcribed", self._hear)
        self.session.on("error", lambda event: self.errors.append(str(event.error)))

    async def start(self) -> None:
        """Connect."""
        await self.session.start(Agent(instructions="You are a friendly voice assistant."))

    async def end(self) -> None:
        """Disconnect."""
        await self.session.aclose()
        await self._model.aclose()

    async def until(self, holds: Any) -> None:
        """Wait until a condition holds."""
        async with asyncio.timeout(WITHIN_S):
            while not holds():  # noqa: ASYNC110 # the session has events for some of them alone
                await asyncio.sleep(0.01)

    def said(self, word: str) -> int:
        """How many answers have this word."""
        return sum(word in (answer.text_content or "") for answer in self.answers)

    def _add(self, event: Any) -> None:
        if event.item.type == "message" and event.item.role == "assistant":
            self.answers.append(event.item)

    def _hear(self, event: Any) -> None:
        if event.is_final:
            self.heard.append(event.transcript)


async def main(url: str, question_wav: str, story_wav: str) -> dict[str, Any]:
    """A session with the server's turn detection, then one of push-to-talk."""
    question, story = read(question_wav), read(story_wav)
    caller = Caller(url)
    await caller.start()
    await caller.microphone.speak(question + SILENCE)
    await caller.until(lambda: caller.said("Paris") >= 1)
    before = caller.loudspeaker.heard_s
    await caller.microphone.speak(story + SILENCE)
    await caller.until(lambda: caller.loudspeaker.heard_s >= before + 3)
    await caller.microphone.speak(question + SILENCE)
    await caller.until(lambda: caller.said("Paris") >= 2)
    await caller.end()

    pushing = Caller(url, manual=True)
    await pushing.start()
    await pushing.microphone.speak(question)
    await pushing.session.commit_user_turn()
    await pushing.until(lambda: pushing.said("Paris") >= 1)
    errors = list(caller.errors + pushing.errors)
    live = pushing.session._activity._rt_session
    live.send_event({"type": "conversation.item.retrieve", "item_id": "item_of_nobody"})
    await pushing.until(lambda: len(pushing.errors) > len(errors))
    await pushing.end()
    return {
        "heard": caller.heard + pushing.heard,
        "said": [answer.text_content for answer in caller.answers + pushing.answers],
        "interrupted": [answer.interrupted for answer in caller.answers + pushing.answers],
        "unexpected": errors,
        "error": pushing.errors[-1],
        "sound_s": round(caller.loudspeaker.heard_s + pushing.loudspeaker.heard_s, 2),
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(*sys.argv[1:]))))
