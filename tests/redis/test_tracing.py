"""One trace a turn, from a real gateway and a real worker's loop, through an exporter in memory."""

import sys
import time
from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from redis.asyncio import Redis

from shared import tracing
from shared.errors import ConfigError
from shared.log.registry import Registry
from shared.log.session_log import SessionLog
from shared.log.traced_log import TracedLog, open_log
from shared.settings import load_settings
from tests.e2e.client import calling
from tests.patience import until
from tests.redis.stage import running_gateway
from tests.redis.test_runtime import working
from tests.sounds import silence, voice
from workers.engines.echo import EchoEngine
from workers.runtime.conversation.memory import no_fold
from workers.runtime.loop import WorkerLoop
from workers.runtime.ownership.claims import Ownership

pytestmark = pytest.mark.redis

PARTS = ["append", "claim", "commit", "deliver", "step", "turn"]


@pytest.fixture
def exporter(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    """Every span of this process."""
    monkeypatch.setattr(tracing, "turns", None)
    exporter = InMemorySpanExporter()
    tracing.use(SimpleSpanProcessor(exporter), "antiphon-test")
    yield exporter
    exporter.shutdown()


def traced_worker(redis: Redis) -> WorkerLoop:
    settings = load_settings({"ENGINE": "echo"})
    log = open_log(redis, ttl_s=60)
    assert isinstance(log, TracedLog)
    ownership = Ownership(
        log, Registry(redis, ttl_s=60), settings, "w1", traits=EchoEngine.traits, fold=no_fold
    )
    return WorkerLoop(log, ownership, EchoEngine(8), settings)


async def test_a_turn_is_one_trace_from_its_last_audio_to_the_first_frame(
    redis_client: Redis, redis_url: str, exporter: InMemorySpanExporter
) -> None:
    async with (
        working(traced_worker(redis_client)),
        running_gateway(redis_url) as server,
    ):
        fleet = server.gateway.fleet
        await until(lambda: fleet.free(time.monotonic()) > 0)
        async with calling(server.url, "turn") as client:
            await client.speak([*voice(15), *silence(10)])
            await client.until(lambda: len(client.frames) > 5)
            await until(lambda: len(exporter.get_finished_spans()) >= len(PARTS))
            sid = client.ready["session"]
    spans = exporter.get_finished_spans()
    assert sorted(span.name for span in spans) == PARTS
    check(spans, sid)


def check(spans: tuple[ReadableSpan, ...], sid: str) -> None:
    """One trace: parts inside their root, in order, with the session and nothing that was said."""
    (root,) = [span for span in spans if span.name == "turn"]
    named = {span.name: span for span in spans}
    assert root.parent is None
    for span in spans:
        assert span.context is not None
        assert root.context is not None
        assert span.context.trace_id == root.context.trace_id
        assert span is root or (span.parent and span.parent.span_id == root.context.span_id)
        assert dict(span.attributes or {}).keys() == {"antiphon.session", "antiphon.record"}
        assert (span.attributes or {})["antiphon.session"] == sid
        assert (span.start_time or 0) <= (span.end_time or 0)
    assert steps_of(named) == sorted(steps_of(named))
    for earlier, later in (("claim", "step"), ("step", "commit")):
        assert named[earlier].end_time == named[later].start_time
    assert named["turn"].end_time == named["deliver"].end_time


def steps_of(named: dict[str, ReadableSpan]) -> list[int]:
    """The times of which each causes the next; Redis' answers come to both sides in any order."""
    times = [
        *(named["append"].start_time, named["claim"].end_time, named["commit"].start_time),
        *(named["deliver"].start_time, named["deliver"].end_time),
    ]
    return [time or 0 for time in times]


def test_without_an_endpoint_nothing_is_traced(redis_client: Redis) -> None:
    tracing.switch_on("", "antiphon-test")
    assert tracing.turns is None
    assert type(open_log(redis_client)) is SessionLog


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace.export", None)
    with pytest.raises(ConfigError, match="antiphon\\[otel\\]"):
        tracing.switch_on("http://127.0.0.1:4318", "antiphon-test")
