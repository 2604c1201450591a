"""Traces and JSON logs of real processes: OTLP over HTTP into a small collector."""

import gzip
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from tests.e2e.client import calling
from tests.e2e.launcher import Stack
from tests.patience import until
from tests.sounds import silence, voice

pytestmark = pytest.mark.e2e

PARTS = {"turn", "append", "deliver", "claim", "step", "commit"}


class Collector(BaseHTTPRequestHandler):
    """Takes spans and keeps service, name, trace and parent of each."""

    found: list[tuple[str, str, bytes, bytes]]

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers["content-length"]))
        if self.headers.get("content-encoding") == "gzip":
            raw = gzip.decompress(raw)
        for resource in ExportTraceServiceRequest.FromString(raw).resource_spans:
            names = {a.key: a.value.string_value for a in resource.resource.attributes}
            for scope in resource.scope_spans:
                self.found += [
                    (names["service.name"], s.name, s.trace_id, s.parent_span_id)
                    for s in scope.spans
                ]
        body = ExportTraceServiceResponse().SerializeToString()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Log nothing."""


@contextmanager
def collecting() -> Iterator[tuple[str, list[tuple[str, str, bytes, bytes]]]]:
    """A collector: its address, and the spans that it got."""
    found: list[tuple[str, str, bytes, bytes]] = []
    handler = type("Handler", (Collector,), {"found": found})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", found
        finally:
            server.shutdown()


async def test_gateway_and_worker_send_one_trace_and_write_json(stack: Stack) -> None:
    with collecting() as (endpoint, found):
        settings = {
            "OTLP_ENDPOINT": endpoint,
            "LOG_FORMAT": "json",
            "OTEL_BSP_SCHEDULE_DELAY": "200",
        }
        stack.start_worker(**settings)
        stack.start_gateway(**settings)
        async with calling(stack.url, "turn") as client:
            await client.speak([*voice(15), *silence(10)])
            await client.until(lambda: len(client.frames) > 5)
            sid = client.ready["session"]
            await until(lambda: {name for _, name, _, _ in found} == PARTS, lambda: found)
    assert len({trace for _, _, trace, _ in found}) == 1
    assert {parent for _, name, _, parent in found if name == "turn"} == {b""}
    assert len({parent for _, name, _, parent in found if name != "turn"}) == 1
    assert {service for service, _, _, _ in found} == {"antiphon-gateway", "antiphon-worker"}
    lines = [json.loads(line) for p in stack.processes for line in p.log.read_text().splitlines()]
    assert any(line.get("session") == sid for line in lines)
