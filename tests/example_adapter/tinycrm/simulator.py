"""A TinyCRM in memory, over real HTTP, with the quirks that NOTES.md tells of."""

from itertools import count
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from adapters.simulation import Simulator, build

API_KEY = "tinycrm-demo-key"


class TinyCrmState:
    """Everything the simulated account holds."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Empty; ids start again."""
        self.customers: dict[str, dict[str, Any]] = {}
        self.numbers = count(1)

    def dump(self) -> Any:
        """Every customer with its people and timeline."""
        return list(self.customers.values())

    def add(self, body: dict[str, Any]) -> dict[str, Any]:
        """A new customer, with a call, a note and a deal so that there is a feed to see."""
        timeline = [
            {"id": next(self.numbers), "kind": "call", "at": "2026-05-04 07:11", "title": "Introduction"},
            {"id": next(self.numbers), "kind": "note", "at": 1525417886, "body": "<p>Prefers e-mail</p>"},
            {"id": next(self.numbers), "kind": "deal", "at": "2026-05-06", "title": "Licence", "stage": "won"},
        ]
        timeline[-1] |= {"amount": "1200.50", "currency": "EUR"}
        customer = {**body, "id": f"C{next(self.numbers)}", "people": [], "timeline": timeline}
        self.customers[customer["id"]] = customer
        return customer


def simulator() -> Simulator:
    """The simulator app."""
    state = TinyCrmState()

    async def answer(request: Request) -> Response:
        if request.headers.get("x-api-key") != API_KEY:
            return JSONResponse({"error": "unknown key"}, 401)
        thing, record_id, part = (*request.path_params["path"].split("/"), "", "")[:3]
        if thing == "me":
            return JSONResponse({"user": "demo@example.com"})
        body = await request.json() if request.method != "GET" else {}
        if not record_id and body:
            return JSONResponse({"customer": state.add(body)}, 201)
        if not record_id:
            text = request.query_params["search"].casefold()
            found = [row for row in state.customers.values() if text in f"{row['name']} {row.get('vat')}".casefold()]
            return JSONResponse({"customers": found})
        if (customer := state.customers.get(record_id)) is None:
            return JSONResponse({"error": "no such customer"}, 404)
        if not part:
            customer.update(body)
            return JSONResponse({"customer": customer})
        if body:
            customer[part].append({**body, "id": next(state.numbers)})
        kind = request.query_params.get("kind")
        return JSONResponse({part: [row for row in customer[part] if kind in (None, row.get("kind"))]})

    return build(state, [Route("/v1/{path:path}", answer, methods=["GET", "POST", "PUT"])])
