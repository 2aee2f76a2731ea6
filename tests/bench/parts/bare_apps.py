"""What the gateway is compared with: endpoints that do the least, on the server that the gateway has too (uvicorn)."""

import asyncio
import os
from collections.abc import Awaitable, Callable

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.bench.parts.crm import feed_calls

CRM = os.environ.get("BENCH_CRM", "http://127.0.0.1:9")
CALLS = feed_calls(os.environ.get("BENCH_LAYOUT", "eight"))
Call = Callable[[str], Awaitable[bytes]]
_LIMITS = httpx.Limits(max_connections=256, max_keepalive_connections=256)


async def take(request: Request) -> Response:
    """Reads a webhook's body, and keeps nothing."""
    await request.body()
    return JSONResponse({"id": "x", "duplicate": False}, 202)


def by_httpx(transport: httpx.AsyncBaseTransport) -> Call:
    """Calls to the CRM through httpx's interface."""
    client = httpx.AsyncClient(transport=transport, base_url=CRM, trust_env=False, timeout=30)

    async def call(path: str) -> bytes:
        return (await client.post(path)).content

    return call


def by_aiohttp() -> Call:
    """Calls to the CRM by aiohttp itself, as the gateway makes them."""
    session: aiohttp.ClientSession | None = None

    async def call(path: str) -> bytes:
        nonlocal session
        if session is None:
            connector = aiohttp.TCPConnector(limit=_LIMITS.max_connections or 0)
            session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())
        async with session.post(CRM + path) as answer:
            return await answer.read()

    return call


def passing_through(call: Call) -> Starlette:
    """Makes the feed's calls to the CRM, all at once, and passes on what comes, untouched."""

    async def pass_through(_request: Request) -> Response:
        answers = await asyncio.gather(*(call(path) for path in CALLS))
        body = answers[0] if len(answers) == 1 else b"[" + b",".join(answers) + b"]"
        return Response(body, media_type="application/json")

    return Starlette(routes=[Route("/{path:path}", pass_through, methods=["GET"])])


feeds_by_aiohttp = passing_through(by_aiohttp())
# httpx's own transport takes many times as long, and would flatter us
feeds_by_httpx = passing_through(by_httpx(AiohttpTransport(limits=_LIMITS)))
webhooks = Starlette(routes=[Route("/{path:path}", take, methods=["POST"])])
