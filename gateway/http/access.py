"""What every request gets, whichever way it takes: its id, its line in the log, and its place in the metrics."""

import re
import time

from starlette.types import Scope

from gateway.http.headers import header
from gateway.ids import new_id
from gateway.logs import quick_info
from gateway.metrics import Metrics
from gateway.problems import Problem, ProblemResponse
from gateway.recorder import Recorder

_WELL_FORMED = re.compile(rb"[A-Za-z0-9._-]{1,128}")


class AccessLog:
    """The requests of one process."""

    def __init__(self, metrics: Metrics, recorder: Recorder) -> None:
        self._metrics = metrics
        self._recorder = recorder
        self._info = quick_info()

    def begin(self, scope: Scope) -> str:
        """The request's id, which its scope carries from now on."""
        request_id = scope["gateway.request_id"] = _request_id(scope)
        return request_id

    def record(self, scope: Scope, status: int, seconds: float) -> None:
        """Tell of a request that has ended."""
        route = scope.get("gateway.route", "unmatched")
        connection, caller = scope.get("gateway.connection"), scope.get("gateway.caller")
        refusal = scope.get("gateway.refusal")
        let_in = caller is not None and status != 429
        self._metrics.request(
            route, scope["method"], status, seconds, connection=connection if let_in else None, refusal=refusal
        )
        if connection:
            self._recorder.request(route, connection, status, seconds, refusal, let_in)
        self._info(
            "http.request",
            request_id=scope["gateway.request_id"],
            method=scope["method"],
            route=route,
            status=status,
            ms=round(seconds * 1000, 1),
            connection=connection,
            caller=caller,
            refusal=refusal,
        )

    def refused_unread(self, problem: Problem, request_id: str | None) -> tuple[str, bytes]:
        """The request id and the body of the answer to what never became a request, or broke off in its body.

        What has a request id has a log line of its own.
        """
        if request_id is None:
            request_id = _new_request_id()
            self._metrics.request("unread", "OTHER", problem.status, 0.0, refusal=problem.reason)
            self._info(
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


def _request_id(scope: Scope) -> str:
    given = header(scope, b"x-request-id").strip(b" \t")
    if not _WELL_FORMED.fullmatch(given) or sum(name == b"x-request-id" for name, _value in scope["headers"]) > 1:
        return _new_request_id()
    return given.decode()


def _new_request_id() -> str:
    return new_id("req", time.time_ns() // 1_000_000)
