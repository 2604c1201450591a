"""Traces turns with OpenTelemetry, if OTLP_ENDPOINT is set; otherwise `turns` is None.

A turn's trace has a root `turn`, from the arrival of the caller's last audio to the first frame of
the reply. Gateway and worker add the spans that they see. Both derive the ids from the session and
the record that ended the turn, so no context travels through the log. A span holds the session's
id but no words.
"""

import hashlib
import time
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from shared.errors import ConfigError

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import SpanProcessor, TracerProvider

MOST_CALLS: Final = 4_096  # remembered, each with its newest records
KEPT: Final = 64  # records of one call and kind: 5 s of audio
FLUSH_WITHIN_MS: Final = 300  # a worker that leaves has 2 s in all

Span = tuple[float, float]  # its begin and end, monotonic seconds


def trace_id(sid: str, n: int) -> int:
    """The id of the trace of the turn that record n ended."""
    return int.from_bytes(hashlib.sha256(f"{sid}.{n}".encode()).digest()[:16], "big")


def root_id(sid: str, n: int) -> int:
    """The id of that trace's root."""
    return int.from_bytes(hashlib.sha256(f"{sid}.{n}.turn".encode()).digest()[:8], "big")


@dataclass
class TracedCall:
    """What one process has seen of a call."""

    appended: deque[tuple[int, Span]] = field(default_factory=lambda: deque(maxlen=KEPT))
    read: deque[tuple[int, Span]] = field(default_factory=lambda: deque(maxlen=KEPT))
    ended_by: int = 0  # the record that ended the newest turn; 0: its reply has begun
    reply_read_at: float = 0.0


class TurnSpans:
    """Emits the spans of one process."""

    def __init__(self, provider: "TracerProvider") -> None:
        from opentelemetry import trace

        self.provider = provider
        self._trace = trace
        self._tracer = provider.get_tracer("antiphon")
        self._wall_ns = time.time_ns() - time.monotonic_ns()
        self._calls: OrderedDict[str, TracedCall] = OrderedDict()

    def call(self, sid: str) -> TracedCall:
        """What this process has seen of a call; the oldest calls are forgotten."""
        found = self._calls.pop(sid, None) or TracedCall()
        self._calls[sid] = found
        while len(self._calls) > MOST_CALLS:
            self._calls.popitem(last=False)
        return found

    def first_frame(self, sid: str, waited_s: float, now: float) -> None:
        """At a gateway: the first frame of a reply leaves, so long after the turn's last audio."""
        call = self.call(sid)
        if n := call.ended_by:
            call.ended_by = 0
            self._emit("turn", sid, n, (now - waited_s, now), root=True)
            self.part("append", sid, n, holding(call.appended, n))
            self.part("deliver", sid, n, (call.reply_read_at, now))

    def committed(self, sid: str, commit: Span) -> None:
        """At a worker: this commit holds the beginning of a reply."""
        call = self.call(sid)
        if n := call.ended_by:
            call.ended_by = 0
            claim = holding(call.read, n)
            self.part("claim", sid, n, claim)
            self.part("step", sid, n, claim and (claim[1], commit[0]))
            self.part("commit", sid, n, commit)

    def part(self, name: str, sid: str, n: int, span: Span | None) -> None:
        """Emit a child of the turn's root, if its times are known."""
        if span is not None:
            self._emit(name, sid, n, span, root=False)

    def _emit(self, name: str, sid: str, n: int, span: Span, *, root: bool) -> None:
        trace = self._trace
        parent = None
        if not root:
            known = trace.SpanContext(
                trace_id(sid, n), root_id(sid, n), True, trace.TraceFlags(trace.TraceFlags.SAMPLED)
            )
            parent = trace.set_span_in_context(trace.NonRecordingSpan(known))
        ids: Any = self.provider.id_generator
        ids.next = (trace_id(sid, n), root_id(sid, n)) if root else None
        begun, ended = (self._wall_ns + int(at * 1e9) for at in span)
        attributes: dict[str, Any] = {"antiphon.session": sid, "antiphon.record": n}
        started = self._tracer.start_span(name, parent, start_time=begun, attributes=attributes)
        started.end(end_time=ended)


def holding(spans: "deque[tuple[int, Span]]", n: int) -> Span | None:
    """When the batch with record n was written or read. `spans`: (last record, times), in order."""
    return next((span for last, span in spans if last >= n), None)


turns: TurnSpans | None = None


def switch_on(endpoint: str, service: str) -> None:
    """Send this process's traces to an OTLP endpoint, such as http://host:4318; "" sends none.

    Raises ConfigError where the extra `otel` is not installed.
    """
    if not endpoint:
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise ConfigError(
            f"OTLP_ENDPOINT: expected the extra `otel` to be installed, got {error}; "
            "install antiphon[otel] or leave the setting empty"
        ) from error
    exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces")
    use(BatchSpanProcessor(exporter), service)


def use(processor: "SpanProcessor", service: str) -> TurnSpans:
    """Give this process's spans to a processor."""
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.id_generator import RandomIdGenerator

    class TurnIds(RandomIdGenerator):
        """The ids of the next root; random ones for the others."""

        next: tuple[int, int] | None = None

        def generate_trace_id(self) -> int:
            return self.next[0] if self.next else super().generate_trace_id()

        def generate_span_id(self) -> int:
            return self.next[1] if self.next else super().generate_span_id()

    provider = TracerProvider(
        resource=Resource.create({"service.name": service}), id_generator=TurnIds()
    )
    provider.add_span_processor(processor)
    global turns
    turns = TurnSpans(provider)
    return turns


def flush() -> None:
    """Send the remaining spans, within `FLUSH_WITHIN_MS`."""
    if turns is not None:
        turns.provider.force_flush(FLUSH_WITHIN_MS)
