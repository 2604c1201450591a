"""pipecat against a running server: `with_pipecat.py URL QUESTION.wav STORY.wav`.

A spoken turn, a barge-in over a long answer, a push-to-talk turn and an error. It prints one JSON
line of what it heard.
"""

import asyncio
import json
import sys
import wave
from typing import Any

from loguru import logger
from pipecat.frames.frames import (
    BotStoppedSpeakingFrame,
    EndFrame,
    ErrorFrame,
    InputAudioRawFrame,
    InterruptionFrame,
    ProposedUserStartedSpeakingFrame,
    TranscriptionFrame,
    TTSAudioRawFrame,
    TTSStoppedFrame,
    TTSTextFrame,
    UserStoppedSpeakingFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.runner import PipelineRunner
from pipecat.pipeline.task import PipelineTask
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.services.openai.realtime import events
from pipecat.services.openai.realtime.llm import OpenAIRealtimeLLMService

RATE_HZ = 24_000
PIECE = RATE_HZ // 25 * 2  # 40 ms
WITHIN_S = 60

logger.remove()


class Ear(FrameProcessor):
    """Keeps what comes out of the service, on either side of it."""

    def __init__(self) -> None:
        super().__init__()
        self.frames: list[Any] = []
        self.sound = 0
        self.answers: list[str] = [""]
        self.news = asyncio.Condition()

    async def process_frame(self, frame: Any, direction: FrameDirection) -> None:
        """Keep the frame and pass it on."""
        await super().process_frame(frame, direction)
        if isinstance(frame, TTSAudioRawFrame):
            self.sound += len(frame.audio)
        if isinstance(frame, TTSTextFrame):
            self.answers[-1] += frame.text
        if isinstance(frame, TTSStoppedFrame):
            self.answers.append("")
        async with self.news:
            self.frames.append(frame)
            self.news.notify_all()
        await self.push_frame(frame, direction)

    def got(self, kind: type[Any]) -> list[Any]:
        """All frames of this type."""
        return [frame for frame in self.frames if isinstance(frame, kind)]

    async def until(self, kind: type[Any], count: int = 1) -> Any:
        """Wait for a frame; returns it."""
        async with asyncio.timeout(WITHIN_S), self.news:
            await self.news.wait_for(lambda: len(self.got(kind)) >= count)
        return self.got(kind)[count - 1]

    async def until_answers(self, count: int) -> None:
        """Wait until so many answers name Paris."""
        async with asyncio.timeout(WITHIN_S), self.news:
            await self.news.wait_for(lambda: sum("Paris" in a for a in self.answers) >= count)

    async def until_sound(self, size: int) -> None:
        """Wait until this many bytes of sound have come."""
        async with asyncio.timeout(WITHIN_S), self.news:
            await self.news.wait_for(lambda: self.sound >= size)


class Caller:
    """A pipeline with the service in its middle."""

    def __init__(self, url: str, detection: Any) -> None:
        sound = events.AudioInput(
            transcription=events.InputAudioTranscription(), turn_detection=detection
        )
        properties = events.SessionProperties(
            instructions="You are a friendly voice assistant.",
            audio=events.AudioConfiguration(input=sound),
        )
        self.service = OpenAIRealtimeLLMService(
            api_key="any",
            base_url=f"{url.replace('http', 'ws', 1)}/v1/realtime",
            settings=OpenAIRealtimeLLMService.Settings(session_properties=properties),
        )
        self.before, self.after = Ear(), Ear()
        self.task = PipelineTask(Pipeline([self.before, self.service, self.after]))
        self.running = asyncio.create_task(PipelineRunner(handle_sigint=False).run(self.task))

    async def speak(self, pcm: bytes) -> None:
        """Send sound as a microphone does."""
        for at in range(0, len(pcm), PIECE):
            piece = pcm[at : at + PIECE]
            await self.task.queue_frame(InputAudioRawFrame(piece, RATE_HZ, 1))
            await asyncio.sleep(PIECE / 2 / RATE_HZ)

    async def end(self) -> None:
        """Close the pipeline."""
        await self.task.queue_frame(EndFrame())
        await asyncio.wait({self.running}, timeout=5)


def read(wav: str) -> bytes:
    """The samples of a recording at 24 kHz."""
    with wave.open(wav, "rb") as file:
        return file.readframes(file.getnframes())


async def main(url: str, question_wav: str, story_wav: str) -> dict[str, Any]:
    """A session with the server's turn detection, then one of push-to-talk."""
    question, story, silence = read(question_wav), read(story_wav), bytes(RATE_HZ * 2)
    caller = Caller(url, events.TurnDetection())
    ear = caller.after
    await caller.speak(silence + question + silence)
    await ear.until(TTSStoppedFrame)
    await caller.task.queue_frame(BotStoppedSpeakingFrame())  # as an output transport says
    before = ear.sound
    await caller.speak(story + silence)
    await ear.until_sound(before + 3 * RATE_HZ * 2)
    starts = len(ear.got(ProposedUserStartedSpeakingFrame))
    speaking = asyncio.create_task(caller.speak(question + silence))
    await ear.until(ProposedUserStartedSpeakingFrame, starts + 1)
    await caller.task.queue_frame(InterruptionFrame())  # as a user's aggregator decides
    await speaking
    await ear.until_answers(2)
    await caller.end()

    pushing = Caller(url, False)
    await pushing.speak(silence)
    await pushing.task.queue_frame(InterruptionFrame())  # a cancel while nothing is said
    await pushing.speak(question)
    await pushing.task.queue_frame(UserStoppedSpeakingFrame())
    await pushing.after.until_answers(1)
    await pushing.service.send_client_event(
        events.ConversationItemTruncateEvent(
            item_id="item_of_nobody", content_index=0, audio_end_ms=1
        )
    )
    error = await pushing.before.until(ErrorFrame)
    await pushing.end()
    heard = caller.before.got(TranscriptionFrame) + pushing.before.got(TranscriptionFrame)
    return {
        "heard": [frame.text for frame in heard],
        "said": [text for text in ear.answers + pushing.after.answers if text],
        "error": str(error.error),
        "sound_s": round((ear.sound + pushing.after.sound) / 2 / RATE_HZ, 2),
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(*sys.argv[1:]))))
