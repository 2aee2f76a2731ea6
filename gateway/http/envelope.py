"""What surrounds every request: its id, its log line, its metric, and a clean answer to any defect of ours."""

import asyncio
import re
import time
from collections.abc import Callable

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.ids import new_id
from gateway.metrics import Metrics
from gateway.problems import Problem, ProblemResponse, going_down, internal

log = structlog.get_logger()

_WELL_FORMED = re.compile(rb"[A-Za-z0-9._-]{1,128}")


class Envelope:
    """The outermost ASGI layer. `patience` tells how many seconds a caller has to send what it is at."""

    def __init__(self, app: ASGIApp, metrics: Metrics, patience: Callable[[], float]) -> None:
        self._app = app
        self._metrics = metrics
        self.patience = patience

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope)
        scope["gateway.request_id"] = request_id
        status = 0
        started = time.perf_counter()

        async def with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (b"x-request-id", request_id.encode())]
            await send(message)

        structlog.contextvars.bind_contextvars(request_id=request_id)
        try:
            await self._app(scope, receive, with_id)
        except asyncio.CancelledError:
            # only at the end of a drain; nothing follows in this task that the cancellation should reach
            if status == 0:
                await ProblemResponse(going_down(), request_id)(scope, receive, with_id)
        except Exception:
            log.exception("http.internal_error")
            if status == 0:
                await ProblemResponse(internal(), request_id)(scope, receive, with_id)
        finally:
            self._record(scope, status, time.perf_counter() - started)
            structlog.contextvars.unbind_contextvars("request_id")

    def refused_unread(self, problem: Problem, request_id: str | None) -> tuple[str, bytes]:
        """The request id and the body of the answer to what never became a request, or broke off in its body.

        What has a request id has a log line of its own.
        """
        if request_id is None:
            request_id = _new_request_id()
            self._metrics.request("unread", "OTHER", problem.status, 0.0)
            log.info(
                "http.request",
                request_id=request_id,
                method=None,
                route="unread",
                status=problem.status,
                ms=0.0,
                connection=None,
                refusal=problem.reason,
            )
        return request_id, bytes(ProblemResponse(problem, request_id).body)

    def _record(self, scope: Scope, status: int, seconds: float) -> None:
        route = scope.get("gateway.route", "unmatched")
        self._metrics.request(route, scope["method"], status, seconds)
        log.info(
            "http.request",
            method=scope["method"],
            route=route,
            status=status,
            ms=round(seconds * 1000, 1),
            connection=scope.get("gateway.connection"),
            caller=scope.get("gateway.caller"),
            refusal=scope.get("gateway.refusal"),
        )


def _request_id(scope: Scope) -> str:
    given = [value.strip(b" \t") for name, value in scope["headers"] if name == b"x-request-id"]
    if len(given) == 1 and _WELL_FORMED.fullmatch(given[0]):
        return bytes(given[0]).decode()
    return _new_request_id()


def _new_request_id() -> str:
    return new_id("req", time.time_ns() // 1_000_000)
