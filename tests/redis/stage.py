"""A gateway on a real socket and a stand-in worker, both in the test's own event loop."""

import asyncio
import contextlib
import json
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Generator
from dataclasses import dataclass, field
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from gateway.app import Gateway
from gateway.protocol.client_messages import SUBPROTOCOL
from gateway.protocol.frames import HEADER
from gateway.socket.listening_sockets import listen
from gateway.socket.uvicorn_adapter import GracefulServer, server_config
from shared.log import formats
from shared.log.records import Audio, End, OutputRecord, ReplyStarted, Speech, Step
from shared.log.registry import Registry
from shared.log.session_log import SessionLog
from shared.log.writes import Answer, StepCommit
from shared.redis_client.trouble import FULL, trouble_of
from shared.settings import Settings
from tests.commits import a_commit
from tests.patience import LOOK_S, PATIENCE_S, until
from tests.redis_users import as_user

SECOND = b"\1\2" * 24_000


class QuietServer(GracefulServer):
    """The gateway's server, which stops at once, without signal handlers: pytest has its own."""

    async def main_loop(self) -> None:
        """Look oftener than ten times a second for the end."""
        looks = 0
        while not await self.on_tick(looks):
            looks += 1
            await asyncio.sleep(LOOK_S)

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Leave the signals alone."""
        yield


@contextlib.asynccontextmanager
async def running_worker(url: str) -> AsyncIterator["StandInWorker"]:
    """A stand-in worker with eight slots."""
    async with Redis.from_url(url) as redis:
        worker = StandInWorker(redis)
        task = asyncio.create_task(worker.run())
        yield worker
        worker.stopped = True
        await task


@contextlib.asynccontextmanager
async def running_gateway(
    url: str, *, user: str = "gateway", **settings: Any
) -> AsyncIterator["GatewayServer"]:
    """A gateway on a free port, which has patience with a worker that gets no CPU.

    It logs in as this user of Redis, or as the URL says.
    """
    patience = {"lease_ms": 30_000, "claim_timeout_ms": 60_000}
    where = as_user(url, user) if user else url
    chosen = Settings(redis_url=where, gateway_port=0, **patience | settings)
    gateway = Gateway(chosen)
    listeners = listen(chosen.gateway_host, 0)
    config = server_config(gateway.app(), chosen.gateway_trusted_proxies, chosen.gateway_root_path)
    uvicorn = QuietServer(config, gateway.check_redis, gateway.shut_down)
    task = asyncio.create_task(uvicorn.serve(sockets=listeners))
    await until(lambda: uvicorn.started)
    server = GatewayServer(gateway, uvicorn, listeners[0].getsockname()[1])
    try:
        yield server
    finally:
        uvicorn.should_exit = True
        await task
        for client in server.clients:
            client.transport.abort()  # a close would wait for tests that do not read
            await client.wait_closed()


@dataclass
class GatewayServer:
    """A gateway that serves on a real socket, and its clients."""

    gateway: Gateway
    uvicorn: QuietServer
    port: int
    clients: list[ClientConnection] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/ws/stream"

    @property
    def http(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def sees(self, free: int) -> None:
        """Wait until the gateway knows of so many free slots. It looks as for a waiting caller."""
        async with asyncio.timeout(PATIENCE_S):
            while self.gateway.fleet.free(time.monotonic()) != free:
                await self.gateway.watcher.next_look()

    async def plain(self, query: str = "", **options: Any) -> ClientConnection:
        """A plain client, without the subprotocol."""
        client = await connect(self.url + query, compression=None, **options)
        self.clients.append(client)
        return client

    async def native(self) -> "Caller":
        """An antiphon.v1 client that has not sent `start`."""
        return Caller(await self.plain(subprotocols=[Subprotocol(SUBPROTOCOL)]))

    async def caller(self, **start: Any) -> "Caller":
        """An antiphon.v1 client that got `ready`."""
        caller = await self.native()
        await caller.send("start", **start)
        await caller.until("ready")
        return caller


@dataclass
class Caller:
    """An antiphon.v1 client that keeps everything it receives."""

    socket: ClientConnection
    events: list[dict[str, Any]] = field(default_factory=list)
    frames: list[tuple[int, int, int]] = field(default_factory=list)  # number, generation, flags
    pcm: bytes = b""

    async def send(self, kind: str, **fields: Any) -> None:
        await self.socket.send(json.dumps({"type": kind, **fields}))

    async def next(self) -> None:
        """Receive one message."""
        data = await asyncio.wait_for(self.socket.recv(), PATIENCE_S)
        if isinstance(data, str):
            self.events.append(json.loads(data))
        else:
            self.frames.append(HEADER.unpack(data[:12])[:3])
            self.pcm += data[12:]

    async def until(self, kind: str) -> dict[str, Any]:
        """Receive messages until one of this type arrives; returns it."""
        while True:
            for event in self.events:
                if event["type"] == kind:
                    return event
            await self.next()

    async def until_frame(self, number: int) -> None:
        while not self.frames or self.frames[-1][0] < number:
            await self.next()

    async def end_of(self) -> tuple[str, int | None]:
        """The error's code, and the socket's close code."""
        error = await self.until("error")
        await self.socket.wait_closed()
        return error["code"], self.socket.close_code

    def numbers(self) -> list[int]:
        return [number for number, _, _ in self.frames]


class StandInWorker:
    """Claims every session and echoes each chunk as one Speech record of an endless reply.

    It does one thing at a time, as a real worker does. Otherwise `say` and a turn could commit the
    same step number, and the log would take the later one for a repetition of the first.
    """

    def __init__(self, redis: Redis, slots: int = 8) -> None:
        self.log = SessionLog(redis)
        self.registry = Registry(redis)
        self.slots = slots
        self.owned: dict[str, StepCommit] = {}  # the last commit of each
        self.inputs: dict[str, list[object]] = defaultdict(list)  # all records that it read
        self.stopped = False
        self.stalled = False  # reads nothing, so the log fills
        self.beats = 0
        self.offer: dict[str, list[str]] = {}  # its voices and styles, as a worker publishes them
        self.text = False  # its engine takes typed turns
        self._at_work = asyncio.Lock()

    async def run(self) -> None:
        """Work until stopped."""
        while not self.stopped:
            try:
                async with self._at_work:
                    await self._turn()
            except RedisError as error:
                if trouble_of(error) is not FULL:  # as a test keeps it
                    raise
            await asyncio.sleep(0.01)

    async def _turn(self) -> None:
        self.beats += 1
        await self._publish()
        taken = await self.registry.take(self.slots - len(self.owned))
        for sid in taken:
            _, owner = await self.log.claim(sid, "", "w1", "n")
            self.owned[sid] = a_commit(
                sid=sid, owner=owner, first_step=0, steps=(), outputs=(), cursor=0, frame=0
            )
        if taken:
            await self._publish()  # at once, as a real worker does
        for sid in [] if self.stalled else list(self.owned):
            await self._serve(sid)

    async def _publish(self) -> None:
        free = self.slots - len(self.owned)
        status: dict[str, Any] = {"beat": self.beats, "slots": self.slots, "free": free}
        status |= {"step_ms": 1.5, **self.offer, "text": self.text, "engine": "echo", "pid": 1}
        status["reads"] = formats.READS
        await self.registry.publish_worker("w1", status)

    async def say(self, sid: str, *records: OutputRecord, frame: int, generation: int) -> None:
        """Commit these records as one step."""
        async with self._at_work:
            await self._commit(sid, records, self.owned[sid].cursor, frame, generation)
            assert sid in self.owned, f"the log refused {records}"

    async def leave(self, sid: str) -> str:
        """Do nothing more in this session; returns its owner in the log."""
        async with self._at_work:
            return self.owned.pop(sid).owner

    async def _serve(self, sid: str) -> None:
        last = self.owned[sid]
        (entries,) = await self.log.read_inputs([(sid, last.cursor)])
        self.inputs[sid] += [record for _, record in entries]
        if any(isinstance(record, End) for _, record in entries):
            await self.log.end(sid, "owner", last.owner)
            await self.registry.forget([sid])
            del self.owned[sid]
        elif entries:
            frame = last.frame
            outputs: list[OutputRecord] = []
            for _, record in entries:
                if isinstance(record, Audio):
                    outputs += [] if frame else [ReplyStarted(1, 1)]
                    outputs.append(Speech(frame + 1, 1, record.pcm))
                    frame += 4
            await self._commit(sid, tuple(outputs), entries[-1][0], frame, 1)

    async def _commit(
        self, sid: str, outputs: tuple[OutputRecord, ...], cursor: int, frame: int, generation: int
    ) -> None:
        last = self.owned[sid]
        first = last.first_output + len(last.outputs)
        step = Step(cursor=cursor, generation=generation)
        k = last.first_step + 1
        commit = a_commit(
            sid=sid,
            owner=last.owner,
            first_step=k,
            steps=(step,),
            first_output=first,
            outputs=outputs,
            cursor=cursor,
            frame=frame,
            generation=generation,
            keep_inputs=cursor,
            keep_steps=k,
        )
        (receipt,) = await self.log.commit([commit])
        if not isinstance(receipt, Exception) and receipt.answer is Answer.STORED:
            self.owned[sid] = commit
        else:
            del self.owned[sid]


async def speak(caller: Caller, seconds: float) -> bytes:
    """Send audio in real time, in messages of 100 ms; returns what was sent."""
    sent = b""
    for index in range(round(seconds * 10)):
        piece = bytes([index % 251]) * 4_800
        await caller.socket.send(piece)
        sent += piece
        await asyncio.sleep(0.1)
    return sent
