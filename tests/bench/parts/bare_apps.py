"""What the gateway is compared with: endpoints that do the least, on the server that the gateway has too (uvicorn)."""

import asyncio
import os

import httpx
from httpx_aiohttp import AiohttpTransport
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.bench.parts.crm import feed_calls

CRM = os.environ.get("BENCH_CRM", "http://127.0.0.1:9")
CALLS = feed_calls(os.environ.get("BENCH_LAYOUT", "eight"))
_LIMITS = httpx.Limits(max_connections=256, max_keepalive_connections=256)
# the transport that the gateway has: httpx's own is many times slower, and would flatter us
_client = httpx.AsyncClient(transport=AiohttpTransport(limits=_LIMITS), base_url=CRM, trust_env=False, timeout=30)


async def take(request: Request) -> Response:
    """Reads a webhook's body, and keeps nothing."""
    await request.body()
    return JSONResponse({"id": "x", "duplicate": False}, 202)


async def pass_through(_request: Request) -> Response:
    """Makes the feed's calls to the CRM, all at once, and passes on what comes, untouched."""
    if len(CALLS) == 1:
        answer = await _client.post(CALLS[0])
        return Response(answer.content, media_type="application/json")
    answers = await asyncio.gather(*(_client.post(path) for path in CALLS))
    return Response(b"[" + b",".join(each.content for each in answers) + b"]", media_type="application/json")


webhooks = Starlette(routes=[Route("/{path:path}", take, methods=["POST"])])
feeds = Starlette(routes=[Route("/{path:path}", pass_through, methods=["GET"])])
