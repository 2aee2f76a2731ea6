"""The quick way of a CRM's webhook: from its last byte to the store and back, with no task of its own.

The steps are those of `gateway.http.webhooks`, and the same functions do them. What it goes without is what surrounds
them elsewhere: a task, a router that tries every route, and messages through three layers cost a webhook more than its
proof, its body and its place in the store together (tests/bench/README.md).
"""

import re
import time
from collections.abc import Callable
from functools import partial

import structlog
from starlette.requests import Request
from starlette.types import Scope

from gateway.http.access import AccessLog
from gateway.http.headers import header
from gateway.http.webhooks import FROM_CRM, admitted_from_crm, told
from gateway.logs import REQUEST_ID
from gateway.problems import Problem, ProblemResponse, problem_answer
from gateway.service import Service
from gateway.store import StoreUnavailable
from gateway.store.inbox import Kept

log = structlog.get_logger()

Headers = list[tuple[bytes, bytes]]
Answer = Callable[[int, Headers, bytes], None]
"""Takes status, headers and body of an answer, once."""

LARGEST_BODY = 32_768
"""Larger ones go the ordinary way, where reading pauses when memory fills."""
_PATH = re.compile(r"/crm/([^/]+)/webhooks")
_JSON = (b"content-type", b"application/json")


class Express:
    """Takes the webhooks of CRMs whose bodies are small and whole."""

    def __init__(self, service: Service, access: AccessLog) -> None:
        self._service = service
        self._access = access
        # traces go by tasks, of which this way has none
        self._is_open = service.tracing is None

    def is_for(self, scope: Scope) -> bool:
        """Whether a request whose head has come may go this way."""
        found = _PATH.fullmatch(scope["path"]) if self._is_open and scope["method"] == "POST" else None
        if found is None:
            return False
        length = header(scope, b"content-length")
        largest = min(LARGEST_BODY, self._service.runtime.settings.server.max_body_bytes)
        if not length.isdigit() or int(length[:20]) > largest or header(scope, b"expect"):
            return False
        scope["path_params"] = {"connection": found[1]}
        return True

    def take(self, scope: Scope, body: bytes, answer: Answer) -> None:
        """Verify and keep a webhook; `answer` is called when it is on disk, or refused."""
        started = time.perf_counter()
        scope["gateway.service"] = self._service
        scope["gateway.route"] = FROM_CRM
        finish = partial(self._finish, scope, started, answer)
        before = REQUEST_ID.set(self._access.begin(scope))
        try:
            admitted = admitted_from_crm(Request(scope), body)
            self._service.webhooks.hand_over_from_crm(*admitted, finish)
        except Exception as error:  # what surrounds requests elsewhere is not there
            finish(error)
        finally:
            REQUEST_ID.reset(before)

    def _finish(self, scope: Scope, started: float, answer: Answer, kept: Kept | Exception) -> None:
        """Answer, and tell of it."""
        if isinstance(kept, Kept):
            status, body = told(kept)
            headers = [(b"content-length", b"%d" % len(body)), _JSON]
        else:
            response = self._refusal(scope, kept)
            status, headers, body = response.status_code, response.raw_headers, bytes(response.body)
        headers.append((b"x-request-id", scope["gateway.request_id"].encode()))
        try:
            answer(status, headers, body)
        finally:
            self._access.record(scope, status, time.perf_counter() - started)

    def _refusal(self, scope: Scope, error: Exception) -> ProblemResponse:
        if not isinstance(error, Problem | StoreUnavailable):
            log.error("http.internal_error", request_id=scope["gateway.request_id"], exc_info=error)
        return problem_answer(scope, error)
