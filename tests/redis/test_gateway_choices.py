"""What a caller chooses at the start: a voice, a style, instructions."""

import asyncio
import time

import pytest
from websockets.asyncio.client import ClientConnection

from shared.voices import Offer, Persona
from tests.patience import PATIENCE_S, until
from tests.redis.stage import (
    GatewayServer,
    StandInWorker,
)
from tests.redis.test_gateway import sid_of
from workers.engines.base import Traits
from workers.runtime.conversation.memory import no_fold
from workers.runtime.ownership.rebuild import Rebuilt, rebuild

pytestmark = pytest.mark.redis


async def test_a_voice_is_chosen_by_name_and_kept_in_the_log(
    server: GatewayServer, worker: StandInWorker
) -> None:
    worker.offer = {"voices": ["alto", "baritone"], "styles": ["neutral", "calm"]}
    fleet = server.gateway.fleet
    await until(lambda: fleet.offer(time.monotonic()) == Offer(*map(tuple, worker.offer.values())))
    caller = await server.caller(voice="baritone", style="calm")
    (meta,) = await server.gateway.log.metas([sid_of(caller)])
    assert meta is not None
    assert meta.persona == Persona("baritone", "calm")
    (rebuilt,) = await rebuild(worker.log, [meta.sid], server.gateway.settings, Traits(), no_fold)
    assert isinstance(rebuilt, Rebuilt)
    assert rebuilt.conversation.first_opening.persona == rebuilt.opening.persona == meta.persona
    plain = await server.plain("?voice=baritone")
    await until(lambda: len(worker.owned) == 2)
    metas = await server.gateway.log.metas(list(worker.owned))
    assert {m.voice for m in metas if m is not None} == {"baritone"}
    await plain.close()


async def test_instructions_reach_the_engine_and_no_log_line(
    server: GatewayServer, worker: StandInWorker, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    caller = await server.caller(options={"silence_ms": 300}, instructions="Be a pirate.")
    (meta,) = await worker.log.metas([sid_of(caller)])
    assert meta is not None
    assert (meta.instructions, meta.first_options.silence_ms) == ("Be a pirate.", 300)
    (rebuilt,) = await rebuild(worker.log, [meta.sid], server.gateway.settings, Traits(), no_fold)
    assert isinstance(rebuilt, Rebuilt)
    assert rebuilt.opening.instructions == "Be a pirate."
    assert rebuilt.conversation.state.tuning.silence_ms == 300
    ours = [r.getMessage() for r in caplog.records if r.name != "websockets.client"]
    assert "pirate" not in " ".join([*ours, repr(meta)])


async def test_a_voice_that_no_worker_has_is_refused_by_name(
    server: GatewayServer, worker: StandInWorker
) -> None:
    caller = await server.native()
    await caller.send("start", voice="bass")
    assert await caller.end_of() == ("bad_message", 4400)
    assert caller.events[-1]["message"] == "Expected voice as default, got 'bass'"
    plain = await server.plain("?style=calm")
    assert "Expected style as default" in await socket_message(plain)
    assert not worker.owned


async def socket_message(socket: ClientConnection) -> str:
    """The first text that a plain client gets."""
    return str(await asyncio.wait_for(socket.recv(), PATIENCE_S))
