"""Every refusal, as RFC 9457 `application/problem+json`: the one place that maps errors to HTTP (CONTRACT section 4).

status  when
400     the body is not JSON, or a header of the proof comes twice
401     no or wrong credentials; the same for a connection that does not exist
403     a genuine JWT without the scope, or for another connection
404     after authentication: no such record or export
405     wrong method
408     the body did not arrive in time
409     an operator asks for what cannot be as things stand
413     the body is too large
415     the body is not declared as JSON
422     JSON that breaks the schema, or a bad query parameter
429     over a rate limit
431     the request line and headers are too large
500     a defect of ours
502     the CRM refused or broke
503     the work cannot be kept now
504     the CRM did not answer within the budget
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from starlette.responses import JSONResponse
from starlette.types import Scope

from gateway.auth.errors import WWW_AUTHENTICATE, AmbiguousProof, AuthError, AuthUnavailable, Forbidden
from gateway.limits import retry_after
from gateway.pushed import BodyFault
from gateway.store import StoreUnavailable

MEDIA_TYPE = "application/problem+json"
STORE_RETRY_SECONDS = 2.0


class Problem(Exception):
    """A refusal. `detail` says what was expected, what was got and the next step; `reason` is a fixed word."""

    def __init__(
        self,
        status: int,
        reason: str,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        errors: Sequence[BodyFault] = (),
        members: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.reason = reason
        self.detail = detail
        self.headers = dict(headers or {})
        self.errors = errors
        self.members = dict(members or {})


class ProblemResponse(JSONResponse):
    """A problem on the wire; `reason` is kept for the request's log line and metric."""

    media_type = MEDIA_TYPE

    def __init__(self, problem: Problem, request_id: str) -> None:
        self.reason = problem.reason
        content: dict[str, Any] = {
            "type": f"urn:vainu-gateway:{problem.reason}",
            "title": HTTPStatus(problem.status).phrase,
            "status": problem.status,
            "detail": problem.detail,
            "request_id": request_id,
            **problem.members,
        }
        if problem.errors:
            content["errors"] = [{"path": fault.path, "message": fault.message} for fault in problem.errors]
        super().__init__(content, problem.status, problem.headers)


def of_auth(error: AuthError, challenge: str = WWW_AUTHENTICATE) -> Problem:
    """The refusal for a caller that was not admitted."""
    if isinstance(error, AmbiguousProof):
        return Problem(400, error.reason, error.detail)
    if isinstance(error, Forbidden):
        return Problem(403, error.reason, error.detail)
    if isinstance(error, AuthUnavailable):
        return Problem(503, error.reason, error.detail, headers={"Retry-After": retry_after(error.retry_after)})
    return Problem(401, "unauthorized", error.detail, headers={"WWW-Authenticate": challenge})


def too_many(reason: str, detail: str, wait: float) -> Problem:
    """429, with the seconds to wait."""
    return Problem(429, reason, detail, headers={"Retry-After": retry_after(wait)})


def not_kept(detail: str) -> Problem:
    """503: nothing was kept; never a 2xx for work that is not on disk."""
    return Problem(503, "not_kept", detail, headers={"Retry-After": retry_after(STORE_RETRY_SECONDS)})


def going_down() -> Problem:
    """503: the process ends before the answer is there."""
    headers = {"Retry-After": retry_after(STORE_RETRY_SECONDS), "Connection": "close"}
    return Problem(
        503, "going_down", "this gateway went down before the answer was there; a repeat is safe", headers=headers
    )


def internal() -> Problem:
    """500: a defect of ours."""
    return Problem(500, "internal", "an internal error; the log has it under this request_id")


def invalid(faults: Sequence[BodyFault]) -> Problem:
    """422, with every fault and its path."""
    detail = "; ".join(f"{fault.path}: {fault.message}" for fault in faults[:5])
    return Problem(422, "invalid", detail, errors=faults)


def problem_answer(scope: Scope, error: Exception) -> ProblemResponse:
    """The answer to an error that is one of ours; what is none is a defect of ours."""
    if isinstance(error, StoreUnavailable):
        error = not_kept(f"{error}; nothing was kept, send it again later")
    problem = error if isinstance(error, Problem) else internal()
    scope.setdefault("gateway.refusal", problem.reason)
    return ProblemResponse(problem, str(scope.get("gateway.request_id", "")))
