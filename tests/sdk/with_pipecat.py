"""pipecat against a running server: `with_pipecat.py URL QUESTION.wav STORY.wav`.

A spoken turn, a barge-in over a long answer, a push-to-talk turn and an error. It prints one JSON
line of what it heard.
"""

import asyncio
import json
import sys
from typing import Any

from loguru import logger
from microphone import RATE_HZ, SECOND, SILENCE, Log, read, spoken
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

logger.remove()


class Ear(FrameProcessor):
    """Keeps what comes out of the service, on either side of it."""

    def __init__(self) -> None:
        super().__init__()
        self.log = Log(isinstance)
        self.answers: list[str] = [""]

    async def process_frame(self, frame: Any, direction: FrameDirection) -> None:
        """Keep the frame and pass it on."""
        await super().process_frame(frame, direction)
        if isinstance(frame, TTSTextFrame):
            self.answers[-1] += frame.text
        if isinstance(frame, TTSStoppedFrame):
            self.answers.append("")
        await self.log.add(frame, frame.audio if isinstance(frame, TTSAudioRawFrame) else b"")
        await self.push_frame(frame, direction)

    async def until_answers(self, count: int) -> None:
        """Wait until so many answers name Paris."""
        await self.log.until_holds(lambda: sum("Paris" in a for a in self.answers) >= count)


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
        async for piece in spoken(pcm):
            await self.task.queue_frame(InputAudioRawFrame(piece, RATE_HZ, 1))

    async def end(self) -> None:
        """Close the pipeline."""
        await self.task.queue_frame(EndFrame())
        await asyncio.wait({self.running}, timeout=5)


async def main(url: str, question_wav: str, story_wav: str) -> dict[str, Any]:
    """A session with the server's turn detection, then one of push-to-talk."""
    question, story = read(question_wav), read(story_wav)
    caller = Caller(url, events.TurnDetection())
    ear = caller.after
    await caller.speak(SILENCE + question + SILENCE)
    await ear.log.until(TTSStoppedFrame)
    await caller.task.queue_frame(BotStoppedSpeakingFrame())  # as an output transport says
    before = ear.log.sound
    await caller.speak(story + SILENCE)
    await ear.log.until_sound(before + 3 * SECOND)
    starts = len(ear.log.got(ProposedUserStartedSpeakingFrame))
    speaking = asyncio.create_task(caller.speak(question + SILENCE))
    await ear.log.until(ProposedUserStartedSpeakingFrame, starts + 1)
    await caller.task.queue_frame(InterruptionFrame())  # as a user's aggregator decides
    await speaking
    await ear.until_answers(2)
    await caller.end()

    pushing = Caller(url, False)
    await pushing.speak(SILENCE)
    await pushing.task.queue_frame(InterruptionFrame())  # a cancel while nothing is said
    await pushing.speak(question)
    await pushing.task.queue_frame(UserStoppedSpeakingFrame())
    await pushing.after.until_answers(1)
    await pushing.service.send_client_event(
        events.ConversationItemTruncateEvent(
            item_id="item_of_nobody", content_index=0, audio_end_ms=1
        )
    )
    error = await pushing.before.log.until(ErrorFrame)
    await pushing.end()
    heard = caller.before.log.got(TranscriptionFrame) + pushing.before.log.got(TranscriptionFrame)
    return {
        "heard": [frame.text for frame in heard],
        "said": [text for text in ear.answers + pushing.after.answers if text],
        "error": str(error.error),
        "sound_s": round((ear.log.sound + pushing.after.log.sound) / SECOND, 2),
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(*sys.argv[1:]))))
