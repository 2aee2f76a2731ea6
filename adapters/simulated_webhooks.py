"""Webhooks that a simulated CRM pushes when it is asked to: a change in a customer, signed by Standard Webhooks.

A simulator that offers them answers, besides the control paths of `adapters.simulation`,

    POST   /_webhook   {"customer": id, "set": {field: value}, "deals": {"won": 1, "lost": 0, "open": 0},
                        "url": "http://127.0.0.1:…", "secret": "whsec_…", "id": "msg_…"}

It changes the fields, adds that many deals, and answers 200 with the `body` that the CRM would push. With `url` it
also pushes it there, signed where a `secret` is given, and answers what came back as `status` and `answer`. Only
loopback is pushed to: a simulator is not to be made to call other machines.

What our CRMs really push is not documented (upstream-apis 1.10 and 2.7, U); that they sign at all is a guess.
"""

import base64
import hmac
import json
import time
import uuid
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Literal
from urllib.parse import urlsplit

import httpx
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from adapters.addresses import is_loopback

Deal = Literal["won", "lost", "open"]
Change = Callable[[str, Mapping[str, Any], Counter[Deal]], Mapping[str, Any]]
"""Changes a customer: its id, the fields to set, the deals to add; the body that tells of it. LookupError: no such."""
_DEALS: tuple[Deal, ...] = ("won", "lost", "open")
_MOST_DEALS = 1_000
_SECONDS = 10.0


def webhook_route(change: Change) -> Route:
    """The control path, for a vendor's simulator to put among its routes."""

    async def push(request: Request) -> Response:
        try:
            given = await request.json()
            url, secret, message_id = _target(given)
            body = change(str(given["customer"]), dict(given.get("set", {})), _deals(given.get("deals", {})))
        except LookupError:
            return JSONResponse({"detail": "customer: expected the id of a customer that is there"}, 404)
        except (ValueError, TypeError, AttributeError) as error:
            return JSONResponse({"detail": f"see adapters/simulated_webhooks.py: {error}"}, 422)
        if url is None:
            return JSONResponse({"body": body})
        try:
            return JSONResponse({"body": body, **await push_webhook(url, body, secret, message_id)})
        except httpx.HTTPError as error:
            return JSONResponse({"body": body, "detail": type(error).__name__}, 502)

    return Route("/_webhook", push, methods=["POST"])


async def push_webhook(
    url: str, body: Mapping[str, Any], secret: str | None, message_id: str | None = None
) -> dict[str, Any]:
    """POST a webhook; the status and the answer, as JSON where it is some. `httpx.HTTPError` where none comes."""
    content = json.dumps(body, ensure_ascii=False).encode()
    headers = {"Content-Type": "application/json"}
    if secret is not None:
        headers |= signed(secret, message_id or f"msg_{uuid.uuid4().hex}", int(time.time()), content)
    async with httpx.AsyncClient(trust_env=False, timeout=_SECONDS) as client:
        response = await client.post(url, content=content, headers=headers)
    try:
        answer = response.json()
    except ValueError:
        answer = response.text
    return {"status": response.status_code, "answer": answer}


def signed(secret: str, message_id: str, at: int, body: bytes) -> dict[str, str]:
    """The three headers of Standard Webhooks; `secret` is `whsec_` and base64, `at` Unix seconds.

    ValueError for a secret of another form.
    """
    if not secret.startswith("whsec_"):
        raise ValueError("secret: expected whsec_ and base64")
    key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    signature = hmac.digest(key, f"{message_id}.{at}.".encode() + body, "sha256")
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(at),
        "webhook-signature": f"v1,{base64.b64encode(signature).decode()}",
    }


def _target(given: Mapping[str, Any]) -> tuple[str | None, str | None, str | None]:
    url, secret, message_id = (given.get(name) for name in ("url", "secret", "id"))
    if not all(value is None or isinstance(value, str) for value in (url, secret, message_id)):
        raise TypeError("url, secret and id are texts")
    if url is not None and not is_loopback(urlsplit(url).hostname or ""):
        raise ValueError("url: expected an address on loopback")
    if secret is not None:
        signed(secret, "", 0, b"")
    return url, secret, message_id


def _deals(given: Mapping[str, Any]) -> Counter[Deal]:
    deals: Counter[Deal] = Counter({name: int(given.get(name, 0)) for name in _DEALS})
    if set(given) - set(_DEALS) or not 0 <= deals.total() <= _MOST_DEALS or min(deals.values()) < 0:
        raise ValueError(f"deals: expected numbers of won, lost and open, {_MOST_DEALS:,} at most")
    return deals
