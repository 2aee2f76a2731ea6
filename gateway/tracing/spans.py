"""The spans: a request, an attempt at a delivery or a batch of them, a call to a remote system."""

import contextlib
import re
import threading
import time
from collections.abc import AsyncIterator, Callable, Sequence

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Link, NonRecordingSpan, Span, SpanContext, SpanKind, Status, StatusCode, TraceFlags
from starlette.types import ASGIApp, Message, Receive, Scope, Send

import gateway
from adapters.contract import CallRecord
from gateway.clock import Clock
from gateway.store import Store, StoreUnavailable, traces
from gateway.store.deliveries import Delivery

_TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?")
"""https://www.w3.org/TR/trace-context/#traceparent-header; a later version may bring more."""
_UNTRACED = ("/health/", "/metrics")
"""What is asked every few seconds tells nobody anything."""
_CLOSING_SECONDS = 1.0
_LINKED = 50
"""Of how many deliveries of a batch the traces are looked up."""


def provider_by_environment() -> TracerProvider:
    """What the standard variables describe; the service's name is theirs, or vainu-gateway."""
    resource = Resource.create({"service.version": gateway.__version__})
    if str(resource.attributes.get("service.name", "")).startswith("unknown_service"):
        resource = resource.merge(Resource({"service.name": "vainu-gateway"}))
    # at exit it would wait for an unreachable collector for longer than a drain may take
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider


class Tracing:
    """Makes the spans of one process."""

    def __init__(self, provider: TracerProvider, store: Store, clock: Clock) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer("gateway", gateway.__version__)
        self._store = store
        self._clock = clock

    def around(self, app: ASGIApp) -> ASGIApp:
        """The application, with a span around each request."""

        async def traced(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http" or scope["path"].startswith(_UNTRACED):
                await app(scope, receive, send)
            else:
                await self._request(app, scope, receive, send)

        return traced

    async def _request(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        given = [value for name, value in scope["headers"] if name == b"traceparent"]
        parent = _parsed(given[0].decode("latin-1")) if len(given) == 1 else None
        status = 0

        async def noting_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        with self._span("request", parent, SpanKind.SERVER) as span:
            try:
                await app(scope, receive, noting_status)
            finally:
                _describe(span, scope, status)

    def _span(
        self, name: str, parent: SpanContext | None, kind: SpanKind, links: Sequence[Link] = ()
    ) -> contextlib.AbstractContextManager[Span]:
        context = trace.set_span_in_context(NonRecordingSpan(parent) if parent else trace.INVALID_SPAN)
        # an exception's message may hold what it was about
        return self._tracer.start_as_current_span(
            name, context, kind, links=links, record_exception=False, set_status_on_exception=False
        )

    async def note(self, *keys: str) -> None:
        """Keep, for the work with these keys, the trace that is under way; where it cannot be kept there is none."""
        current = trace.get_current_span().get_span_context()
        if current.is_valid:
            traceparent = f"00-{current.trace_id:032x}-{current.span_id:016x}-{current.trace_flags:02x}"
            now = self._clock()
            with contextlib.suppress(StoreUnavailable):
                await self._store.write(lambda c: traces.note(c, list(keys), traceparent, now))

    @contextlib.asynccontextmanager
    async def attempt(self, batch: Sequence[Delivery]) -> AsyncIterator[Callable[[str], None]]:
        """A span around an attempt, in the trace that the first delivery came in; what is given takes the outcome."""
        parents = await self._parents(batch)
        first = batch[0]
        links = [Link(each) for each in parents[1:] if each is not None]
        with self._span(f"deliver {first.kind}", parents[0], SpanKind.CONSUMER, links) as span:
            span.set_attribute("gateway.connection", first.connection)
            span.set_attribute("gateway.delivery", first.id)
            span.set_attribute("gateway.deliveries", len(batch))
            span.set_attribute("gateway.attempt", first.attempts + 1)
            yield lambda outcome: _end(span, outcome)

    async def _parents(self, batch: Sequence[Delivery]) -> list[SpanContext | None]:
        try:
            found = await self._store.read(lambda c: [traces.of_delivery(c, each) for each in batch[:_LINKED]])
        except StoreUnavailable:
            return [None]
        # of a request with many rows each row came in the same one
        return [_parsed(each) if each else None for each in dict.fromkeys(found)]

    def upstream_call(self, connection: str, system: str, record: CallRecord) -> None:
        """A span for a call that has just ended, in the task that made it; none outside of a trace."""
        if not trace.get_current_span().get_span_context().is_valid:
            return
        ended = time.time_ns()
        span = self._tracer.start_span(
            f"{system} {record.action}", kind=SpanKind.CLIENT, start_time=ended - int(record.seconds * 1e9)
        )
        span.set_attribute("gateway.connection", connection)
        span.set_attribute("gateway.system", system)
        _end(span, record.outcome)
        span.end(ended)

    def close(self) -> None:
        """Send what is left, within a second."""
        # a thread that nobody waits for: the collector may be gone
        closing = threading.Thread(target=self._provider.shutdown, name="traces-close", daemon=True)
        closing.start()
        closing.join(_CLOSING_SECONDS)


def _describe(span: Span, scope: Scope, status: int) -> None:
    route = scope.get("gateway.route", "unmatched")
    span.update_name(f"{scope['method']} {route}")
    span.set_attribute("http.request.method", scope["method"])
    span.set_attribute("http.route", route)
    span.set_attribute("gateway.request_id", scope["gateway.request_id"])
    if scope.get("gateway.connection"):
        span.set_attribute("gateway.connection", scope["gateway.connection"])
    if scope.get("gateway.refusal"):
        span.set_attribute("gateway.refusal", scope["gateway.refusal"])
    if status:
        span.set_attribute("http.response.status_code", status)
    if status >= 500 or not status:
        span.set_status(Status(StatusCode.ERROR))


def _end(span: Span, outcome: str) -> None:
    span.set_attribute("gateway.outcome", outcome)
    if outcome != "ok":
        span.set_status(Status(StatusCode.ERROR, outcome))


def _parsed(traceparent: str) -> SpanContext | None:
    """The context that a `traceparent` names, or None. A `tracestate` may say anything, and is not kept."""
    found = _TRACEPARENT.fullmatch(traceparent)
    if found is None or traceparent.startswith("ff"):
        return None
    trace_id, span_id, flags = (int(part, 16) for part in found.groups())
    context = SpanContext(trace_id, span_id, is_remote=True, trace_flags=TraceFlags(flags & TraceFlags.SAMPLED))
    return context if context.is_valid else None
