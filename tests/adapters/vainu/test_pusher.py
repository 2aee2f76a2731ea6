"""Vainu's side of the calls into the gateway, against a real HTTP endpoint."""

import asyncio
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from adapters.serving import serving
from adapters.vainu.pusher import fetch_feed, push_company_change, push_export
from adapters.vainu.samples import samples


async def echo(request: Request) -> Response:
    body = await request.body()
    return JSONResponse(
        {
            "method": request.method,
            "path": request.url.path,
            "query": dict(request.query_params),
            "headers": dict(request.headers),
            "body": await request.json() if body else None,
        },
        201,
    )


async def wait(request: Request) -> Response:
    while (await request.receive())["type"] != "http.disconnect":
        pass
    return Response()


async def text(_request: Request) -> Response:
    return PlainTextResponse("no JSON", 502)


async def nothing(_request: Request) -> Response:
    return Response(status_code=204)


@pytest.fixture(scope="module")
def gateway() -> Iterator[str]:
    routes = [Route(f"/{act.__name__}", act, methods=["GET", "POST"]) for act in (wait, text, nothing)]
    with serving(Starlette(routes=[*routes, Route("/{path:path}", echo, methods=["GET", "POST"])])) as url:
        yield url


def test_an_export_is_a_json_post_with_the_id_as_a_parameter(gateway: str) -> None:
    """S001: JSON to the Endpoint URL, with a parameter `id`; the URL's own query stays."""
    body = samples()["samlink"].push_body()
    url = f"{gateway}/vainu/acme/exports?token=t"
    answer = asyncio.run(push_export(url, body, customer_data_id="5b23", api_key="k"))
    assert answer.status == 201
    assert (answer.body["method"], answer.body["query"]) == ("POST", {"token": "t", "id": "5b23"})
    assert (answer.body["headers"]["api-key"], answer.body["headers"]["content-type"]) == ("k", "application/json")
    assert body == answer.body["body"]
    assert 0 < answer.seconds < 3


def test_the_id_may_travel_in_the_body(gateway: str) -> None:
    """S001 leaves open where the parameter goes."""
    push = push_export(f"{gateway}/x", {"company_name": "X"}, customer_data_id="5b23", id_in="body", basic=("u", "p"))
    answer = asyncio.run(push)
    assert (answer.body["query"], answer.body["body"]) == ({}, {"company_name": "X", "id": "5b23"})
    assert f"Basic {b64encode(b'u:p').decode()}" == answer.body["headers"]["authorization"]


def test_without_an_id_none_is_sent(gateway: str) -> None:
    """ "Create Customer Data entity" may be off."""
    answer = asyncio.run(push_export(f"{gateway}/x", {"company_name": "X"}))
    assert (answer.body["query"], answer.body["body"]) == ({}, {"company_name": "X"})


def test_vainu_gives_up_after_its_timeout(gateway: str) -> None:
    """No answer in time is a failure."""
    with pytest.raises(TimeoutError):
        asyncio.run(push_export(f"{gateway}/wait", {}, timeout=0.2))


def test_a_refused_connection_is_a_transport_error() -> None:
    """Nobody listens."""
    with pytest.raises(httpx.TransportError):
        asyncio.run(push_export("http://127.0.0.1:1/", {}))


def test_an_answer_that_is_no_json_is_its_text(gateway: str) -> None:
    """The status counts; an empty answer has no body."""
    assert asyncio.run(push_export(f"{gateway}/text", {}))[:2] == (502, "no JSON")
    assert asyncio.run(push_export(f"{gateway}/nothing", {}))[:2] == (204, None)


def test_the_feed_url_takes_the_unique_id_at_its_braces(gateway: str) -> None:
    """S001: `https://your.external.service/Entity/{}/details` and 123-abc."""

    async def act() -> Any:
        async with httpx.AsyncClient(trust_env=False) as client:
            return await fetch_feed(f"{gateway}/Entity/{{}}/details", "123-abc", basic=("u", "p"), client=client)

    answer = asyncio.run(act())
    assert (answer.body["method"], answer.body["path"]) == ("GET", "/Entity/123-abc/details")
    assert answer.body["headers"]["authorization"].startswith("Basic ")


def test_a_feed_url_without_braces_is_wrong(gateway: str) -> None:
    """Vainu asks for them."""
    with pytest.raises(ValueError, match=r"\{\}"):
        asyncio.run(fetch_feed(f"{gateway}/Entity", "123-abc"))


def test_a_company_change_is_pushed_as_vainu_documents_it(gateway: str) -> None:
    """developers.vainu.com: data, number_of_tries, type and unique_id, and nothing that names the event."""
    change = {"turn_over": 895766, "staff_number": 12, "region": "FI-18"}
    answer = asyncio.run(push_company_change(f"{gateway}/hook", "123abc", change, number_of_tries=2))
    assert {
        "data": change,
        "number_of_tries": 2,
        "type": "company_change_webhook",
        "unique_id": "123abc",
    } == answer.body["body"]


def test_every_sample_says_what_it_was_made_from() -> None:
    """Two made-up Nordic companies, the others from documents; every one has the prospect's field names."""
    fields = set(samples()["samlink"].prospect)
    for company in samples().values():
        assert company.source.startswith(("made from a document: ", "made up"))
        assert fields == set(company.prospect)
    assert {"SE", "NO"} == {
        company.prospect["country"] for company in samples().values() if company.source.startswith("made up")
    }


def test_a_sample_is_framed_in_every_way_that_is_thinkable() -> None:
    """Prospect fields at the top, or under prospect or prospects; contacts and leads beside them."""
    samlink = samples()["samlink"]
    flat, one, many = (samlink.push_body(wrapper) for wrapper in (None, "prospect", "prospects"))
    assert "Oy Samlink Ab" == flat["company_name"] == one["prospect"]["company_name"]
    assert [one["prospect"]] == many["prospects"]
    assert {"contacts", "leads"} == set(one) - {"prospect"} == set(many) - {"prospects"}
    flat["contacts"].clear()
    assert samlink.push_body()["contacts"]
