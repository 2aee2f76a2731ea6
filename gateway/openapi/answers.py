"""Headers and refusals: `components/headers`, `components/responses` (CONTRACT section 4, "Refusals")."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

from gateway.auth.errors import OPERATOR_WWW_AUTHENTICATE, WWW_AUTHENTICATE
from gateway.openapi.references import Node, header, response, schema
from gateway.problems import MEDIA_TYPE

_REQUEST_ID = "req_01k9y3v4m2f8q7t5r6w1x0z9ab"


@dataclass(frozen=True, slots=True)
class Refusal:
    """One of the problems that an operation may answer."""

    status: int
    reason: str
    """The fixed word at the end of the problem's `type`, in the example."""
    when: str
    detail: str
    headers: tuple[str, ...] = ()
    schema: str = "Problem"
    members: Mapping[str, object] = field(default_factory=dict)


REFUSALS = {
    "BadRequest": Refusal(
        400, "not_json", "The body is not JSON, not UTF-8 or nested too deep.", "the body is not JSON (truncated)"
    ),
    "AmbiguousProof": Refusal(
        400,
        "ambiguous_proof",
        "A header of the proof comes twice.",
        "expected one API-Key header, got several; send one",
    ),
    "Unauthorized": Refusal(
        401,
        "unauthorized",
        "No or wrong credentials. The same answer for a connection that does not exist.",
        "the credentials are missing or not accepted here",
        ("WWW-Authenticate",),
    ),
    "OperatorUnauthorized": Refusal(
        401,
        "unauthorized",
        "No or a wrong operator token.",
        "the credentials are missing or not accepted here",
        ("Operator-WWW-Authenticate",),
    ),
    "Forbidden": Refusal(
        403,
        "missing_scope",
        "A genuine JWT without the needed scope, or for another connection.",
        "the token lacks the scope gateway:export",
    ),
    "NoSuchRecord": Refusal(
        404,
        "no_such_record",
        "Neither the gateway nor the CRM has this customer.",
        "neither the gateway nor the CRM has a customer with this unique_id",
    ),
    "NoSuchExport": Refusal(
        404,
        "no_such_export",
        "This connection has no such export.",
        "this connection has no export with this id",
    ),
    "NoSuchEventKind": Refusal(
        404,
        "no_such_kind",
        "The connection's CRM takes no customer events of this kind.",
        "the connection's CRM takes no customer events of this kind",
    ),
    "NoSuchEvents": Refusal(
        404,
        "no_such_events",
        "This connection has no such customer events, or its CRM takes none of this kind.",
        "this connection has no customer events of this kind with this id",
    ),
    "NoSuchPage": Refusal(
        404,
        "no_such_page",
        "No such connection, no such customer, or no page of it is configured (`record_url`).",
        "there is no page of the CRM for this address",
    ),
    "NoSuchThing": Refusal(
        404,
        "no_such_delivery",
        "Nothing of this name, number or id is configured or kept; or the CRM has no such record.",
        "no delivery with this number is kept",
    ),
    "Conflict": Refusal(
        409,
        "sync_running",
        "Understood, and not possible as things stand; the detail says what stands in the way.",
        "a sync of acme to vainu is running: run 12; wait for its end",
    ),
    "MethodNotAllowed": Refusal(
        405, "method", "This path has other methods.", "this path has other methods", ("Allow",)
    ),
    "BodyTimeout": Refusal(
        408,
        "body_timeout",
        "The body did not arrive within `server.body_timeout_seconds`; nothing was kept.",
        "the body did not arrive within 10 s; nothing was kept",
    ),
    "BodyTooLarge": Refusal(
        413,
        "too_large",
        "The body is larger than `server.max_body_bytes`, declared or chunked.",
        "the body is larger than 1,048,576 bytes (server.max_body_bytes)",
    ),
    "NotJsonType": Refusal(
        415,
        "not_json_type",
        "The content type is neither `application/json` nor `+json`. A body without one is read as JSON.",
        "expected application/json or +json, got text/plain",
    ),
    "Invalid": Refusal(
        422,
        "invalid",
        "JSON that is not what is expected here, or a bad query parameter; every fault with its path.",
        "contacts[0].email: expected text",
        schema="InvalidProblem",
        members={"errors": [{"path": "contacts[0].email", "message": "expected text"}]},
    ),
    "TooManyRequests": Refusal(
        429,
        "rate_limited",
        "Over the caller's rate, or too many failed sign-ins from this address.",
        "over this caller's rate; wait 1 s",
        ("Retry-After",),
    ),
    "HeadTooLarge": Refusal(
        431,
        "head_too_large",
        "The request line and headers are larger than the gateway reads.",
        "the request line and headers are larger than 65,536 bytes or 256 headers",
    ),
    "InternalError": Refusal(
        500,
        "internal",
        "A defect of the gateway.",
        "an internal error; the log has it under this request_id",
    ),
    "ExportRefused": Refusal(
        502,
        "crm_refused",
        "The CRM refused the export for good. It is kept as a dead letter.",
        "the CRM refused the export: Customer Name is mandatory",
        schema="ExportProblem",
        members={"export_id": "exp_01k9y3v4m2f8q7t5r6w1x0z9ab"},
    ),
    "FeedFailed": Refusal(
        502,
        "crm_failed",
        "No source of the CRM answered as it should, and no recent feed is at hand.",
        "no source of the CRM answered: tasks: apptivo answered 500",
    ),
    "Unavailable": Refusal(
        503,
        "not_kept",
        "The gateway cannot keep work or read what it kept, is going down, or cannot have the token issuer's keys.",
        "the store does not answer; nothing was kept, send it again later",
        ("Retry-After",),
    ),
    "ExportTimedOut": Refusal(
        504,
        "crm_timeout",
        'The CRM did not answer within the budget, and `export.when_slow` is "fail". Nothing more is written.',
        "the CRM did not answer within the budget; nothing more is written, a repeat is safe",
        schema="ExportProblem",
        members={"export_id": "exp_01k9y3v4m2f8q7t5r6w1x0z9ab"},
    ),
    "FeedTimedOut": Refusal(
        504,
        "crm_timeout",
        "No source of the CRM answered within the budget, and no recent feed is at hand.",
        "no source of the CRM answered: tasks: tasks did not answer within the budget",
    ),
}


def refusals(*names: str) -> Node:
    """The `responses` entries of these refusals and of those that every path has, in the order of their status.

    Two of one status cannot stand in one operation.
    """
    every = sorted(
        {*names, "MethodNotAllowed", "HeadTooLarge", "InternalError"}, key=lambda name: REFUSALS[name].status
    )
    return {str(REFUSALS[name].status): response(name) for name in every}


def responses() -> Node:
    """`components/responses`."""
    return {name: _response(refusal) for name, refusal in REFUSALS.items()}


def _response(refusal: Refusal) -> Node:
    challenges = {name.removeprefix("Operator-"): header(name) for name in refusal.headers}
    return {
        "description": refusal.when,
        "headers": {"X-Request-ID": header("X-Request-ID"), **challenges},
        "content": {MEDIA_TYPE: {"schema": schema(refusal.schema), "example": _problem(refusal)}},
    }


def _problem(refusal: Refusal) -> Node:
    return {
        "type": f"urn:vainu-gateway:{refusal.reason}",
        "title": HTTPStatus(refusal.status).phrase,
        "status": refusal.status,
        "detail": refusal.detail,
        "request_id": _REQUEST_ID,
        **refusal.members,
    }


def headers() -> Node:
    """`components/headers`; those that are `required` come with every answer that names them."""
    return {
        "X-Request-ID": _header(
            "The request's id, also in the gateway's log: the caller's own if it was well formed.",
            {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,128}$"},
            _REQUEST_ID,
        ),
        "WWW-Authenticate": _header("What is accepted here.", {"type": "string"}, WWW_AUTHENTICATE),
        "Operator-WWW-Authenticate": _header("What is accepted here.", {"type": "string"}, OPERATOR_WWW_AUTHENTICATE),
        "Allow": _header("The methods of this path.", {"type": "string"}, "GET, HEAD"),
        "Retry-After": _header("Seconds to wait.", {"type": "integer", "minimum": 1}, 2),
        "Location": _header(
            "The CRM's own page of the record.", {"type": "string"}, "https://app.apptivo.com/customers/10235"
        ),
        "Cache-Control": _header("How long it may be kept.", {"type": "string"}, "private, no-cache"),
        "ETag": _header(
            "Of the events as they are sent; for `If-None-Match`.",
            {"type": "string", "pattern": '^"[0-9a-f]+"$'},
            '"5d41402abc4b2a76b9719d911017c592"',
        ),
        "Server-Timing": _header(
            "Milliseconds: in all, and of each source of the CRM.",
            {"type": "string"},
            "total;dur=212.4, tasks;dur=201.7, notes;dur=188.0",
        ),
        "Gateway-Partial": _header(
            "The sources that are missing from this feed, and why: `timeout` or `error`.",
            {"type": "string", "pattern": "^[a-z0-9_]+=(timeout|error)(, [a-z0-9_]+=(timeout|error))*$"},
            "notes=timeout, calls=error",
            always=False,
        ),
        "Gateway-Stale": _header(
            "The age in seconds of the last good feed, served because no source answered.",
            {"type": "integer", "minimum": 0},
            42,
            always=False,
        ),
        "Gateway-Rejected-Events": _header(
            "How many of the CRM's events were left out because their time cannot be read.",
            {"type": "integer", "minimum": 1},
            2,
            always=False,
        ),
    }


def _header(description: str, value: Node, example: object, *, always: bool = True) -> Node:
    return {"description": description, "required": always, "schema": value, "example": example}
