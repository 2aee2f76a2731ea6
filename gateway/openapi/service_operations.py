"""The operations about the gateway itself: health, metrics, this document."""

from gateway.openapi.answers import refusals
from gateway.openapi.content import json_body, sample, text_body
from gateway.openapi.references import Node, schema
from gateway.openapi.security import operator_auth


def live() -> Node:
    """`GET /health/live`."""
    return {
        "operationId": "getLiveness",
        "tags": ["Health"],
        "summary": "Whether the process can answer",
        "security": [],
        "responses": {
            "200": json_body("It does.", schema("Liveness"), {"status": "live"}),
            **refusals(),
        },
        "x-codeSamples": [sample("Ask", 'curl -sS "$GATEWAY/health/live"')],
    }


def ready() -> Node:
    """`GET /health/ready`."""
    condition = {"state": "ok", "reason": None, "last_ok": "2026-01-31T09:30:00.000Z", "last_failure": None}
    report: Node = {
        "status": "ready",
        "checks": {
            "storage": {"ok": True, "write_ms": 1.2},
            "worker": {"ok": True, "heartbeat_seconds": 0.4},
            "backlog": {"ok": True, "oldest_due_seconds": 0.0},
            "disk": {"ok": True, "free_bytes": 53687091200},
        },
        "connections": {"acme": {"apptivo": condition}},
    }
    full = {"ok": False, "detail": "disk full"}
    unready = {**report, "status": "not ready", "checks": {**report["checks"], "storage": full}}
    return {
        "operationId": "getReadiness",
        "tags": ["Health"],
        "summary": "Whether the gateway can accept and keep work",
        "description": "True at the moment of asking. A CRM that is down does not make the gateway unready.",
        "security": [],
        "responses": {
            "200": json_body("Ready.", schema("Readiness"), report, "Cache-Control"),
            **refusals(),
            "503": json_body(
                "Not ready; so from the first moment of draining.", schema("Readiness"), unready, "Cache-Control"
            ),
        },
        "x-codeSamples": [sample("Ask", 'curl -sS "$GATEWAY/health/ready"')],
    }


def metrics() -> Node:
    """`GET /metrics`."""
    return {
        "operationId": "getMetrics",
        "tags": ["Health"],
        "summary": "Metrics for Prometheus",
        "security": operator_auth(),
        "responses": {
            "200": text_body("text/plain", "Prometheus' text format."),
            **refusals("AmbiguousProof", "OperatorUnauthorized", "TooManyRequests", "Unavailable"),
        },
        "x-codeSamples": [
            sample("Read them", 'curl -sS "$GATEWAY/metrics" -H "Authorization: Bearer $OPERATOR_TOKEN"')
        ],
    }


def openapi_json() -> Node:
    """`GET /openapi.json`."""
    return {
        "operationId": "getOpenApi",
        "tags": ["Contract"],
        "summary": "This document as JSON",
        "security": [],
        "responses": {
            "200": json_body("The OpenAPI document.", {"type": "object", "required": ["openapi", "paths"]}, None),
            **refusals(),
        },
        "x-codeSamples": [sample("Read it", 'curl -sS "$GATEWAY/openapi.json"')],
    }


def docs() -> Node:
    """`GET /docs`."""
    return {
        "operationId": "getDocs",
        "tags": ["Contract"],
        "summary": "This document as a page",
        "security": [],
        "responses": {
            "200": text_body("text/html", "One page, without scripts and without requests to anywhere."),
            **refusals(),
        },
        "x-codeSamples": [sample("Read it", 'curl -sS "$GATEWAY/docs"')],
    }
