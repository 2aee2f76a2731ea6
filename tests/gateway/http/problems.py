"""What every refusal must look like (CONTRACT section 4)."""

import json
from typing import Any

import httpx

from tests.gateway.http.wire import Answer, exchange, request

MEMBERS = {"type", "title", "status", "detail", "request_id"}


def problem(response: httpx.Response | Answer | None, status: int) -> dict[str, Any]:
    """The problem in a refusal, checked for everything that all refusals have in common."""
    assert response is not None, f"the connection ended without an answer, expected {status}"
    code = response.status_code if isinstance(response, httpx.Response) else response.status
    text = response.content if isinstance(response, httpx.Response) else response.body
    assert code == status, text[:500]
    assert response.headers["content-type"] == "application/problem+json"
    content: dict[str, Any] = json.loads(text)
    assert content.keys() >= MEMBERS
    assert all(isinstance(content[name], str) and content[name] for name in MEMBERS - {"status"})
    assert content["status"] == status
    assert content["request_id"] == response.headers["x-request-id"]
    assert b"Traceback" not in text
    assert b'File "' not in text
    if status == 422:
        assert content["errors"]
        assert all(fault.keys() == {"path", "message"} for fault in content["errors"])
    return content


def unharmed(url: str, answer: Answer | None) -> None:
    """No 5xx, whatever was sent; refusals are problems with a request id; and the gateway answers on."""
    if answer is not None:
        assert answer.status < 500, answer.body
        assert answer.names.count("x-request-id") == 1
        if answer.status >= 400 and answer.body:
            problem(answer, answer.status)
    alive = exchange(url, request("GET", "/health/live"))
    assert alive is not None
    assert alive.status == 200
