"""What every vendor's simulator shares: faults on demand, a journal of calls, and serving over real HTTP.

A simulator is part of the product: `gateway demo`, `gateway simulate`, the tests and the benchmarks run on
it. Besides the vendor's own paths it answers under its prefix:

    POST   /_faults    {"fault": "delay", "seconds": 2, "match": "a=save", "times": 1}   → 201
    DELETE /_faults                                                                      → 204, no more faults
    GET    /_calls     every call so far: method, path, action                           → 200, a list
    GET    /_records   everything the simulator holds (each vendor's own shape)          → 200
    POST   /_reset     back to the state at start                                        → 204

CRMs' simulators also push webhooks: `adapters.simulated_webhooks`.
"""

import asyncio
import contextlib
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, get_args

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

Fault = Literal["delay", "drop", "429", "500", "503", "html", "cut", "lost_reply", "empty", "nonsense"]
"""The faults:

    delay       answers after `seconds`
    drop        closes the connection before anything is done
    429/500/503 answers so (429 with Retry-After: `seconds`, default 1) before anything is done
    html        answers 200 with an HTML page before anything is done
    empty       answers 200 with no body before anything is done
    nonsense    answers 200 with JSON of no known shape before anything is done
    cut         does the work, then sends half of the answer
    lost_reply  does the work, then closes the connection without an answer
"""

HTML_PAGE = b"<!DOCTYPE html><html><head><title>Error</title></head><body><h1>Something went wrong</h1></body></html>"
_MAX_FAULTS = 1_000


@dataclass(slots=True)
class FaultRule:
    """One fault: which calls it hits, and how often it still does."""

    fault: Fault
    match: str = ""
    """Part of `METHOD /path?query body-form`; "" matches every call."""
    times: int = 1_000_000
    seconds: float = 1.0
    skip: int = 0
    """How many matching calls pass before the first is hit."""


@dataclass(slots=True)
class Journal:
    """The faults in force and the calls seen."""

    rules: list[FaultRule] = field(default_factory=list)
    calls: deque[dict[str, str]] = field(default_factory=lambda: deque(maxlen=100_000))

    def take(self, line: str) -> FaultRule | None:
        """The rule that hits this call, used up once."""
        for rule in self.rules:
            if rule.match not in line or rule.times <= 0:
                continue
            if rule.skip > 0:
                rule.skip -= 1
                continue
            rule.times -= 1
            return rule
        return None


class SimulatorState(Protocol):
    """What a vendor's simulator keeps; `build` needs only these two."""

    def dump(self) -> Any:
        """Everything held, as JSON."""
        ...

    def reset(self) -> None:
        """Back to the state at start."""
        ...


def build(state: SimulatorState, routes: list[BaseRoute]) -> "Simulator":
    """The simulator app: the vendor's routes, the control routes, and the faults in front of them."""
    return Simulator(state, routes)


class Simulator:
    """An ASGI app; see the module's docstring for its control paths."""

    def __init__(self, state: SimulatorState, routes: list[BaseRoute]) -> None:
        self.state = state
        self.journal = Journal()
        control = [
            Route("/_faults", self._add_fault, methods=["POST"]),
            Route("/_faults", self._clear_faults, methods=["DELETE"]),
            Route("/_calls", self._list_calls, methods=["GET"]),
            Route("/_records", self._dump, methods=["GET"]),
            Route("/_reset", self._reset, methods=["POST"]),
        ]
        self._app: ASGIApp = Starlette(routes=[*control, *routes])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, with the fault that hits it."""
        path = scope.get("path", "").removeprefix(scope.get("root_path", ""))
        if scope["type"] != "http" or path.startswith("/_"):
            await self._app(scope, receive, send)
            return
        body = await _read(receive)
        query = scope["query_string"].decode("latin-1")
        line = f"{scope['method']} {path}?{query} {body[:20_000].decode('utf-8', 'replace')}"
        self.journal.calls.append({"method": scope["method"], "path": path, "query": query, "line": line[:4_000]})
        rule = self.journal.take(line)
        await _with_fault(rule, self._app, scope, body, receive, send)

    async def _add_fault(self, request: Request) -> Response:
        given = await request.json()
        if given.get("fault") not in get_args(Fault) or len(self.journal.rules) >= _MAX_FAULTS:
            return JSONResponse({"detail": f"fault: one of {', '.join(get_args(Fault))}"}, 422)
        try:
            rule = FaultRule(**given)
        except TypeError:
            return JSONResponse({"detail": "known keys: fault, match, times, seconds, skip"}, 422)
        self.journal.rules.append(rule)
        return JSONResponse(given, 201)

    async def _clear_faults(self, _request: Request) -> Response:
        self.journal.rules.clear()
        return Response(status_code=204)

    async def _list_calls(self, _request: Request) -> Response:
        return JSONResponse(list(self.journal.calls))

    async def _dump(self, _request: Request) -> Response:
        return JSONResponse(self.state.dump())

    async def _reset(self, _request: Request) -> Response:
        self.state.reset()
        self.journal.rules.clear()
        self.journal.calls.clear()
        return Response(status_code=204)


async def _read(receive: Receive) -> bytes:
    chunks = []
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            break
        chunks.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(chunks)


async def _with_fault(
    rule: FaultRule | None, app: ASGIApp, scope: Scope, body: bytes, receive: Receive, send: Send
) -> None:
    fault = rule.fault if rule else None
    if rule is not None and fault == "delay":
        await asyncio.sleep(rule.seconds)
    if fault == "drop":
        _hang_up(receive)
        return
    if rule is not None and (refusal := _refusal(rule)) is not None:
        await refusal(scope, receive, send)
        return
    sent: list[Message] = []

    async def keep(message: Message) -> None:
        sent.append(message)

    await app(scope, _replay(body, receive), keep)
    if fault == "lost_reply":
        _hang_up(receive)
    elif fault == "cut":
        await _send_half(sent, receive, send)
    else:
        for message in sent:
            await send(message)


def _refusal(rule: FaultRule) -> Response | None:
    match rule.fault:
        case "429":
            return JSONResponse(
                {"message": "Too Many Requests"}, 429, {"Retry-After": str(max(1, round(rule.seconds)))}
            )
        case "500" | "503":
            return JSONResponse({"message": "Internal error"}, int(rule.fault))
        case "html":
            return Response(HTML_PAGE, media_type="text/html")
        case "empty":
            return Response(b"", media_type="application/json")
        case "nonsense":
            return JSONResponse({"hello": "world"})
        case _:
            return None


def _replay(body: bytes, receive: Receive) -> Receive:
    given = False

    async def replayed() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replayed


def _hang_up(receive: Receive) -> None:
    """Close the TCP connection without a byte.

    ASGI has no word for it; uvicorn's `receive` is a method of the object that holds the transport.
    """
    transport = receive.__self__.transport  # type: ignore[attr-defined]  # uvicorn's RequestResponseCycle
    transport.abort()
    with contextlib.suppress(AttributeError):
        receive.__self__.disconnected = True  # type: ignore[attr-defined]  # so that uvicorn sends no 500


async def _send_half(sent: list[Message], receive: Receive, send: Send) -> None:
    start, *rest = sent
    content = b"".join(message.get("body", b"") for message in rest)
    await send(start)
    await send({"type": "http.response.body", "body": content[: max(1, len(content) // 2)], "more_body": True})
    await asyncio.sleep(0)
    _hang_up(receive)
