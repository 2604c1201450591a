"""What a call costs in OpenAI's Realtime protocol beside antiphon.v1: the same turns, in turns."""

import asyncio
import base64
import json
import random
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from shared.audio import CHUNK_BYTES, CHUNK_MS
from tests.load.call import NORMAL_CLOSURE, Call
from tests.load.cores import Cores, cpu_ms
from tests.load.ladder import Progress
from tests.load.servers import RunningServer, ours
from tests.load.websocket_client import CLOSE, TEXT, Connection

NATIVE: Final = "antiphon.v1"
REALTIME: Final = "OpenAI's Realtime"
CHUNKS: Final = 40  # of a turn; the echo engine answers with the same sound
TURN_S: Final = 2 * CHUNKS * CHUNK_MS / 1_000  # the turn and its answer
PLAYED_EVERY_FRAMES: Final = 12
LEAD_S: Final = 0.5  # of the sound before its playback, at most
WITHIN_S: Final = 60.0
MANUAL: Final = {"type": "realtime", "audio": {"input": {"turn_detection": None}}}


@dataclass(frozen=True, slots=True)
class DialectCost:
    """One run: CPU ms of each process for a second of one call."""

    dialect: str
    callers: int
    cpu: dict[str, float]

    @property
    def total(self) -> float:
        """Of all processes."""
        return sum(self.cpu.values())


class NativeTalker(Call):
    """Push-to-talk in antiphon.v1."""

    def __init__(self, url: str) -> None:
        super().__init__(url, native=True, mode="turn")
        self.heard = 0  # bytes

    async def begin(self) -> None:
        """Connect."""
        if not await self.open():
            raise ConnectionError("Expected the server to take the call, got a refusal")
        self.send(type="options", manual=True)

    def press(self) -> None:
        """The caller wants to speak."""
        self.send(type="cancel")

    def commit(self) -> None:
        """The turn is over."""
        self.send(type="commit")

    def take_audio(self, frame: int | None, generation: int, pcm: bytes, now: float) -> None:
        """Count it, and report the playhead as a player does."""
        self.heard += len(pcm)
        if frame and frame % PLAYED_EVERY_FRAMES == 0:
            self.send(type="played", frame=frame)


class RealtimeTalker:
    """Push-to-talk in the Realtime protocol."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.heard = 0  # bytes
        self._place = parts.hostname or "", parts.port or 80
        self._connection: Connection | None = None
        self._created = asyncio.Event()

    async def begin(self) -> None:
        """Connect."""
        loop = asyncio.get_running_loop()
        _, self._connection = await loop.create_connection(
            lambda: Connection("/v1/realtime", "", self._take), *self._place
        )
        await self._connection.opened
        await self._created.wait()
        self._send("session.update", session=MANUAL)

    def press(self) -> None:
        """The caller wants to speak: here, nothing says so."""

    def send_audio(self, chunk: bytes) -> None:
        """Send a chunk."""
        self._send("input_audio_buffer.append", audio=base64.b64encode(chunk).decode())

    def commit(self) -> None:
        """The turn is over: answer it."""
        self._send("input_audio_buffer.commit")
        self._send("response.create")

    def hang_up(self) -> None:
        """End the call."""
        if self._connection is not None:
            self._connection.send(CLOSE, NORMAL_CLOSURE)

    def _send(self, kind: str, **fields: Any) -> None:
        if self._connection is not None:
            self._connection.send(TEXT, json.dumps({"type": kind, **fields}).encode())

    def _take(self, _: int, payload: bytes) -> None:
        event = json.loads(payload)
        if event["type"] == "response.output_audio.delta":
            self.heard += len(base64.b64decode(event["delta"]))
        elif event["type"] == "session.created":
            self._created.set()
        elif event["type"] == "error":
            raise AssertionError(event)


Talker = NativeTalker | RealtimeTalker
TALKERS: Final[dict[str, Callable[[str], Talker]]] = {
    NATIVE: NativeTalker,
    REALTIME: RealtimeTalker,
}


async def talk(talker: Talker, rounds: int, delay_s: float) -> None:
    """Say some turns in real time, each when the answer before has come whole."""
    draw = random.Random(delay_s)
    chunks = [draw.randbytes(CHUNK_BYTES) for _ in range(CHUNKS)]
    await asyncio.sleep(delay_s)
    clock = asyncio.get_running_loop()
    for turn in range(1, rounds + 1):
        talker.press()
        start = clock.time()
        for number, chunk in enumerate(chunks, 1):
            talker.send_audio(chunk)
            await asyncio.sleep(start + number * CHUNK_MS / 1_000 - clock.time())
        talker.commit()
        async with asyncio.timeout(WITHIN_S):
            while talker.heard < turn * CHUNKS * CHUNK_BYTES:  # noqa: ASYNC110 # a look a chunk
                await asyncio.sleep(CHUNK_MS / 1_000)
        await asyncio.sleep(LEAD_S)


async def _run(server: RunningServer, dialect: str, callers: int, rounds: int) -> DialectCost:
    talkers = [TALKERS[dialect](server.url) for _ in range(callers)]
    for talker in talkers:
        await talker.begin()
    before = {name: cpu_ms(pid) for name, pid in server.pids.items()}
    spread = [at / callers for at in range(callers)]  # over a second
    await asyncio.gather(*map(talk, talkers, [rounds] * callers, spread))
    spent = {name: cpu_ms(pid) - before[name] for name, pid in server.pids.items()}
    for talker in talkers:
        talker.hang_up()
    talked_s = callers * rounds * TURN_S
    return DialectCost(dialect, callers, {name: ms / talked_s for name, ms in spent.items()})


def measure(
    callers: int, rounds: int, repeats: int, cores: Cores, progress: Progress
) -> list[DialectCost]:
    """Run both dialects in turns on one server."""
    found = []
    with ours(cores.server, callers, REPLY_MODE="turn") as server:
        for _ in range(repeats):
            for dialect in TALKERS:
                cost = asyncio.run(_run(server, dialect, callers, rounds))
                progress(f"{dialect}, {callers} callers: {cost.total:.2f} ms/s a call")
                found.append(cost)
    return found


def median(found: list[DialectCost], dialect: str, kind: str = "") -> float:
    """The median over the runs of a dialect: of one process, or of all."""
    known = [one for one in found if one.dialect == dialect]
    return statistics.median(one.cpu[kind] if kind else one.total for one in known)
