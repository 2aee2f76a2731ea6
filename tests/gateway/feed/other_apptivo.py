"""An Apptivo as somebody else might build it from the fact sheet (section 1) alone, with its choices as options."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

Row = dict[str, Any]
_KINDS = {"Task": "tasks", "Event": "events", "Follow Up": "followUps", "Call Log": "callLogs"}


@dataclass
class OtherApptivo:
    """What this server chose where the fact sheet leaves a choice."""

    list_key: str = "data"
    """"kind" for a key of the kind's own."""
    counted: bool = True
    count_as_text: bool = False
    date: str = "stamp"
    wrapped: str = "customer"
    """Where a saved or shown customer lies; "" for a bare one."""
    ids: str = "id"
    """"number": only `customerId`, `activityId` and their like, as numbers; "text": as text in `id`."""
    filters: bool = True
    has_news: bool = True
    missing: Mapping[str, str] = field(default_factory=dict)
    """Action → how it is missing: `404`, `405`, `failure`, `html`, `empty_object`."""
    unknown: Any = None
    """The reply of getById for an unknown id; None for a FAILURE."""
    customers: dict[int, Row] = field(default_factory=dict)

    def app(self) -> Starlette:
        return Starlette(routes=[Route("/{path:path}", self._answer, methods=["GET", "POST"])])

    async def _answer(self, request: Request) -> Response:
        body = (await request.body()).decode()
        given = {**request.query_params, **dict(parse_qsl(body, strict_parsing=bool(body)))}
        action = given["a"]
        if given.get("apiKey") != "other-api-key" or given.get("accessKey") != "other-access-key":
            return JSONResponse({"status": "FAILURE", "reason": "Invalid API Key or Access Key"})
        if action in self.missing:
            return self._missing(self.missing[action])
        path = request.path_params["path"]
        app = path.rpartition("/")[2]
        handler = getattr(self, f"_{app}_{action}", None)
        if handler is None:
            return HTMLResponse("<h1>404</h1>", 404)
        # escaped, as most servers write JSON: also half of a surrogate pair can be sent so
        return Response(json.dumps(handler(given)), media_type="application/json;charset=UTF-8")

    @staticmethod
    def _missing(how: str) -> Response:
        match how:
            case "404" | "405":
                return HTMLResponse("<html>Not here</html>", int(how))
            case "failure":
                return JSONResponse({"status": "FAILURE", "reason": "Unsupported action"})
            case "html":
                return HTMLResponse("<html>Something went wrong</html>")
            case _:
                return JSONResponse({})

    def _shown(self, customer: Row) -> Row:
        return {self.wrapped: customer} if self.wrapped else customer

    def _customers_save(self, given: Row) -> Row:
        number = 7001 + len(self.customers)
        self.customers[number] = {**json.loads(given["customerData"]), **self._ids(number, "customerId")}
        return self._shown(self.customers[number])

    def _customers_update(self, given: Row) -> Row:
        customer = self.customers[int(given["customerId"])]
        customer.update({**json.loads(given["customerData"]), **self._ids(int(given["customerId"]), "customerId")})
        return self._shown(customer)

    def _customers_getById(self, given: Row) -> Any:
        wanted = given["customerId"]
        if wanted.isdigit() and int(wanted) in self.customers:
            return self._shown(self.customers[int(wanted)])
        return self.unknown or {"status": "FAILURE", "reason": "Invalid customerId"}

    def _customers_getAllByAdvancedSearch(self, given: Row) -> Row:
        wanted = json.loads(given["searchData"])["customerName"].lower()
        return self._listed(
            [one for one in self.customers.values() if wanted in one["customerName"].lower()], "customers"
        )

    def _customers_getAllBySearchText(self, given: Row) -> Row:
        text = given["searchText"].lower()
        return self._listed([one for one in self.customers.values() if text in json.dumps(one).lower()], "customers")

    def _customers_getConfigData(self, _given: Row) -> Row:
        return {"statuses": [], "industries": [], "employeeRanges": [], "webLayout": "{}"}

    def _activities_getActivitiesByAdvancedSearch(self, given: Row) -> Row:
        return self._listed(self._activities(given), _KINDS[given["activityType"]])

    def _activities_getAllActivities(self, given: Row) -> Row:
        return {_KINDS[given["activityType"]]: self._activities(given)}

    def _activities(self, given: Row) -> list[Row]:
        kind = given["activityType"]
        owner = (
            json.loads(given["searchData"])["associatedObjects"][0]["objectRefId"] if "searchData" in given else None
        )
        rows = []
        for n, customer in enumerate([*self.customers, 9999], 1):
            tie = {"objectId": 3, "objectRefId": customer, "objectName": "Customer", "objectRefName": "?"}
            row = {**self._ids(500 + n * 10 + len(kind), "activityId"), "subject": f"{kind} of {customer}"}
            row |= {"endDate": self._date(), "startDate": self._date(), "associatedObjects": [tie]}
            if not self.filters or str(customer) == str(owner):
                rows.append({**row, "activityType": kind})
        return rows

    def _note_getNotes(self, given: Row) -> Row:
        row = {**self._ids(900, "noteId"), "noteText": "Half \ud83d of a pair", "creationDate": self._date()}
        return self._listed([row], "notes", given)

    def _emails_getEmails(self, given: Row) -> Row:
        row = {**self._ids(901, "emailId"), "subject": "Offer", "message": "<p>Hi</p>", "sentDate": self._date()}
        return self._listed([row], "emails", given)

    def _opportunities_getAllByAdvancedSearch(self, given: Row) -> Row:
        wanted = str(json.loads(given["searchData"])["opportunityCustomerId"])
        rows = []
        for n, customer in enumerate([*self.customers, 9999], 1):
            row = {**self._ids(800 + n, "opportunityId"), "opportunityName": "Deal", "salesStageName": "Closed Won"}
            row |= {"probability": "100.00", "amount": "1500.50", "currencyCode": "EUR", "closeDate": self._date()}
            if not self.filters or str(customer) == wanted:
                rows.append({**row, "opportunityCustomerId": str(customer)})
        return self._listed(rows, "opportunities")

    def _newsfeed_getWallMessagesBySelectedEmployeeIds(self, _given: Row) -> Row:
        entry = {"datePosted": self._date(), "postingObjectRefName": "Sam", "collabObjectJSON": '{"noteText": "news"}'}
        return {"wallEntries": [entry] if self.has_news else []}

    def _listed(self, rows: list[Row], kind: str, given: Row | None = None) -> Row:
        start, size = int((given or {}).get("startIndex", 0)), int((given or {}).get("numRecords", 1000))
        count: Any = str(len(rows)) if self.count_as_text else len(rows)
        counted = {"countOfRecords": count} if self.counted else {}
        return {kind if self.list_key == "kind" else self.list_key: rows[start : start + size], **counted}

    def _ids(self, number: int, name: str) -> Row:
        forms = {"id": {"id": str(number), name: number}, "number": {name: number}, "text": {"id": str(number)}}
        return forms[self.ids]

    def _date(self) -> Any:
        return {
            "stamp": "2026-03-05 12:00:00",
            "spoken": "Mar 05, 2026 12:00:00 PM",
            "slashed": "05/03/2026 12:00",
            "epoch": 1772704800000,
            "epoch_text": "1772704800000",
            "offset": "2026-03-05T10:00:00+0000",
        }[self.date]
