"""The Realtime API through real processes: with openai-python, also while a process dies."""

import asyncio
import base64
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from openai import AsyncOpenAI
from openai.types.live import ServerEvent
from openai.types.realtime import RealtimeServerEvent, RealtimeSessionCreateRequestParam
from openai.types.websocket_reconnection import ReconnectingEvent, ReconnectingOverrides
from pydantic import TypeAdapter

from shared.log import keys
from tests.e2e.launcher import ROOT, Stack
from tests.patience import PATIENCE_S, until
from tests.sdk.recordings import at_24_khz
from tests.sounds import joined, noise

pytestmark = pytest.mark.e2e

MANUAL: RealtimeSessionCreateRequestParam = {
    "type": "realtime",
    "audio": {"input": {"turn_detection": None}},
}


def test_openai_python_talks_to_the_default_engine(stack: Stack, tmp_path: Path) -> None:
    stack.start_worker(ENGINE="cascade", WORKER_SLOTS="2")
    stack.start_gateway()
    wavs = [at_24_khz(name, tmp_path) for name in ("capital", "story")]
    line = [sys.executable, "tests/sdk/with_openai.py", stack.http, *wavs]
    done = subprocess.run(
        line, cwd=ROOT, capture_output=True, text=True, timeout=4 * PATIENCE_S, check=False
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert all("Paris" in found[part] for part in ("spoken", "barged", "pushed", "live")), found
    assert "story" in found["heard"][1]
    assert found["statuses"] == ["completed", "cancelled", "completed", "completed"]
    assert found["reasons"][1] == "turn_detected"
    assert found["metadata"] == {"turn": "pushed"}
    assert found["error"] == "response_cancel_not_active"


@pytest.mark.parametrize("victim", ["worker", "gateway"])
async def test_a_killed_process_costs_openai_python_no_event_and_no_sound(
    stack: Stack, victim: str
) -> None:
    stack.start_worker()
    stack.start_worker()
    gateway = stack.start_gateway()
    sound = joined(noise(40, level=3_000))
    caller = ResumingCaller(stack.http)
    async with caller.connect() as call:
        await call.session.update(session=MANUAL)
        for at in range(0, len(sound), 9_600):
            audio = base64.b64encode(sound[at : at + 9_600]).decode()
            await call.input_audio_buffer.append(audio=audio)
        await call.input_audio_buffer.commit()
        await call.response.create()
        await caller.listen(call, caller.sound)
        if victim == "worker":
            stack.owner_of(caller.sid).kill()
            await caller.listen(call, "response.done")
        else:
            gateway.kill()
            again = asyncio.to_thread(stack.start_gateway, GATEWAY_PORT=str(stack.port))
            await asyncio.gather(again, caller.listen(call, "response.done"))
    assert caller.heard == sound
    ids = caller.got("event_id")
    assert len(set(ids)) == len(ids)
    kinds = [event["type"] for event in caller.events]
    once = {kind for kind in kinds if kind.startswith("response.")} - {caller.sound}
    assert {kind: kinds.count(kind) for kind in once} == dict.fromkeys(once, 1)
    assert "response.created" in once
    assert kinds.count("session.created") == (1 if victim == "worker" else 2)
    assert caller.events[-1]["response"]["status"] == "completed"


async def test_a_killed_gateway_costs_a_live_session_no_sound(stack: Stack) -> None:
    stack.start_worker()
    gateway = stack.start_gateway()
    sound = joined(noise(40, level=3_000))
    caller = LiveCaller(stack.http)
    async with caller.connect() as call:
        await call.session.start(session={"model": "antiphon", "instructions": "Be brief."})
        await caller.listen(call, caller.first)
        for at in range(0, len(sound), 9_600):
            audio = base64.b64encode(sound[at : at + 9_600]).decode()
            await call.session.input_audio.append(audio=audio)
        await caller.listen(call, caller.sound)
        await until(
            lambda: int(stack.redis.hget(keys.meta(caller.sid), "samples") or 0) == len(sound) // 2
        )
        gateway.kill()
        again = asyncio.to_thread(stack.start_gateway, GATEWAY_PORT=str(stack.port))
        await asyncio.gather(again, caller.listen(call, caller.first))
        while len(caller.heard) < len(sound):
            await caller.listen(call, caller.sound)
        await call.session.close()
        await caller.listen(call, "session.closed")
    assert caller.heard == sound
    frames, ids = caller.got("frame", caller.sound), caller.got("event_id")
    assert frames == sorted(set(frames))
    assert len(set(ids)) == len(ids)
    first, second = caller.got("session", caller.first)
    assert first == second
    assert caller.events[-1]["usage"]["seconds"] == 4


class ResumingCaller:
    """openai-python, which reconnects by itself, with what our resume needs."""

    first, sound = "session.created", "response.output_audio.delta"
    known: TypeAdapter[Any] = TypeAdapter(RealtimeServerEvent)

    def __init__(self, url: str) -> None:
        self.events: list[dict[str, Any]] = []
        base = f"{url.replace('http', 'ws')}/v1"
        self._client = AsyncOpenAI(api_key="any", websocket_base_url=base)
        self._options: dict[str, Any] = {
            "extra_query": {"resume": "new"},
            "on_reconnecting": self.resume,
            "max_retries": int(10 * PATIENCE_S),
            "initial_delay": 0.1,
            "max_delay": 0.2,
        }

    def connect(self) -> Any:
        """The connection, as a context."""
        return self._client.realtime.connect(model="antiphon", **self._options)

    def resume(self, _: ReconnectingEvent) -> ReconnectingOverrides:
        """The query of the next connection."""
        frame = self.got("frame", self.sound)[-1]
        return {"extra_query": {"resume": self._session["resume"], "frame": frame}}

    @property
    def sid(self) -> str:
        """The session's id in the log."""
        return str(self._session["id"]).partition("_")[2]

    @property
    def heard(self) -> bytes:
        """All sound that came."""
        return b"".join(map(base64.b64decode, self.got("delta", self.sound)))

    def got(self, field: str, kind: str = "") -> list[Any]:
        """This field of all events, or of those of one type."""
        return [event[field] for event in self.events if kind in ("", event["type"])]

    async def listen(self, call: Any, kind: str) -> None:
        """Keep all events up to the next of this type; each must be one that the package knows."""
        async with asyncio.timeout(PATIENCE_S):
            async for event in call:
                raw = event.to_dict()
                self.known.validate_python(raw)
                self.events.append(raw)
                if event.type == kind:
                    return

    @property
    def _session(self) -> dict[str, Any]:
        session: dict[str, Any] = self.got("session", self.first)[0]
        return session


class LiveCaller(ResumingCaller):
    """The same by the Live API."""

    first, sound = "session.started", "session.output_audio.delta"
    known: TypeAdapter[Any] = TypeAdapter(ServerEvent)

    def connect(self) -> Any:
        """The connection, as a context."""
        return self._client.live.connect(**self._options)
