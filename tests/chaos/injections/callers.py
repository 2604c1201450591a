"""Faults that many callers cause: fifty stop reading, two hundred reconnect at once."""

import asyncio
import itertools
import json
import random
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException
from websockets.typing import Subprotocol

from tests.chaos.caller import CHUNK_S, Caller
from tests.chaos.deployment import Deployment
from tests.chaos.network_namespace import NetworkNamespace
from tests.chaos.oracle import CallAudio
from tests.patience import until

STALLED: Final = 50
RECONNECTING: Final = 200
AT_ONCE: Final = 20  # of the two hundred, for their first connection
BACK_WITHIN_S: Final = 15.0
RETRY_S: Final = 0.1
LOOK_S: Final = 0.1  # more looks would load the gateways
MANY_SLOTS: Final = {"WORKER_SLOTS": "100"}
MB: Final = 1_000_000


class SimpleCaller:
    """A caller that checks no frames; it calls from the `namespace`, if there is one."""

    def __init__(
        self, urls: Sequence[str], number: int, namespace: NetworkNamespace | None = None
    ) -> None:
        self.url = urls[number % len(urls)]
        self.audio = CallAudio(0, 7_000 + number)
        self.namespace = namespace
        self.ready: dict[str, Any] = {}
        self.socket: ClientConnection | None = None

    async def begin(self, mode: str = "stream") -> None:
        """Begin or resume the call. Raises ConnectionError when the server refuses."""
        start: dict[str, Any] = {"type": "start", "mode": mode}
        if self.ready:
            resume = {"session": self.ready["session"], "token": self.ready["token"], "frame": 0}
            start = {"type": "start", "resume": resume}
        self.socket = await connect(
            self.url,
            sock=self.namespace.connect(int(self.url.split(":")[2].split("/")[0]))
            if self.namespace
            else None,
            subprotocols=[Subprotocol("antiphon.v1")],
            compression=None,
            ping_interval=None,
            max_queue=None,
        )
        await self.socket.send(json.dumps(start))
        answer = json.loads(await self.socket.recv())
        if answer["type"] != "ready":
            raise ConnectionError(f"Expected ready, got {answer}")
        self.ready = answer

    async def speak(self) -> None:
        """Send a chunk every 80 ms until the socket closes."""
        with suppress(OSError, WebSocketException):
            for chunk in itertools.count():
                await self.send_chunk(chunk)
                await asyncio.sleep(CHUNK_S)

    async def reconnect(self) -> float:
        """Try to resume until it works; the seconds it took."""
        since = time.monotonic()
        while time.monotonic() - since < BACK_WITHIN_S:
            with suppress(OSError, WebSocketException):
                await self.begin()
                break
            await asyncio.sleep(RETRY_S)
        return time.monotonic() - since

    async def send_chunk(self, chunk: int) -> None:
        """Send one chunk. Raises ConnectionClosed."""
        assert self.socket is not None
        await self.socket.send(self.audio.chunk(chunk))

    async def closed(self) -> None:
        """Wait until the socket is lost."""
        assert self.socket is not None
        await self.socket.wait_closed()

    def reset(self) -> None:
        """Reset the connection."""
        if self.socket is not None:
            self.socket.transport.abort()

    async def end(self) -> None:
        """Hang up."""
        with suppress(OSError, WebSocketException, TimeoutError):
            assert self.socket is not None
            await self.socket.send('{"type":"end"}')
            await asyncio.wait_for(self.socket.wait_closed(), 2)


async def stall(
    deployment: Deployment, callers: Sequence[Caller], _: random.Random
) -> dict[str, float]:
    """Fifty more callers go on speaking but stop reading: the gateways must close them soon."""
    before = most = deployment.gateway_bytes()
    stalled = [SimpleCaller(deployment.urls, number) for number in range(STALLED)]
    for group in _groups(stalled):
        await asyncio.gather(*(caller.begin() for caller in group))
    since = time.monotonic()
    for caller in stalled:
        assert caller.socket is not None
        caller.socket.transport.pause_reading()
    speaking = [asyncio.create_task(caller.speak()) for caller in stalled]

    async def closed() -> bool:
        nonlocal most
        await asyncio.sleep(LOOK_S)
        most = max(most, deployment.gateway_bytes())
        return await _sessions(deployment) <= len(callers)

    try:
        await until(closed, lambda: "stalled readers that are still connected")
        closed_s = time.monotonic() - since
        stats = await asyncio.to_thread(deployment.stats)
    finally:
        for caller in stalled:
            caller.reset()
        await asyncio.gather(*speaking, return_exceptions=True)
    late_ms = max(s["lateness_ms"]["p99"] or 0.0 for s in stats)
    return {"closed s": closed_s, "MB each": (most - before) / STALLED / MB, "late p99 ms": late_ms}


async def reconnect_all(
    deployment: Deployment, _: Sequence[Caller], __: random.Random
) -> dict[str, float]:
    """Two hundred more callers lose their sockets at once and reconnect immediately."""
    crowd = [SimpleCaller(deployment.urls, number) for number in range(RECONNECTING)]
    for group in _groups(crowd):
        await asyncio.gather(*(caller.begin("turn") for caller in group))
        # The server keeps no session to resume for a caller that has sent no audio.
        for caller in group:
            await caller.send_chunk(0)
    await asyncio.sleep(0.5)
    for caller in crowd:
        caller.reset()
    took_s = sorted(await asyncio.gather(*(caller.reconnect() for caller in crowd)))
    lost = sum(caller.ready.get("outcome") != "recovered" for caller in crowd)
    for group in _groups(crowd):
        await asyncio.gather(*(caller.end() for caller in group))
    return {"95 % back s": took_s[int(0.95 * RECONNECTING)], "not recovered": lost}


def _groups(callers: Sequence[SimpleCaller]) -> list[Sequence[SimpleCaller]]:
    return [callers[at : at + AT_ONCE] for at in range(0, len(callers), AT_ONCE)]


async def _sessions(deployment: Deployment) -> int:
    return sum(s["sessions"] for s in await asyncio.to_thread(deployment.stats))
