"""pipecat with the three models of antiphon's cascade, one process for all callers.

Run in the peers' environment: `python pipecat_cascade.py PORT CALLERS`. VAD, turn strategies and
Whisper service are pipecat's own. The language model and the voice are antiphon's. Each is in a
small service that serves one request at a time, as a library in the process does.
"""

import asyncio
import random
import sys
import threading
from collections.abc import AsyncGenerator
from pathlib import Path

import torch
import uvicorn
from fastapi import FastAPI, WebSocket
from loguru import logger
from pipecat.audio.utils import create_stream_resampler
from pipecat.audio.vad.silero import SileroVADAnalyzer
from pipecat.frames.frames import (
    Frame,
    InputAudioRawFrame,
    LLMContextFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    OutputAudioRawFrame,
    TTSAudioRawFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import (
    LLMContextAggregatorPair,
    LLMUserAggregatorParams,
)
from pipecat.processors.frame_processor import FrameDirection
from pipecat.serializers.base_serializer import FrameSerializer
from pipecat.services.llm_service import LLMService
from pipecat.services.settings import LLMSettings, TTSSettings
from pipecat.services.tts_service import TTSService
from pipecat.services.whisper.stt import WhisperSTTService
from pipecat.transcriptions.language import Language
from pipecat.transports.websocket.fastapi import FastAPIWebsocketParams, FastAPIWebsocketTransport
from pipecat.workers.runner import WorkerRunner

from shared.audio import pcm16_from_floats
from shared.voices import UNCHOSEN
from workers.engines.cascade.load import ADAPTER, CAPACITY
from workers.engines.cascade.memory import RememberedTurn
from workers.engines.cascade.think import LocalThinker, Prompt
from workers.models.llama.model import LlamaModel
from workers.models.llama.source import default_file, open_source
from workers.models.speech_to_text.whisper_folder import packaged_whisper
from workers.models.text_to_speech.hibari import load_hibari

RATE_HZ = 24_000
HEARD_RATE_HZ = 16_000  # what pipecat's VAD and Whisper take
UNUSED = dict.fromkeys(
    (
        "system_instruction",
        "temperature",
        "max_tokens",
        "top_p",
        "top_k",
        "frequency_penalty",
        "presence_penalty",
        "seed",
        "filter_incomplete_user_turns",
        "user_turn_completion_config",
    )
)


class RawPcm(FrameSerializer):
    """A message is PCM16 at 24 kHz and nothing else."""

    def __init__(self) -> None:
        super().__init__()
        self._resampler = create_stream_resampler()

    async def serialize(self, frame: Frame) -> bytes | None:
        """Audio alone leaves."""
        return frame.audio if isinstance(frame, OutputAudioRawFrame) else None

    async def deserialize(self, data: str | bytes) -> Frame | None:
        """Audio alone comes in."""
        if isinstance(data, str):
            return None
        pcm = await self._resampler.resample(data, RATE_HZ, HEARD_RATE_HZ)
        return InputAudioRawFrame(audio=pcm, sample_rate=HEARD_RATE_HZ, num_channels=1)


class Models:
    """The models that all callers share, each with the lock that lets in one request."""

    def __init__(self, callers: int) -> None:
        torch.set_num_threads(1)
        source = open_source(default_file(), ADAPTER)
        model = LlamaModel(source, slots=callers, capacity=CAPACITY, precision="auto")
        self.thinker = LocalThinker(model, source.chat)
        self.thinks = asyncio.Lock()  # a whole reply at a time
        self.computes = threading.Lock()  # an interrupted reply's last token may still be computed
        self.voice = load_hibari()
        self.voice.warm_up()
        self.speaks = threading.Lock()
        self.free = list(range(callers))


class Thinks(LLMService):
    """The tuned language model; the row of its caller keeps what it has read."""

    def __init__(self, models: Models, row: int) -> None:
        super().__init__(settings=LLMSettings(model="smollm2", **UNUSED))
        self._models = models
        self._row = row

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Answer a context; pass on the rest."""
        await super().process_frame(frame, direction)
        if not isinstance(frame, LLMContextFrame):
            await self.push_frame(frame, direction)
            return
        await self.push_frame(LLMFullResponseStartFrame())
        try:
            async with self._models.thinks:
                await self._answer(frame.context)
        finally:
            await self.push_frame(LLMFullResponseEndFrame())

    async def _answer(self, context: LLMContext) -> None:
        said = [(m["role"], str(m["content"])) for m in context.get_messages()]
        await asyncio.to_thread(self._read, said)
        complete = False
        while not complete:
            text, complete = await asyncio.to_thread(self._write)
            if text:
                await self._push_llm_text(text)

    def _read(self, said: list[tuple[str, str]]) -> None:
        earlier, asked = exchanges(said)
        with self._models.computes:
            thinker = self._models.thinker
            thinker.open(self._row, Prompt(random.getrandbits(31), earlier=earlier))
            thinker.ask(self._row, asked)
            while thinker.read(0.0, [self._row]):
                pass

    def _write(self) -> tuple[str, bool]:
        with self._models.computes:
            self._models.thinker.think([self._row])
            delta = self._models.thinker.take(self._row)
        return delta.text, delta.complete


def exchanges(said: list[tuple[str, str]]) -> tuple[tuple[RememberedTurn, ...], str]:
    """Messages of user and assistant -> the earlier exchanges, and what is asked now."""
    pairs: list[list[str]] = []
    for role, text in said:
        if role == "user":
            pairs.append([text, ""])
        elif pairs:
            pairs[-1][1] = f"{pairs[-1][1]} {text}".strip()
    asked = pairs.pop()[0] if pairs else ""
    return tuple(RememberedTurn(caller, assistant) for caller, assistant in pairs), asked


class Speaks(TTSService):
    """The voice, a sentence at a time."""

    def __init__(self, models: Models) -> None:
        settings = TTSSettings(model="hibari", voice="heart", language=Language.EN)
        super().__init__(
            push_start_frame=True, push_stop_frames=True, sample_rate=RATE_HZ, settings=settings
        )
        self._models = models

    async def run_tts(self, text: str, context_id: str) -> AsyncGenerator[Frame, None]:
        """Speak one sentence."""
        pcm = await asyncio.to_thread(self._say, text)
        yield TTSAudioRawFrame(
            audio=pcm, sample_rate=RATE_HZ, num_channels=1, context_id=context_id
        )

    def _say(self, text: str) -> bytes:
        with self._models.speaks:
            sound = self._models.voice.say(text, 0, whole=True, seed=7, persona=UNCHOSEN)
        return pcm16_from_floats(sound.pcm).astype("<i2").tobytes()


def whisper(folder: Path) -> WhisperSTTService:
    """pipecat's own service over the packaged weights."""
    settings = WhisperSTTService.Settings(model=str(folder), language=Language.EN)
    return WhisperSTTService(device="cpu", compute_type="int8", settings=settings)


def worker(websocket: WebSocket, models: Models, row: int) -> PipelineWorker:
    """One caller's pipeline, as pipecat's documentation makes one."""
    params = FastAPIWebsocketParams(
        audio_in_enabled=True, audio_out_enabled=True, serializer=RawPcm()
    )
    transport = FastAPIWebsocketTransport(websocket, params)
    user, assistant = LLMContextAggregatorPair(
        LLMContext([]), user_params=LLMUserAggregatorParams(vad_analyzer=SileroVADAnalyzer())
    )
    pipeline = Pipeline(
        [
            transport.input(),
            whisper(packaged_whisper()),
            user,
            Thinks(models, row),
            Speaks(models),
            transport.output(),
            assistant,
        ]
    )
    rates = PipelineParams(audio_in_sample_rate=HEARD_RATE_HZ, audio_out_sample_rate=RATE_HZ)
    return PipelineWorker(pipeline, params=rates)


def application(models: Models) -> FastAPI:
    """The server."""
    app = FastAPI()

    @app.get("/health")
    async def health() -> str:
        return "ok"

    @app.websocket("/ws")
    async def call(websocket: WebSocket) -> None:
        await websocket.accept()
        row = models.free.pop()
        try:
            runner = WorkerRunner(handle_sigint=False)
            await runner.add_workers(worker(websocket, models, row))
            await runner.run()
        finally:
            models.free.append(row)

    return app


if __name__ == "__main__":
    logger.remove()
    logger.add(sys.stderr, level="WARNING")
    uvicorn.run(
        application(Models(int(sys.argv[2]))),
        port=int(sys.argv[1]),
        loop="uvloop",
        http="httptools",
        log_level="warning",
        access_log=False,
        ws_per_message_deflate=False,
    )
