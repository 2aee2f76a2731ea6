"""What surrounds every request: its id, its log line, its metric, and a clean answer to any defect of ours."""

import asyncio
import time

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.http.access import AccessLog
from gateway.http.express import Express
from gateway.http.occupancy import most_connections
from gateway.logs import REQUEST_ID
from gateway.problems import ProblemResponse, going_down, internal
from gateway.service import Service

log = structlog.get_logger()


class Envelope:
    """The outermost ASGI layer; and what the protocol below it needs of the service (gateway.http.protocol)."""

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self._app = app
        self._service = service
        self.access = AccessLog(service.metrics, service.recorder)
        self.express = Express(service, self.access)
        self.most_connections = most_connections()

    def patience(self) -> float:
        """How many seconds a caller has to send what it is at."""
        return self._service.runtime.settings.server.body_timeout_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = self.access.begin(scope)
        scope["gateway.service"] = self._service
        status = 0
        started = time.perf_counter()

        async def with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (b"x-request-id", request_id.encode())]
            await send(message)

        told = REQUEST_ID.set(request_id)
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
            self.access.record(scope, status, time.perf_counter() - started)
            REQUEST_ID.reset(told)
