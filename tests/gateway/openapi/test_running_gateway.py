"""The document against the real thing: a running gateway on the simulators, over HTTP."""

import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import Case, GenerationMode

from gateway.openapi import document
from gateway.openapi.page import groups
from gateway.openapi.references import resolved
from tests.harness import AUTH, KEY, OPERATOR, Gateway, Upstream, configuration, running_gateway, running_upstream

EXAMPLES = 8


def _in_path(item: dict[str, Any]) -> bool:
    return any(resolved(document(), each)["in"] == "path" for each in item["parameters"])


NOBODY_WAITS = {"requests_per_second": 1_000_000, "failed_signins_per_minute": 1_000_000}
SHOWN = [operation for group in groups(document()) for operation in group.operations]
OPERATIONS = [operation.anchor for operation in SHOWN]
REFUSING = [
    operation["operationId"]
    for item in document()["paths"].values()
    for operation in item.values()
    if isinstance(operation, dict) and (operation.get("parameters") or "requestBody" in operation or _in_path(item))
]
"""The others take nothing that could be wrong."""


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    with running_upstream() as running:
        yield running


@pytest.fixture(scope="module")
def gateway(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    webhooks = {"acme": {"webhooks": {"api_keys": [KEY]}}}
    folder: Path = tmp_path_factory.mktemp("gateway")
    with running_gateway(configuration(upstream.url, folder, server=NOBODY_WAITS, connections=webhooks)) as running:
        yield running


@pytest.fixture(scope="module")
def loaded(gateway: Gateway) -> Any:
    known = schemathesis.Config.from_dict({"parameters": {"connection": "acme"}})
    return schemathesis.openapi.from_url(f"{gateway.url}/openapi.json", config=known)


@pytest.mark.parametrize("name", OPERATIONS)
def test_what_the_document_admits_is_accepted(name: str, loaded: Any, gateway: Gateway) -> None:
    """Requests made from the document are accepted, and answered as it describes: status, headers and body."""
    _exercise(loaded.find_operation_by_id(name), GenerationMode.POSITIVE, gateway)


@pytest.mark.parametrize("name", REFUSING)
def test_what_the_document_does_not_admit_is_refused(name: str, loaded: Any, gateway: Gateway) -> None:
    """Requests that break the document are refused, with a problem that it describes."""
    _exercise(loaded.find_operation_by_id(name), GenerationMode.NEGATIVE, gateway)


def _exercise(operation: Any, mode: GenerationMode, gateway: Gateway) -> None:
    @seed(1)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy(generation_mode=mode))
    def exercise(case: Case) -> None:
        case.call_and_validate(base_url=gateway.url, headers={**AUTH, **OPERATOR})

    exercise()


def test_the_gateway_serves_its_document_and_its_page(gateway: Gateway) -> None:
    """Anyone may read both; the page lets nothing be fetched and nothing run, and holds no script."""
    served, page = (httpx.get(f"{gateway.url}{path}", trust_env=False) for path in ("/openapi.json", "/docs"))

    assert document() == served.json()
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["content-security-policy"].startswith("default-src 'none'; style-src 'sha256-")
    assert not [word for word in ("<script", " src=", " style=", "@import", "url(") if word in page.text]


@pytest.mark.parametrize("name", OPERATIONS)
def test_the_command_lines_work(name: str, gateway: Gateway) -> None:
    """The curl lines of the document reach the operation that they stand at, and get an answer that it describes."""
    described = {
        operation["operationId"]: operation
        for item in document()["paths"].values()
        for operation in item.values()
        if isinstance(operation, dict)
    }
    operation = described[name]
    for sample in operation["x-codeSamples"]:
        assert str(_run(sample["source"], gateway).status_code) in operation["responses"]


def _run(source: str, gateway: Gateway) -> httpx.Response:
    """Send what the curl in these lines would; the other commands, which make a signature, are not run."""
    words = iter(shlex.split(source[source.index("curl ") :].replace("$GATEWAY", gateway.url).replace("$KEY", KEY)))
    headers, body, url, method = {}, None, "", "GET"
    for word in words:
        if word == "-H":
            header, _, value = next(words).partition(": ")
            headers[header] = value.replace("$OPERATOR_TOKEN", OPERATOR["Authorization"].split()[1])
        elif word == "-d":
            body, method = next(words), "POST"
        elif word == "-sSI":
            method = "HEAD"
        elif word.startswith("http"):
            url = word
    if body is not None and not body.startswith("$"):
        json.loads(body)
    return httpx.request(method, url, headers=headers, content=body, trust_env=False)
