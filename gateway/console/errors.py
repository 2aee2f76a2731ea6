"""Failures as pages: what happened, what to do next, and the request's id for whoever is asked for help."""

from starlette.requests import Request
from starlette.responses import Response

from gateway.console import answers
from gateway.operator.errors import BadQuery, Conflict, CrmFailed, NoSuch, OperatorError
from gateway.problems import Problem

_TITLES = {
    400: "This cannot be read",
    401: "Not signed in",
    403: "Not done",
    404: "Nothing here",
    405: "Not possible here",
    408: "That took too long",
    409: "Not possible now",
    413: "Too large",
    415: "This is no form",
    422: "Please correct this",
    429: "Slow down a little",
    500: "A defect of the gateway",
    502: "The remote system refused",
    503: "The store does not answer",
    504: "The remote system did not answer",
}
_NEXT = {
    401: "Sign in, then try again.",
    403: "Load the page again, and sign in if it asks you to.",
    404: "Go to the overview: its menu has every list, and each list finds by name, business id and id.",
    405: "Go back and use the buttons of the page.",
    429: "Wait a moment, then load the page again.",
    500: "Try again. If it stays, report it with the request id below: the gateway's log has the rest.",
    503: "Look at the store: `/health/ready` says what is wrong. This page works again as soon as the store does.",
}
_BESIDE = {"HX-Retarget": "#live-fault", "HX-Reswap": "innerHTML"}


def of(request: Request, problem: Problem, base: str) -> Response:
    """The page of a problem, with the problem's status and headers."""
    request.scope.setdefault("gateway.refusal", problem.reason)
    headers = dict(problem.headers)
    if "/live/" in request.url.path:
        # what the page shows stays, and the page goes on asking
        return answers.page("live_fault.html", problem.status, {**headers, **_BESIDE}, detail=problem.detail)
    return answers.page(
        "error.html",
        problem.status,
        headers,
        base=base,
        title=_TITLES.get(problem.status, "That did not work"),
        detail=problem.detail,
        next_step=_NEXT.get(problem.status, "Go back, correct it and try again."),
        request_id=request.scope.get("gateway.request_id", ""),
        code=problem.status,
    )


def of_operator(error: OperatorError) -> Problem:
    """The problem of a question or action that cannot be answered."""
    statuses = {BadQuery: 422, NoSuch: 404, Conflict: 409}
    status = (504 if error.timed_out else 502) if isinstance(error, CrmFailed) else statuses.get(type(error), 409)
    return Problem(status, error.reason, str(error))
