"""pipecat's FastAPI WebSocket transport with an echo in the process: raw PCM16 in, raw PCM16 out.

Run in the peers' environment: `python pipecat_echo.py PORT lean|default`. `default` is a pipeline
as its documentation makes one; `lean` leaves out what an echo can do without (client messages,
turn tracking, the idle check). Both pace their output as pipecat does.
"""

import sys

import uvicorn
from fastapi import FastAPI, WebSocket
from loguru import logger
from pipecat.frames.frames import (
    Frame,
    InputAudioRawFrame,
    OutputAudioRawFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.serializers.base_serializer import FrameSerializer
from pipecat.transports.websocket.fastapi import FastAPIWebsocketParams, FastAPIWebsocketTransport
from pipecat.workers.runner import WorkerRunner

RATE_HZ = 24_000


class RawPcm(FrameSerializer):
    """A message is PCM16 and nothing else."""

    async def serialize(self, frame: Frame) -> bytes | None:
        """Audio alone leaves."""
        return frame.audio if isinstance(frame, OutputAudioRawFrame) else None

    async def deserialize(self, data: str | bytes) -> Frame | None:
        """Audio alone comes in."""
        if isinstance(data, str):
            return None
        return InputAudioRawFrame(audio=data, sample_rate=RATE_HZ, num_channels=1)


class Echo(FrameProcessor):
    """Says what it hears."""

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Turn heard audio round; pass on the rest."""
        await super().process_frame(frame, direction)
        if isinstance(frame, InputAudioRawFrame):
            frame = OutputAudioRawFrame(
                audio=frame.audio, sample_rate=frame.sample_rate, num_channels=1
            )
        await self.push_frame(frame, direction)


def worker(websocket: WebSocket, lean: bool) -> PipelineWorker:
    """One caller's pipeline."""
    params = FastAPIWebsocketParams(
        audio_in_enabled=True, audio_out_enabled=True, serializer=RawPcm()
    )
    transport = FastAPIWebsocketTransport(websocket, params)
    pipeline = Pipeline([transport.input(), Echo(), transport.output()])
    rates = PipelineParams(audio_in_sample_rate=RATE_HZ, audio_out_sample_rate=RATE_HZ)
    if not lean:
        return PipelineWorker(pipeline, params=rates)
    return PipelineWorker(
        pipeline,
        params=rates,
        enable_rtvi=False,
        enable_turn_tracking=False,
        idle_timeout_secs=None,
        check_dangling_tasks=False,
    )


def application(lean: bool) -> FastAPI:
    """The server."""
    app = FastAPI()

    @app.get("/health")
    async def health() -> str:
        return "ok"

    @app.websocket("/ws")
    async def call(websocket: WebSocket) -> None:
        await websocket.accept()
        runner = WorkerRunner(handle_sigint=False)
        await runner.add_workers(worker(websocket, lean))
        await runner.run()

    return app


if __name__ == "__main__":
    logger.remove()
    logger.add(sys.stderr, level="WARNING")
    uvicorn.run(
        application(sys.argv[2] == "lean"),
        port=int(sys.argv[1]),
        loop="uvloop",
        http="httptools",
        log_level="warning",
        access_log=False,
        ws_per_message_deflate=False,
    )
