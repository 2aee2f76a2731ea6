"""Every route under hostile bodies, headers, queries and paths: no 5xx that is not documented, no traceback, no hang.

The routes are those of the application's own table, so that one that is added is attacked, too.
"""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.vainu.samples import samples
from gateway.app import ROUTES
from tests.gateway.events.conftest import purchase
from tests.gateway.http.conftest import BODY_SECONDS, MAX_BODY
from tests.gateway.http.corpora import BODIES, HEADERS, QUERIES, TEXTS, VALUES
from tests.gateway.http.problems import problem
from tests.gateway.http.wire import Answer, connected, exchange, request
from tests.harness import AUTH, KEY, OPERATOR, Gateway, configuration, running_gateway, running_upstream

KNOWN = {"kind": "purchases", "export_id": "exp_0", "unique_id": "12345", "id": "1"}
CREDENTIALS = {**AUTH, **OPERATOR}
REMOTE_FAULTS = {502, 504}
"""What a simulated CRM that is sent nonsense may lead to; 503 is our own store, which is well."""
WEBHOOKS = ("/vainu/{connection}/webhooks", "/crm/{connection}/webhooks")
QUICK_SECONDS = 4.0
BOUNDED = settings(
    max_examples=120,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway that everybody may call as often as they like, and who calls it with a key is admitted everywhere."""
    folder: Path = tmp_path_factory.mktemp("attacked")
    limits = {"requests_per_second": 1_000_000, "failed_signins_per_minute": 1_000_000}
    server = {**limits, "max_body_bytes": MAX_BODY, "body_timeout_seconds": BODY_SECONDS}
    shared = {"webhooks": {"api_keys": [KEY]}, "export": {"budget_ms": 1_500}, "feed": {"budget_ms": 1_500}}
    with running_upstream() as upstream:
        document = configuration(upstream.url, folder, server=server, connections={"acme": shared, "globex": shared})
        with running_gateway(document) as running:
            yield running


def path_of(template: str, **changes: str) -> str:
    """A path of a route: `globex` where CRM.COM is called, and ids that look like some."""
    connection = "globex" if "customer-events" in template else "acme"
    path = template.replace("{connection}", changes.pop("connection", connection))
    for name, value in {**KNOWN, **changes}.items():
        path = path.replace(f"{{{name}}}", value)
    return path.replace("{path:path}", "x").replace("{delivery_id:int}", "1")


def fits(template: str, path: str) -> bool:
    """Whether a path is one of a route's: that of one route may be another's with an id in it."""
    return re.fullmatch(re.sub(r"\\{[^}]*\\}", "[^/]+", re.escape(template)), path) is not None


def attack(gateway: Gateway, sent: bytes, *, bodiless: bool = False) -> Answer | None:
    """What comes back, in time, and fit to be seen."""
    started = time.monotonic()
    with connected(gateway.url, QUICK_SECONDS) as wire:
        wire.send(sent)
        answer = wire.answer(bodiless=bodiless)
    assert time.monotonic() - started < QUICK_SECONDS
    if answer is not None:
        assert answer.status < 500 or answer.status in REMOTE_FAULTS, answer.body
        assert answer.names.count("x-request-id") == 1
        assert b"Traceback" not in answer.body
        assert b'File "' not in answer.body
        if answer.status >= 400 and answer.body and answer.headers["content-type"].startswith("application/"):
            problem(answer, answer.status)
    return answer


@pytest.fixture(autouse=True)
def no_defect_is_logged(attacked: Gateway, capsys: pytest.CaptureFixture[str]) -> Iterator[None]:
    """After each test: no traceback in the log, and the gateway answers."""
    yield
    alive = exchange(attacked.url, request("GET", "/health/live"))
    assert alive is not None
    assert alive.status == 200
    logged = capsys.readouterr()
    for word in ("Traceback", "internal_error", "http.internal_error"):
        assert word not in logged.out + logged.err, (logged.out + logged.err)[-3_000:]


ALL = [(method, path) for method, path, _endpoint in ROUTES]
WRITING = [(method, path) for method, path in ALL if method not in ("GET", "HEAD")]


@pytest.mark.parametrize(("method", "template"), WRITING)
def test_hostile_bodies(attacked: Gateway, method: str, template: str) -> None:
    """Whatever a body is, JSON or not, it is taken or refused with a 4xx problem."""
    for name, body in BODIES.items():
        answer = attack(attacked, request(method, path_of(template), CREDENTIALS, body))
        assert answer is not None, name


@pytest.mark.parametrize(("method", "template"), ALL)
def test_hostile_headers(attacked: Gateway, method: str, template: str) -> None:
    """Whatever a header holds, beside a good key or in its place."""
    body = None if method == "GET" else b"{}"
    for headers in HEADERS:
        mixed = {**CREDENTIALS, **headers}
        assert attack(attacked, request(method, path_of(template), mixed, body)) is not None, headers
        if "Authorization" not in headers:
            attack(attacked, request(method, path_of(template), headers, body))


@pytest.mark.parametrize(("method", "template"), ALL)
def test_hostile_queries(attacked: Gateway, method: str, template: str) -> None:
    """Whatever stands behind the question mark."""
    body = None if method == "GET" else b"{}"
    for query in QUERIES:
        assert attack(attacked, request(method, f"{path_of(template)}?{query}", CREDENTIALS, body)) is not None, query


@pytest.mark.parametrize(("method", "template"), [each for each in ALL if "{" in each[1]])
def test_hostile_path_segments(attacked: Gateway, method: str, template: str) -> None:
    """Whatever stands in the place of an id or a name."""
    body = None if method == "GET" else b"{}"
    names = [part.strip("{}").partition(":")[0] for part in template.split("/") if part.startswith("{")]
    segments = (
        "%00",
        "%ff%fe",
        "..",
        "%2e%2e%2f",
        "%ED%A0%80",
        "%F0%9F%92%A9",
        "'%22;--",
        "9" * 400,
        "-1",
        "%20",
        "{}",
    )
    for name in names:
        for segment in segments:
            path = path_of(template, **{name: segment})
            assert attack(attacked, request(method, path, CREDENTIALS, body)) is not None, path


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "HEAD", "PROPFIND", "GET", "POST"])
@pytest.mark.parametrize("template", sorted({path for _method, path in ALL}))
def test_every_method_on_every_route(attacked: Gateway, method: str, template: str) -> None:
    """A method that a route does not have is 405 with Allow; none is an error."""
    answer = attack(attacked, request(method, path_of(template), CREDENTIALS, b"{}"), bodiless=method == "HEAD")
    assert answer is not None
    served = {each for each, path in ALL if fits(path, path_of(template))}
    if method not in served and not (method == "HEAD" and "GET" in served):
        assert answer.status == 405
        assert set(answer.headers["allow"].replace(",", " ").split()) & served


def spliced(value: Any, place: int, hostile: str) -> tuple[str, int]:
    """The JSON of a value with hostile JSON in the place of its `place`th scalar, and how many are left to pass."""
    if isinstance(value, dict):
        parts = []
        for key, item in value.items():
            text, place = spliced(item, place, hostile)
            parts.append(f"{json.dumps(key)}:{text}")
        return "{" + ",".join(parts) + "}", place
    if isinstance(value, list):
        parts = []
        for item in value:
            text, place = spliced(item, place, hostile)
            parts.append(text)
        return "[" + ",".join(parts) + "]", place
    return (hostile if place == 0 else json.dumps(value)), place - 1


COMPANY = {
    "company_name": "Hostile Oy",
    "contacts": [{"name": "A B", "email": "a@example.com"}],
    "leads": [{"name": "L"}],
}
SOUND: dict[str, Any] = {
    "/vainu/{connection}/exports": {**samples()["samlink"].push_body(), **COMPANY, "id": "1", "vid": 1},
    "/vainu/{connection}/webhooks": {
        "data": {"company_name": "A", "business_id": "09704098", "staff_number": 3, "domain": "a.example"},
        "number_of_tries": 1,
        "type": "company_change_webhook",
        "unique_id": "12345",
    },
    "/crm/{connection}/webhooks": {"customerId": 1, "data": {"customerId": "2"}, "objectId": 3, "eventId": "e"},
    "/crm/{connection}/customer-events/{kind}": [purchase(1, "1")],
}
HOSTILE = st.sampled_from([*VALUES, *map(json.dumps, TEXTS)])


@BOUNDED
@given(template=st.sampled_from(sorted(SOUND)), place=st.integers(0, 60), hostile=HOSTILE)
def test_one_hostile_value_in_a_sound_body(attacked: Gateway, template: str, place: int, hostile: str) -> None:
    """Any value in the place of any other, in a body that is sound otherwise."""
    body, _left = spliced(SOUND[template], place, hostile)
    assert attack(attacked, request("POST", path_of(template), CREDENTIALS, body.encode())) is not None


@BOUNDED
@given(template=st.sampled_from(WEBHOOKS), text=st.sampled_from(TEXTS), connection=st.sampled_from(["acme", "globex"]))
def test_webhooks_about_hostile_ids(attacked: Gateway, template: str, text: str, connection: str) -> None:
    """Both kinds of webhook, to both CRMs, about a record whose id is anything."""
    content = {"unique_id": text, "type": text, "data": {"company_name": text}, "customerId": text, "objectId": text}
    content |= {"contact_information": {"id": text}, "accounts_receivable": text, "event": text, "eventId": text}
    sent = request("POST", path_of(template, connection=connection), CREDENTIALS, json.dumps(content).encode())
    assert attack(attacked, sent) is not None


def test_the_work_of_all_that_ends(attacked: Gateway) -> None:
    """What hostile pushes and webhooks were accepted are worked on without a defect: none is `internal_error`."""
    deadline = time.monotonic() + 20
    metrics = ""
    while time.monotonic() < deadline:
        metrics = attacked.http.get("/metrics", headers=OPERATOR).text
        running = [line for line in metrics.splitlines() if line.startswith("gateway_deliveries{")]
        if running and not any('state="running"' in line and not line.endswith(" 0.0") for line in running):
            break
        time.sleep(0.1)
    assert 'outcome="internal_error"' not in metrics
