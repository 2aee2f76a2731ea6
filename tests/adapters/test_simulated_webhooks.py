"""Webhooks that the simulated CRMs push when asked to."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from adapters.apptivo.simulator import ApptivoState, simulator
from adapters.serving import serving
from adapters.simulated_webhooks import signed
from adapters.simulation import Simulator

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.fixture
def app() -> Simulator:
    return simulator(seed=None)


@pytest.fixture
def crm(app: Simulator) -> Iterator[httpx.Client]:
    with serving(app) as url, httpx.Client(base_url=url, trust_env=False) as client:
        yield client


@pytest.fixture
def received() -> list[tuple[dict[str, str], bytes]]:
    return []


@pytest.fixture
def receiver(received: list[tuple[dict[str, str], bytes]]) -> Iterator[str]:
    async def take(request: Request) -> Response:
        received.append((dict(request.headers), await request.body()))
        return JSONResponse({"id": "whk_1", "duplicate": False}, 202)

    with serving(Starlette(routes=[Route("/hook", take, methods=["POST"])])) as url:
        yield f"{url}/hook"


def customer(app: Simulator) -> str:
    assert isinstance(app.state, ApptivoState)
    return str(app.state.insert_customer({"customerName": "Oy Samlink Ab"})["customerId"])


def test_the_signature_is_that_of_the_reference_library() -> None:
    """The value was made with the `standardwebhooks` package from PyPI."""
    headers = signed(SECRET, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_a_webhook_is_pushed_signed(
    app: Simulator, crm: httpx.Client, receiver: str, received: list[tuple[dict[str, str], bytes]]
) -> None:
    """The signature fits the very bytes that were sent; the asker hears what came back."""
    given = {"customer": customer(app), "url": receiver, "secret": SECRET, "id": "msg_1"}
    answer = crm.post("/_webhook", json=given).json()
    ((headers, body),) = received
    expected = signed(SECRET, "msg_1", int(headers["webhook-timestamp"]), body)
    assert {name: headers[name] for name in expected} == expected
    assert json.loads(body) == answer["body"]
    assert (answer["status"], answer["answer"]) == (202, {"id": "whk_1", "duplicate": False})


def test_without_an_address_nothing_is_pushed(
    app: Simulator, crm: httpx.Client, received: list[tuple[dict[str, str], bytes]]
) -> None:
    """The change is made and its webhook told, to be pushed by somebody else."""
    answer = crm.post("/_webhook", json={"customer": customer(app), "set": {"city": "Espoo"}, "deals": {"open": 2}})
    assert list(answer.json()) == ["body"]
    assert answer.json()["body"]["data"]["city"] == "Espoo"
    assert (len(app.state.dump()["opportunities"]), received) == (2, [])


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"customer": "999"}, 404),
        ({}, 404),
        ({"url": "https://example.com/hook"}, 422),
        ({"url": "http://127.0.0.1.example.com/"}, 422),
        ({"url": 7}, 422),
        ({"secret": "plain"}, 422),
        ({"secret": "whsec_not base64"}, 422),
        ({"deals": {"won": -1}}, 422),
        ({"deals": {"maybe": 1}}, 422),
        ({"deals": {"won": 10_000}}, 422),
        ({"deals": 3}, 422),
        ([], 422),
    ],
    ids=str,
)
def test_a_wrong_wish_changes_nothing(app: Simulator, crm: httpx.Client, given: Any, status: int) -> None:
    """Other machines are never called; what cannot be done is said, and not half done."""
    known = {"customer": customer(app)} if given else {}
    before = json.dumps(app.state.dump())
    answer = crm.post("/_webhook", json={**known, **given} if isinstance(given, dict) else given)
    assert answer.status_code == status
    assert json.dumps(app.state.dump()) == before


def test_an_address_where_nobody_listens_is_told(app: Simulator, crm: httpx.Client) -> None:
    """502, with the body that should have gone there."""
    answer = crm.post("/_webhook", json={"customer": customer(app), "url": "http://127.0.0.1:1/hook"})
    assert (answer.status_code, answer.json()["detail"]) == (502, "ConnectError")
