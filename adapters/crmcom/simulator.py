"""A CRM.COM server to try things on: the classic Web API under `/crmapi/rest/v2/`, with its quirks, over real HTTP.

Business errors come with HTTP 200, texts are null or "", keys change their order, the same create makes a second
record (upstream-apis section 2). Besides the control paths of `adapters.simulation` it answers

    POST   /_expire    every token is dead from now on                                   → 204

and those of `simulator_events` (faults of single rows) and `adapters.simulated_customers` (many customers).
"""

import time
from collections.abc import Callable
from datetime import UTC, tzinfo
from itertools import count
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from adapters.crmcom.simulator_events import fault_routes
from adapters.crmcom.simulator_store import Store
from adapters.crmcom.simulator_tables import ApiFailure, mandatory
from adapters.simulated_customers import customers_route
from adapters.simulated_webhooks import webhook_route
from adapters.simulation import HTML_PAGE, Simulator, build

PREFIX = "/crmapi/rest/v2"
USERNAME = "demo-user"
PASSWORD = "demo-password"  # noqa: S105 - the simulator's own, made up for trying things
ORGANISATION = "DEMO"


class CrmcomState(Store):
    """Everything the simulated server holds, and its tokens. `now` gives Unix seconds, `zone` its local time.

    `short_lists`: contact_information/list tells ids and names only. Without `paging` it is a release before R13.
    """

    def __init__(
        self,
        *,
        username: str = USERNAME,
        password: str = PASSWORD,
        organisation: str = ORGANISATION,
        token_seconds: float = 7200.0,
        now: Callable[[], float] = time.time,
        zone: tzinfo = UTC,
        demo_feed: bool = True,
        name_search: bool = True,
        lists_as_arrays: bool = False,
        short_lists: bool = False,
        paging: bool = True,
    ) -> None:
        super().__init__(now=now, zone=zone, demo_feed=demo_feed)
        self.credentials = (username, password, organisation)
        self.token_seconds = token_seconds
        self.name_search = name_search
        self.lists_as_arrays = lists_as_arrays
        self.short_lists = short_lists
        self.paging = paging
        self.tokens: dict[str, float] = {}
        self.sign_ins = 0
        self.replies = count()

    def reset(self) -> None:
        """Back to the state at start; tokens die too."""
        super().reset()
        self.tokens.clear()
        self.sign_ins = 0

    def sign_in(self, body: dict[str, Any]) -> dict[str, Any]:
        """authentication/token."""
        given = tuple(mandatory(body, name) for name in ("username", "password", "organisation"))
        if given != self.credentials:
            raise ApiFailure("InvalidUserCredentialsException", "The username, password or organisation is not valid")
        self.sign_ins += 1
        token = self.new_id()
        self.tokens[token] = self.now() + self.token_seconds
        return {"token": token}

    def check_token(self, token: object) -> None:
        """Raise the failure of a call without a living token; its code is not documented (G)."""
        if not isinstance(token, str) or self.tokens.get(token, 0.0) <= self.now():
            raise ApiFailure("InvalidTokenException", f"The token {token} is invalid or has expired")


def simulator(**options: Any) -> Simulator:
    """The simulator app; `options` are those of `CrmcomState`."""
    state = CrmcomState(**options)

    async def expire(_request: Request) -> Response:
        state.tokens.clear()
        return Response(status_code=204)

    async def call(request: Request) -> Response:
        return await _answer(state, request)

    return build(
        state,
        [
            Route("/_expire", expire, methods=["POST"]),
            *fault_routes(state.events),
            customers_route(state.add_customers),
            webhook_route(state.change_customer),
            Route(PREFIX + "/{method:path}", call, methods=["GET", "POST"]),
        ],
    )


async def _answer(state: CrmcomState, request: Request) -> Response:
    method = request.path_params["method"].strip("/")
    try:
        if request.method == "GET":
            data = _read(state, method, dict(request.query_params))
        else:
            data = _write(state, method, await _body(request))
    except LookupError:
        return HTMLResponse(HTML_PAGE, 404)
    except ApiFailure as failure:
        return _envelope(state, failure.code, None, failure.description)
    if method == "leads/show":
        return JSONResponse(data)  # documented without the envelope (wiki, leads/show)
    return _envelope(state, "OK", data)


async def _body(request: Request) -> dict[str, Any]:
    try:
        body = await request.json()
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise ApiFailure("InvalidJSONException", "The body is no JSON object")
    return body


def _read(state: CrmcomState, method: str, query: dict[str, str]) -> Any:
    resource, _, verb = method.rpartition("/")
    if verb not in ("show", "list") or not state.knows(resource):
        raise LookupError(method)
    if method == "contact_information/list" and not state.name_search:
        raise LookupError(method)
    state.check_token(query.get("token"))
    if verb == "show":
        return _trimmed(state.show(resource, query), query)
    rows = state.listed(resource, query)
    if state.short_lists and resource == "contact_information":
        query = {**query, "fields_set": "id,name"}
    rows = [_trimmed(row, query) for row in (_page(rows, query) if state.paging else rows)]
    return rows if state.lists_as_arrays else {state.list_key(resource): rows}


def _write(state: CrmcomState, method: str, body: dict[str, Any]) -> Any:
    if method == "authentication/token":
        return state.sign_in(body)
    state_changes: dict[str, Callable[[dict[str, Any]], Any]] = {
        "contact_information/create": state.create_contact,
        "contact_information/update": state.update_contact,
        "accounts_receivable/create": state.create_account,
        "authentication/token/release": lambda given: state.tokens.pop(given["token"], None),
    }
    head, _, verb = method.rpartition("/")
    kind = head.removeprefix("customer_events/bulk/")
    if method in state_changes:
        change = state_changes[method]
    elif verb == "create" and kind != head and state.knows(f"customer_events/{kind}"):
        change = lambda given: state.create_events(kind, given)  # noqa: E731 - one of a table of such calls
    else:
        raise LookupError(method)
    state.check_token(body.get("token"))
    return change(body)


def _page(rows: list[dict[str, Any]], query: dict[str, str]) -> list[dict[str, Any]]:
    try:
        size = int(query.get("number_of_results", "100"))
        offset = int(query.get("offset", "0"))
    except ValueError:
        raise ApiFailure("InvalidAPIValueException", "number_of_results and offset are numbers") from None
    return rows[offset : offset + max(0, size)]


def _trimmed(row: dict[str, Any], query: dict[str, str]) -> dict[str, Any]:
    wanted = [name.strip() for name in query.get("fields_set", "").split(",") if name.strip()]
    return {name: row[name] for name in wanted if name in row} if wanted else row


def _envelope(state: CrmcomState, code: str, data: Any, description: str = "") -> Response:
    turn = next(state.replies) % 2
    status: dict[str, Any] = {"code": code, "description": description or ("" if turn else None)}
    status["message"] = description or ("" if turn else None)
    parts = {"status": status, "data": data} if turn else {"data": data, "status": dict(reversed(status.items()))}
    if code != "OK" and turn:
        del parts["data"]
    return JSONResponse(parts)
