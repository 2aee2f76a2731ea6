"""Bulk creates of the simulated CRM.COM: an envelope that says OK, and rows that are done or not (S004).

A row also fails where it is told to. Besides the other control paths the simulator answers

    POST   /_row_faults   {"code": "XException", "description": "…", "match": "part of the row", "times": 1}   → 201
    DELETE /_row_faults   → 204

With `"silent": true` such a row is left out of the reply altogether, as if CRM.COM had forgotten it; with
`"whole_call": true` the call that holds it is refused as a whole.
"""

import json
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from adapters.crmcom.models import BULK_ROWS, EVENT_KINDS, set_name
from adapters.crmcom.simulator_tables import ApiFailure, Row, Tables, mandatory

_OF_ACCOUNT = ("accounts_receivable_identifier", "rewards_participant_identifier")
_MANDATORY: Mapping[str, tuple[str, ...]] = {
    "achievements": ("classification_identifier",),
    "purchases": ("reference_number", "products_set"),
    "referrals": ("referred_rewards_participant_identifier", "referred_by_rewards_participant_identifier"),
    "social_media": ("social_media", "profile", "action"),
    "web": ("website",),
    "financial_achievements": ("classification_identifier",),
}
"""Mandatory fields of a row besides the three that every kind has (S004)."""
_PRODUCT = ("product_identifier", "net_amount", "vat_amount", "total_amount")


@dataclass(slots=True)
class RowFault:
    """One fault of single rows: which it hits, and how often it still does."""

    code: str = "InternalServerErrorException"
    description: str = "Something broke"
    match: str = ""
    times: int = 1_000_000
    silent: bool = False
    whole_call: bool = False


class EventTables:
    """Creates events in the tables of a store; `new_id` and `log` make what CRM.COM adds of its own."""

    def __init__(self, new_id: Callable[[], str], log: Callable[[], Row]) -> None:
        self._new_id = new_id
        self._log = log
        self.faults: list[RowFault] = []

    def create(self, tables: Tables, kind: str, body: Row) -> Row:
        """A bulk create of one kind."""
        rows = mandatory(body, set_name(kind))
        if not isinstance(rows, list) or len(rows) > BULK_ROWS:
            raise ApiFailure("MaximumNumberOfRowsExceededException", f"at most {BULK_ROWS} rows are allowed")
        for whole in (fault for fault in self.faults if fault.whole_call):
            if whole.match in json.dumps(rows):
                raise ApiFailure(whole.code, whole.description)
        processed, unprocessed = [], []
        for given in rows:
            reference = given.get("request_unique_identifier") if isinstance(given, dict) else None
            fault = self._fault(given)
            if fault and fault.silent:
                continue
            try:
                if fault:
                    raise ApiFailure(fault.code, fault.description)
                row = self._create(tables, kind, given if isinstance(given, dict) else {})
                processed.append({"request_unique_identifier": reference, "id": row["id"], "number": row["number"]})
            except ApiFailure as failure:
                failed = {"request_unique_identifier": reference, "error_code": failure.code}
                unprocessed.append(failed | {"error_description": failure.description})
        return {"unprocessed_customer_events_set": unprocessed, "processed_customer_events_set": processed}

    def _fault(self, given: object) -> RowFault | None:
        text = json.dumps(given) if self.faults else ""
        fault = next((fault for fault in self.faults if fault.times > 0 and fault.match in text), None)
        if fault:
            fault.times -= 1
        return fault

    def _create(self, tables: Tables, kind: str, given: Row) -> Row:
        for name in ("request_unique_identifier", "performed_by_unit_identifier", "performed_on", *_MANDATORY[kind]):
            mandatory(given, name)
        for product in given.get("products_set", ()):
            for name in _PRODUCT:
                mandatory({name: None if product.get(name) is None else [product[name]]}, name)
        table = tables.rows[f"customer_events/{kind}"]
        account = _referred(given, table) if kind == "referrals" else _account_of(given)
        owner = short_account(tables.one("accounts_receivable", account))
        stored = {key: value for key, value in deepcopy(given).items() if key != "request_unique_identifier"}
        stored["performed_by_unit"] = stored.pop("performed_by_unit_identifier")
        stored["classification"] = stored.pop("classification_identifier", None)
        row = {"id": self._new_id(), "number": str(len(table) + 1), **stored, "accounts_receivable": owner}
        row |= {"type": EVENT_KINDS[kind].upper(), "life_cycle_state": "POSTED", "log_information": self._log()}
        table.append(row)
        return row


def participant_account(identifier: Mapping[str, Any]) -> Row:
    """The account of a participant: participant RP0000000164 is account ACR0000000164 here."""
    return {"number": "ACR" + str(identifier.get("number", "")).removeprefix("RP")}


def short_account(account: Row) -> Row:
    """An account as other records hold it."""
    return {key: account[key] for key in ("id", "number", "name", "life_cycle_state", "account_owner")}


def _account_of(given: Row) -> Row:
    account, participant = (given.get(name) for name in _OF_ACCOUNT)
    if account:
        return dict(account)
    mandatory({_OF_ACCOUNT[0]: participant}, _OF_ACCOUNT[0])
    return participant_account(participant or {})


def _referred(given: Row, table: list[Row]) -> Row:
    referred = given["referred_rewards_participant_identifier"]
    if any(row.get("referred_rewards_participant_identifier") == referred for row in table):
        raise ApiFailure(
            "ReferredByAnotherParticipantException",
            f"Participant {referred.get('number')} Was Already Referred by Another Participant",
            "The participant was already referred by another participant.",
        )
    return participant_account(given["referred_by_rewards_participant_identifier"])


def fault_routes(events: EventTables) -> list[BaseRoute]:
    """The control paths for faults of single rows."""

    async def add(request: Request) -> Response:
        given = await request.json()
        try:
            events.faults.append(RowFault(**given))
        except TypeError:
            return JSONResponse({"detail": "known keys: code, description, match, times, silent, whole_call"}, 422)
        return JSONResponse(given, 201)

    async def clear(_request: Request) -> Response:
        events.faults.clear()
        return Response(status_code=204)

    return [
        Route("/_row_faults", add, methods=["POST"]),
        Route("/_row_faults", clear, methods=["DELETE"]),
    ]
