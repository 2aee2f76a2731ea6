"""The quick way of webhooks (gateway.http.express): however the bytes come, the answer is that of the ordinary way."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from adapters.simulated_webhooks import signed
from gateway.http.express import LARGEST_BODY
from tests.gateway.http.wire import Answer, Wire, connected, exchange, request
from tests.gateway.webhooks.conftest import SECRET
from tests.harness import Gateway, Upstream, configuration, running_gateway, wait_until

PATH = "/crm/acme/webhooks"


def webhook(name: str, body: bytes = b'{"customerId": 7}', secret: str = SECRET, **headers: str) -> bytes:
    """A signed webhook as bytes."""
    proof = signed(secret, name, int(time.time()), body)
    return request("POST", PATH, {"Content-Type": "application/json", **proof, **headers}, body)


def told(answer: Answer | None) -> tuple[int, Any]:
    """Status and JSON of an answer that came."""
    assert answer is not None
    return answer.status, json.loads(answer.body)


def pieces(wire: Wire, data: bytes, size: int) -> None:
    """Send in pieces of so many bytes."""
    for start in range(0, len(data), size):
        wire.send(data[start : start + size])


@pytest.mark.parametrize("size", [1, 7, 64, 250])
def test_in_pieces(gateway: Gateway, size: int) -> None:
    """A webhook that comes in pieces of any size is kept, and its repeat in one piece is a repeat."""
    data = webhook(f"msg_pieces_{size}")
    with connected(gateway.url) as wire:
        pieces(wire, data, size)
        status, first = told(wire.answer())
        wire.send(data)
        again, repeat = told(wire.answer())
    assert (status, first["duplicate"]) == (202, False)
    assert (again, repeat) == (200, {"id": first["id"], "duplicate": True})


def test_one_after_the_other_unasked(gateway: Gateway) -> None:
    """Many requests sent before the first answer get their answers in their order, other routes' among them."""
    sent = [webhook("msg_pipe_1"), request("GET", "/health/live"), webhook("msg_pipe_2"), webhook("msg_pipe_1")]
    with connected(gateway.url) as wire:
        wire.send(b"".join(sent))
        answers = [told(wire.answer()) for _ in sent]
    assert [status for status, _body in answers] == [202, 200, 202, 200]
    assert answers[3][1] == {"id": answers[0][1]["id"], "duplicate": True}


@pytest.mark.parametrize("size", [10, LARGEST_BODY - 40, LARGEST_BODY + 1, 200_000])
def test_every_size(gateway: Gateway, size: int) -> None:
    """Small and large bodies are kept alike, byte for byte, whichever way they go."""
    body = json.dumps({"customerId": 7, "pad": "x" * size}).encode()
    assert told(exchange(gateway.url, webhook(f"msg_size_{size}", body)))[0] == 202


def test_a_body_that_never_comes(upstream: Upstream, tmp_path: Path) -> None:
    """Of a webhook whose body stops half way the caller hears 408 in time, and the connection ends."""
    document = configuration(upstream.url, tmp_path, server={"body_timeout_seconds": 0.3})
    with running_gateway(document) as gateway, connected(gateway.url) as wire:
        wire.send(webhook("msg_half")[:-3])
        status, problem = told(wire.answer())
        assert (status, problem["status"]) == (408, 408)
        assert wire.is_closed()


def test_who_hangs_up_is_kept_all_the_same(gateway: Gateway) -> None:
    """A sender that does not wait for the answer has had its webhook kept; the gateway goes on."""
    data = webhook("msg_gone")
    with connected(gateway.url) as wire:
        wire.send(data)
    assert wait_until(lambda: told(exchange(gateway.url, data))[1]["duplicate"], "the webhook is there")


def test_the_last_request_of_a_connection(gateway: Gateway) -> None:
    """`Connection: close` is heard: the answer says so, and the connection ends."""
    with connected(gateway.url) as wire:
        wire.send(webhook("msg_close", **{"Connection": "close"}))
        answer = wire.answer()
        assert told(answer)[0] == 202
        assert answer is not None
        assert answer.headers["connection"] == "close"
        assert answer.names.count("content-length") == 1
        assert wire.is_closed()


def test_a_refusal_is_a_problem(gateway: Gateway) -> None:
    """A wrong signature gets the same problem as anywhere, with the request id that the caller gave."""
    answer = exchange(gateway.url, webhook("msg_wrong", secret="whsec_AAAA", **{"X-Request-ID": "asked-by-me"}))
    status, problem = told(answer)
    assert answer is not None
    assert (status, problem["request_id"]) == (401, "asked-by-me")
    assert answer.headers["x-request-id"] == "asked-by-me"
    assert answer.headers["content-type"] == "application/problem+json"
    assert "www-authenticate" in answer.headers
    assert "date" in answer.headers


def test_a_gateway_that_goes_down_keeps_no_more(gateway: Gateway) -> None:
    """While draining the answer is 503 with Retry-After."""
    gateway.service.begin_drain()
    answer = exchange(gateway.url, webhook("msg_drained"))
    assert told(answer)[0] == 503
    assert answer is not None
    assert int(answer.headers["retry-after"]) >= 1


def test_a_defect_of_ours_is_a_clean_answer(gateway: Gateway) -> None:
    """Should a step fail as it never should, the caller gets a 500 without a traceback, and the next one is served."""
    reading = gateway.service.webhooks
    del gateway.service.webhooks
    status, problem = told(exchange(gateway.url, webhook("msg_defect")))
    gateway.service.webhooks = reading
    assert status == 500
    assert problem["detail"] == "an internal error; the log has it under this request_id"
    assert told(exchange(gateway.url, webhook("msg_defect")))[0] == 202
