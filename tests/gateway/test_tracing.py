"""One trace from Vainu's click to the CRM's answer, told to a collector by OTLP; nothing at all where nobody asks."""

import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from adapters.serving import serving
from adapters.vainu.samples import samples
from gateway.tracing import is_wanted
from tests.gateway.cli.planted import HEADERS, PERSON, people_in
from tests.harness import (
    KEY,
    OPERATOR,
    Gateway,
    Upstream,
    configuration,
    gateway_process,
    running_gateway,
    wait_until,
)

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
CLICK = {"traceparent": f"00-{TRACE}-{PARENT}-01"}
EXPORTS = "POST /vainu/{connection}/exports"
HOOK = "webhook-key-for-tests-0123456789"


@dataclass
class Collector:
    """What a collector of traces was told."""

    url: str = ""
    bodies: list[bytes] = field(default_factory=list)

    @property
    def spans(self) -> list[Span]:
        found = [ExportTraceServiceRequest.FromString(body) for body in self.bodies]
        return [span for each in found for of in each.resource_spans for some in of.scope_spans for span in some.spans]

    def named(self, name: str) -> list[Span]:
        return [span for span in self.spans if span.name == name]

    def environ(self) -> dict[str, str]:
        return {"OTEL_EXPORTER_OTLP_ENDPOINT": self.url, "OTEL_BSP_SCHEDULE_DELAY": "50"}


@pytest.fixture
def collector() -> Iterator[Collector]:
    """A collector, over OTLP and HTTP."""
    told = Collector()

    async def take(request: Request) -> Response:
        told.bodies.append(await request.body())
        return Response(b"", media_type="application/x-protobuf")

    with serving(Starlette(routes=[Route("/v1/traces", take, methods=["POST"])])) as url:
        told.url = url
        yield told


def children(spans: list[Span], parent: Span) -> list[Span]:
    return [span for span in spans if span.parent_span_id == parent.span_id]


def document(upstream: Upstream, folder: Path, **acme: Any) -> dict[str, Any]:
    return configuration(upstream.url, folder, connections={"acme": {"webhooks": {"api_keys": [HOOK]}, **acme}})


def test_from_the_click_to_the_crm(upstream: Upstream, tmp_path: Path, collector: Collector) -> None:
    """The caller's trace goes on: its request, the delivery below, below that the calls; of no person, no secret."""
    body = {**samples()["samlink"].push_body(), "contacts": [PERSON]}
    with gateway_process(document(upstream, tmp_path), tmp_path) as process:
        gateway = process.start(environ=collector.environ())
        answer = gateway.push("acme", body, headers={**HEADERS, **CLICK, "tracestate": f"who={PERSON['last_name']}"})
        assert answer.status_code == 201
        wait_until(lambda: collector.named("deliver export_details"), "what follows is told")
        assert gateway.http.get("/metrics", headers=OPERATOR).status_code == 200
        assert process.stop() == 0
    (request,) = collector.named(EXPORTS)
    assert (request.trace_id.hex(), request.parent_span_id.hex()) == (TRACE, PARENT)
    (delivery,) = collector.named("deliver export")
    assert delivery.parent_span_id == request.span_id
    calls = children(collector.spans, delivery)
    assert len(calls) >= 2
    assert all(call.name.startswith("apptivo ") and call.kind == Span.SPAN_KIND_CLIENT for call in calls)
    (details,) = collector.named("deliver export_details")
    assert details.parent_span_id == request.span_id
    assert {span.trace_id.hex() for span in collector.spans} == {TRACE}
    assert request.start_time_unix_nano <= delivery.start_time_unix_nano
    assert all(delivery.start_time_unix_nano <= call.start_time_unix_nano for call in calls)
    said = b"".join(collector.bodies).decode("latin-1")
    assert people_in(said) == set()
    for secret in (KEY, "operator-token-for-tests", body["company_name"]):
        assert secret not in said
    assert "vainu-gateway" in said


def test_finished_later_by_another_process(upstream: Upstream, tmp_path: Path, collector: Collector) -> None:
    """Accepted, killed, done by the next process: the delivery and its calls are in the trace of the click."""
    company = samples()["samlink"].push_body()
    slow = document(upstream, tmp_path, export={"budget_ms": 300, "settle_seconds": 1})
    upstream.fault("apptivo", "delay", seconds=20)
    with gateway_process(slow, tmp_path) as process:
        gateway = process.start(environ=collector.environ())
        assert gateway.push("acme", company, headers=CLICK).json()["status"] == "accepted"
        wait_until(lambda: collector.named(EXPORTS), "the request is told")
        process.kill()
        assert not collector.named("deliver export")
        upstream.heal("apptivo")
        process.start(environ=collector.environ())
        done = wait_until(lambda: [span for span in collector.named("deliver export") if outcome(span) == "ok"], "done")
        assert process.stop() == 0
    (request,) = collector.named(EXPORTS)
    assert {span.trace_id.hex() for span in done} == {TRACE}
    assert {span.parent_span_id for span in done} == {request.span_id}
    assert children(collector.spans, done[0])


def outcome(span: Span) -> str:
    return next((each.value.string_value for each in span.attributes if each.key == "gateway.outcome"), "")


@pytest.fixture
def told(upstream: Upstream, tmp_path: Path) -> Iterator[tuple[Gateway, InMemorySpanExporter]]:
    """A gateway in this process, and what it tells."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with running_gateway(document(upstream, tmp_path), trace_provider=provider) as gateway:
        yield gateway, exporter


def of(exporter: InMemorySpanExporter, name: str) -> list[ReadableSpan]:
    return [span for span in exporter.get_finished_spans() if span.name == name]


def test_a_webhook_and_what_it_brings_about(told: tuple[Gateway, InMemorySpanExporter]) -> None:
    """From the CRM's webhook, a second later, to the CRM's and Vainu's answers."""
    gateway, exporter = told
    unique_id = gateway.push("acme", samples()["samlink"].push_body()).json()["unique_id"]
    answer = gateway.http.post("/crm/acme/webhooks", json={"customerId": unique_id}, headers={"API-Key": HOOK, **CLICK})
    assert answer.status_code == 202
    (delivery,) = wait_until(lambda: of(exporter, "deliver crm_webhook"), "it is done")
    calls = [
        span
        for span in exporter.get_finished_spans()
        if span.parent is not None and span.parent.span_id == delivery.context.span_id
    ]
    assert f"{delivery.context.trace_id:032x}" == TRACE
    assert {"apptivo", "vainu"} == {span.attributes["gateway.system"] for span in calls if span.attributes}


def test_a_feed(told: tuple[Gateway, InMemorySpanExporter]) -> None:
    """The calls of every source are below the request."""
    gateway, exporter = told
    unique_id = gateway.push("acme", samples()["samlink"].push_body()).json()["unique_id"]
    exporter.clear()
    assert gateway.feed("acme", unique_id, headers=CLICK).status_code == 200
    (request,) = wait_until(lambda: of(exporter, "GET /vainu/{connection}/activities/{unique_id}"), "it is told")
    below = [
        span for span in exporter.get_finished_spans() if span.parent and span.parent.span_id == request.context.span_id
    ]
    assert len(below) >= 5
    assert request.attributes is not None
    assert request.attributes["http.response.status_code"] == 200


@pytest.mark.parametrize(
    "header",
    [
        "",
        "nonsense",
        f"00-{'0' * 32}-{PARENT}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"ff-{TRACE}-{PARENT}-01",
        f"00-{TRACE.upper()}-{PARENT}-01",
        f"00-{TRACE}-{PARENT}",
        "00-" + "a" * 5_000,
        f"00-{TRACE}-{PARENT}-01\x80",
    ],
)
def test_a_traceparent_that_is_none(told: tuple[Gateway, InMemorySpanExporter], header: str) -> None:
    """The request is served, in a trace of its own."""
    gateway, exporter = told
    headers = {"traceparent": header.encode("latin-1")}
    answer = gateway.http.get("/vainu/acme/exports/none", headers=headers)  # type: ignore[arg-type]  # httpx takes bytes
    assert answer.status_code == 404
    (request,) = wait_until(lambda: of(exporter, "GET /vainu/{connection}/exports/{export_id}"), "it is told")
    assert request.parent is None
    assert f"{request.context.trace_id:032x}" != TRACE


def test_what_the_caller_does_not_want_told_is_not(told: tuple[Gateway, InMemorySpanExporter]) -> None:
    """A trace that is not sampled stays so, in the request and in all that follows."""
    gateway, exporter = told
    headers = {"traceparent": f"00-{TRACE}-{PARENT}-00"}
    assert gateway.push("acme", samples()["samlink"].push_body(), headers=headers).status_code == 201
    assert exporter.get_finished_spans() == ()


def test_a_collector_that_is_away(upstream: Upstream, tmp_path: Path) -> None:
    """Work goes on, and the process ends in time."""
    away = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_BSP_SCHEDULE_DELAY": "50"}
    with gateway_process(document(upstream, tmp_path), tmp_path) as process:
        gateway = process.start(environ=away)
        assert gateway.push("acme", samples()["samlink"].push_body()).status_code == 201
        started = time.monotonic()
        assert process.stop() == 0
        assert time.monotonic() - started < 8
    assert "Traceback" not in process.log.read_text()


def test_nothing_is_imported_where_nobody_asks() -> None:
    """Without the variables the extra is not even looked for."""
    code = "import sys, gateway.serve; sys.exit(any(name.partition('.')[0] == 'opentelemetry' for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("environ", "wanted"),
    [
        ({}, False),
        ({"OTEL_SERVICE_NAME": "gateway"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://collector:4318/v1/traces"}, True),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, True),
        ({"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}, False),
        ({"OTEL_SDK_DISABLED": "true", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, False),
    ],
)
def test_who_asks(environ: dict[str, str], wanted: bool) -> None:
    """The standard variables, and nothing else."""
    assert is_wanted(environ) is wanted
