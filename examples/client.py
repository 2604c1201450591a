"""Ask an Antiphon server a spoken question: `python client.py question.wav [ws://host/ws/stream]`.

It speaks the WAV file, prints the transcripts and saves the reply as reply.wav. To copy it you need
only this file and `pip install numpy soundfile websockets`. Resuming a lost call is left out.
"""

import asyncio
import itertools
import json
import struct
import sys
from contextlib import suppress
from typing import Any

import numpy as np
import soundfile
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

RATE_HZ = 24_000
PIECE_S = 0.08
PIECE_BYTES = 2 * int(RATE_HZ * PIECE_S)  # 3,840: 16-bit samples
HEADER = struct.Struct("<IIHH")  # frame number, generation, flags, zero


def read_question(path: str) -> bytes:
    """A WAV file of any rate -> mono PCM16 at 24 kHz, resampled through its spectrum."""
    samples, rate_hz = soundfile.read(path, always_2d=True)
    length = round(len(samples) * RATE_HZ / rate_hz)
    spectrum = np.fft.rfft(samples.mean(axis=1))
    resampled = np.fft.irfft(spectrum, length) * length / len(samples)
    return np.clip(resampled * 32_767, -32_768, 32_767).astype("<i2").tobytes()


async def speak(socket: ClientConnection, question: bytes) -> None:
    """Send the question as a microphone would, in real time; then silence, until cancelled."""
    loop = asyncio.get_running_loop()
    started_at = loop.time()
    for number in itertools.count():
        piece = question[number * PIECE_BYTES : (number + 1) * PIECE_BYTES]
        await asyncio.sleep(started_at + number * PIECE_S - loop.time())
        await socket.send(piece.ljust(PIECE_BYTES, b"\0"))


async def receive(socket: ClientConnection) -> bytes:
    """The PCM16 of the first reply."""
    frames: dict[int, bytes] = {}
    async for data in socket:
        if isinstance(data, bytes):  # 20 ms of the reply
            number, _generation, _flags, _ = HEADER.unpack_from(data)
            frames[number] = data[HEADER.size :]
            continue
        event: dict[str, Any] = json.loads(data)
        match event["type"]:
            case "heard" if event["final"]:
                print("you:", event["text"])
            case "text":
                print("reply:", event["text"])
            case "clear":  # the caller interrupted the reply: play no more of it
                frames.clear()
            case "reply_done":
                break
            case "error":
                sys.exit(f"The server ended the call: {event['message']}")
    return b"".join(frames[number] for number in sorted(frames))


async def main(path: str, url: str = "ws://127.0.0.1:8000/ws/stream") -> None:
    """Make one call."""
    question = read_question(path)
    async with connect(url, subprotocols=["antiphon.v1"], compression=None) as socket:
        await socket.send(json.dumps({"type": "start", "mode": "turn"}))
        speaking = asyncio.create_task(speak(socket, question))
        try:
            reply = await receive(socket)  # begins with `ready`, or with `error`
        finally:  # after Ctrl-C too: else the server would keep the call for a minute
            speaking.cancel()
            with suppress(ConnectionClosed):
                await socket.send(json.dumps({"type": "end"}))
    soundfile.write("reply.wav", np.frombuffer(reply, "<i2"), RATE_HZ)
    print(f"reply.wav: {len(reply) / 2 / RATE_HZ:.2f} s")


if __name__ == "__main__":
    try:
        asyncio.run(main(*sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit("Interrupted: hung up")
    except (OSError, WebSocketException, soundfile.SoundFileError) as error:
        sys.exit(f"No reply: {error}")
