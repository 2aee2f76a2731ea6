"""A CRM.COM as somebody else might build it from the fact sheet (section 2) alone, with its choices as options."""

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

Row = dict[str, Any]
_FOR = {
    "contact_information_identifier": "contact_information",
    "accounts_receivable_identifier": "accounts_receivable",
}


@dataclass
class OtherCrmcom:
    """What this server chose where the fact sheet leaves a choice."""

    lists: str = "array"
    """The list in `data`: `array`, `kind` (by the path's word), `singular`, `only` (under any name)."""
    envelope: str = "full"
    """`full`, `null_texts`, `null_status`, `lists_bare` (the list's object alone)."""
    date: Any = "2026-03-05T12:00:00"
    says_not_found: str = "code"
    """`code`, `other_code`, `404`, `null`, `empty`."""
    says_signed_out: str = "code"
    """`code`, `401`, `session`."""
    name_search: str = "404"
    """contact_information/list: `404`, `code`, or `works`."""
    foreign_rows: bool = False
    """Whether lists ignore the identifier, and so hold rows of others."""
    bare_rows: bool = False
    """Whether rows lack all that fields_set may trim: owner, log, users."""
    dies_after: int = 1_000_000
    """How many calls a token lives."""
    contacts: dict[str, Row] = field(default_factory=dict)
    accounts: dict[str, Row] = field(default_factory=dict)
    uses: dict[str, int] = field(default_factory=dict)

    def app(self) -> Starlette:
        return Starlette(routes=[Route("/crmapi/rest/v2/{method:path}", self._answer, methods=["GET", "POST"])])

    async def _answer(self, request: Request) -> Response:
        method = request.path_params["method"]
        if request.method == "GET":
            # as a servlet reads it: one round of percent-decoding, the first = ends the name
            given = dict(parse_qsl(request.scope["query_string"].decode(), keep_blank_values=True))
        else:
            given = json.loads(await request.body())
        if method == "authentication/token":
            return self._sign_in(given)
        token = str(given.get("token"))
        if self.uses.get(token, self.dies_after) >= self.dies_after:
            return self._signed_out()
        self.uses[token] += 1
        resource, _, verb = method.rpartition("/")
        handler = getattr(self, f"_{verb}", None)
        return handler(resource, given) if handler else HTMLResponse("<h1>404</h1>", 404)

    def _sign_in(self, given: Row) -> Response:
        if (given["username"], given["password"], given["organisation"]) != ("other", "other-password", "ORG"):
            return self._code("InvalidCredentialsException")
        token = f"TOKEN+/{len(self.uses)}=="
        self.uses[token] = 0
        return self._ok({"token": token, "expires": 7200})

    def _signed_out(self) -> Response:
        if self.says_signed_out == "401":
            return JSONResponse({"message": "Unauthorized"}, 401)
        return self._code("SESSION_EXPIRED" if self.says_signed_out == "session" else "InvalidTokenException")

    def _ok(self, data: Any) -> Response:
        texts = {"message": None, "description": None} if self.envelope == "null_texts" else {"message": "Success"}
        status = None if self.envelope == "null_status" else {"code": "OK", **texts}
        return JSONResponse({"data": data, "status": status})

    def _code(self, code: str) -> Response:
        status = {"code": code, "message": None, "description": f"Error:{code}. - Description:No."}
        return JSONResponse({"status": status})

    def _not_found(self) -> Response:
        match self.says_not_found:
            case "404":
                return JSONResponse({"status": {"code": "NotFound"}}, 404)
            case "null":
                return self._ok(None)
            case "empty":
                return self._ok({})
            case "other_code":
                return self._code("COM.CRM.EXCEPTION.CONTACTINFORMATION.CONTACTINFORMATIONDOESNOTEXISTEXCEPTION")
            case _:
                return self._code("NotFoundAPIValueException")

    def _create(self, resource: str, given: Row) -> Response:
        if resource == "contact_information":
            new = {"id": f"C{len(self.contacts) + 1:031}", "number": f"CI{len(self.contacts)}"}
            self.contacts[new["id"]] = {**given, **new}
        elif resource == "accounts_receivable":
            new = {"id": f"A{len(self.accounts) + 1:031}", "number": "ACR0000000164"}
            owner = given.get("contact_information_identifier") or given["account_owner_identifier"]
            self.accounts[new["id"]] = {"name": given.get("name"), **new, "account_owner": {"id": owner["id"]}}
        else:
            done = [{"request_unique_identifier": "1", "id": "E1", "number": "45"}]
            return self._ok({"processed_customer_events_set": done, "unprocessed_customer_events_set": []})
        return self._ok(new)

    def _update(self, _resource: str, given: Row) -> Response:
        return self._ok({"id": given["contact_information_identifier"]["id"], "number": "CI0"})

    def _show(self, resource: str, given: Row) -> Response:
        key = f"{resource}_identifier"
        name, _, value = given[key].partition("=")
        held = self.contacts if resource == "contact_information" else self.accounts
        for row in held.values():
            if str(row.get(name)) == value:
                return self._ok({key: part for key, part in row.items() if key != "token"})
        return self._not_found()

    def _list(self, resource: str, given: Row) -> Response:
        if resource == "contact_information" and self.name_search != "works":
            return HTMLResponse("<h1>404</h1>", 404) if self.name_search == "404" else self._code("UnknownMethod")
        rows = self._rows(resource, given)
        size, offset = int(given.get("number_of_results", 20)), int(given.get("offset", 0))
        return self._listed(resource, rows[offset : offset + size])

    def _rows(self, resource: str, given: Row) -> list[Row]:
        if resource == "contact_information":
            return [row for row in self.contacts.values() if given["company_name"] in row["company_name"]]
        key = next(name for name in _FOR if name in given)
        _name, _, owner = given[key].partition("=")
        if resource == "accounts_receivable":
            return [row for row in self.accounts.values() if row["account_owner"]["id"] == owner]
        row = {"id": f"{resource}-1".upper().replace("/", "_"), "number": 17, _FOR[key]: {"id": owner}}
        row |= {"log_information": {"created_date": self.date}, "subject": None, "state": None}
        row |= {"probability_to_win": "55", "target_amount": "1,500.50", "life_cycle_state": "In_Progress"}
        if self.bare_rows:
            row = {"id": row["id"], "log_information": {"created_date": self.date}, "media": None}
        others = {**row, "id": "OTHERS", _FOR[key]: {"id": "SOMEBODY", "number": "X"}}
        return [others, row] if self.foreign_rows else [row]

    def _listed(self, resource: str, rows: list[Row]) -> Response:
        kind = resource.removeprefix("customer_events/")
        middle = "_customer_events" if kind != resource else ""
        names = {"kind": f"{kind}{middle}_set", "singular": f"{kind.rstrip('s')}{middle}_set", "only": "results"}
        data: Any = rows if self.lists == "array" else {names[self.lists]: rows}
        if self.envelope == "lists_bare":
            return JSONResponse({resource.rpartition("/")[2]: rows})
        return self._ok(data)
