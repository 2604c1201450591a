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
from openai.resources.realtime.realtime import AsyncRealtimeConnection
from openai.types.realtime import RealtimeServerEvent, RealtimeSessionCreateRequestParam
from openai.types.websocket_reconnection import ReconnectingEvent, ReconnectingOverrides
from pydantic import TypeAdapter

from tests.e2e.launcher import ROOT, Stack
from tests.patience import PATIENCE_S
from tests.sdk.recordings import at_24_khz
from tests.sounds import joined, noise

pytestmark = pytest.mark.e2e

EVENTS: TypeAdapter[RealtimeServerEvent] = TypeAdapter(RealtimeServerEvent)
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
    async with caller.connection as call:
        await call.session.update(session=MANUAL)
        for at in range(0, len(sound), 9_600):
            audio = base64.b64encode(sound[at : at + 9_600]).decode()
            await call.input_audio_buffer.append(audio=audio)
        await call.input_audio_buffer.commit()
        await call.response.create()
        await caller.listen(call, "response.output_audio.delta")
        if victim == "worker":
            stack.owner_of(caller.sid).kill()
            await caller.listen(call, "response.done")
        else:
            gateway.kill()
            again = asyncio.to_thread(stack.start_gateway, GATEWAY_PORT=str(stack.port))
            await asyncio.gather(again, caller.listen(call, "response.done"))
    assert b"".join(map(base64.b64decode, caller.got("delta", caller.SOUND))) == sound
    ids = caller.got("event_id")
    assert len(set(ids)) == len(ids)
    kinds = [event["type"] for event in caller.events]
    once = {kind for kind in kinds if kind.startswith("response.")} - {caller.SOUND}
    assert {kind: kinds.count(kind) for kind in once} == dict.fromkeys(once, 1)
    assert "response.created" in once
    assert kinds.count("session.created") == (1 if victim == "worker" else 2)
    assert caller.events[-1]["response"]["status"] == "completed"


class ResumingCaller:
    """openai-python, which reconnects by itself, with what our resume needs."""

    SOUND = "response.output_audio.delta"

    def __init__(self, url: str) -> None:
        self.events: list[dict[str, Any]] = []
        client = AsyncOpenAI(
            api_key="any",
            base_url=f"{url}/v1",
            websocket_base_url=f"{url.replace('http', 'ws')}/v1",
        )
        self.connection = client.realtime.connect(
            model="antiphon",
            extra_query={"resume": "new"},
            on_reconnecting=self.resume,
            max_retries=int(10 * PATIENCE_S),
            initial_delay=0.1,
            max_delay=0.2,
        )

    def resume(self, _: ReconnectingEvent) -> ReconnectingOverrides:
        """The query of the next connection."""
        frame = self.got("frame", self.SOUND)[-1]
        return {"extra_query": {"resume": self._session["resume"], "frame": frame}}

    @property
    def sid(self) -> str:
        """The session's id in the log."""
        return str(self._session["id"]).removeprefix("sess_")

    def got(self, field: str, kind: str = "") -> list[Any]:
        """This field of all events, or of those of one type."""
        return [event[field] for event in self.events if kind in ("", event["type"])]

    async def listen(self, call: AsyncRealtimeConnection, kind: str) -> None:
        """Keep all events up to the next of this type; each must be one that the package knows."""
        async with asyncio.timeout(PATIENCE_S):
            async for event in call:
                raw = event.to_dict()
                EVENTS.validate_python(raw)
                self.events.append(raw)
                if event.type == kind:
                    return

    @property
    def _session(self) -> dict[str, Any]:
        session: dict[str, Any] = self.got("session", "session.created")[0]
        return session
