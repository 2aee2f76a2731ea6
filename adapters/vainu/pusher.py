"""Vainu's side of the calls into the gateway, over real HTTP: export push, activity feed, company changes.

For `gateway demo` and tests. What S001 leaves open is an argument here, the likeliest reading its default; the
marks are in NOTES.md.
"""

import asyncio
import json
import time
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

import httpx

RESPONSE_TIMEOUT = 3.0
"""Seconds that Vainu waits for the answer to an export push (S001, "Response timeout")."""


class Answer(NamedTuple):
    """What the gateway answered, and how long that took."""

    status: int
    body: Any
    """The JSON value; the text where the body is no JSON; None where there is none."""
    seconds: float


async def push_export(
    endpoint_url: str,
    company: Mapping[str, Any],
    *,
    customer_data_id: str | None = None,
    id_in: Literal["query", "body"] = "query",
    api_key: str | None = None,
    basic: tuple[str, str] | None = None,
    timeout: float = RESPONSE_TIMEOUT,  # noqa: ASYNC109 - Vainu's own setting of this name, part of what is played
    client: httpx.AsyncClient | None = None,
) -> Answer:
    """POST one company to the Endpoint URL (S001, "Exported data").

    `company` is the body, such as `SampleCompany.push_body()` gives; `customer_data_id` goes along as the
    parameter `id`. `TimeoutError` after `timeout` seconds: Vainu then takes the export for failed and the id
    for void. `httpx.TransportError` where no connection is had or it breaks. `client` saves its set-up in loops.
    """
    body = dict(company)
    params: dict[str, str] = {}
    if customer_data_id is not None:
        (body if id_in == "body" else params)["id"] = customer_data_id
    call = _Call("POST", endpoint_url, params=params, json_body=body, headers=_headers(api_key))
    return await _answer(call, basic, timeout, client)


async def fetch_feed(
    activity_feed_url: str,
    unique_id: str,
    *,
    api_key: str | None = None,
    basic: tuple[str, str] | None = None,
    timeout: float = 10.0,  # noqa: ASYNC109 - as above
    client: httpx.AsyncClient | None = None,
) -> Answer:
    """GET the feed as Vainu does on opening a company card: `{}` in the Activity Feed URL becomes the unique_id.

    The id goes in as it is, unescaped (whether Vainu escapes it is unknown). `ValueError` for a URL without
    `{}`; else as `push_export`.
    """
    if "{}" not in activity_feed_url:
        raise ValueError("expected an Activity Feed URL with {} where the unique_id goes")
    url = activity_feed_url.replace("{}", unique_id)
    return await _answer(_Call("GET", url, headers=_headers(api_key)), basic, timeout, client)


async def push_company_change(
    webhook_url: str,
    unique_id: str,
    data: Mapping[str, Any],
    *,
    number_of_tries: int = 1,
    api_key: str | None = None,
    basic: tuple[str, str] | None = None,
    timeout: float = 10.0,  # noqa: ASYNC109 - as above
    client: httpx.AsyncClient | None = None,
) -> Answer:
    """POST a company-change webhook; its numbers are numbers (vdev webhooks). Errors as `push_export`."""
    body = {
        "data": dict(data),
        "number_of_tries": number_of_tries,
        "type": "company_change_webhook",
        "unique_id": unique_id,
    }
    call = _Call("POST", webhook_url, json_body=body, headers=_headers(api_key))
    return await _answer(call, basic, timeout, client)


class _Call(NamedTuple):
    method: str
    url: str
    params: Mapping[str, str] = {}
    json_body: Any = None
    headers: Mapping[str, str] = {}


async def _answer(
    call: _Call, basic: tuple[str, str] | None, seconds: float, client: httpx.AsyncClient | None
) -> Answer:
    if client is None:
        async with httpx.AsyncClient(trust_env=False) as own:
            return await _answer(call, basic, seconds, own)
    url = httpx.URL(call.url).copy_merge_params(call.params) if call.params else httpx.URL(call.url)
    request = client.build_request(call.method, url, json=call.json_body, headers=call.headers, timeout=None)
    auth = httpx.BasicAuth(*basic) if basic else None
    started = time.perf_counter()
    async with asyncio.timeout(seconds):
        response = await client.send(request, auth=auth)
    return Answer(response.status_code, _body_of(response), time.perf_counter() - started)


def _headers(api_key: str | None) -> dict[str, str]:
    return {"Accept": "application/json"} | ({"API-Key": api_key} if api_key is not None else {})


def _body_of(response: httpx.Response) -> Any:
    try:
        return json.loads(response.content) if response.content else None
    except ValueError:
        return response.text
