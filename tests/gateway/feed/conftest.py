"""One set of simulators and one gateway for a file of tests; each test makes customers of its own."""

import itertools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from adapters.apptivo import simulator as apptivo
from adapters.apptivo.simulated_firm import tied_to
from adapters.crmcom import simulator as crmcom
from adapters.simulation import FaultRule, Simulator
from adapters.vainu import simulator as vainu
from tests.harness import Gateway, configuration, running_gateway, running_upstream

SOURCES: dict[str, dict[str, str]] = {
    "apptivo": {
        "tasks": "activityType=Task",
        "appointments": "activityType=Event",
        "followups": "activityType=Follow",
        "calls": "activityType=Call",
        "notes": "a=getNotes",
        "emails": "/dao/emails",
        "opportunities": "/v6/opportunities",
        "newsfeed": "/dao/newsfeed",
    },
    "crmcom": {
        "communications": "communications/list",
        "leads": "leads/list",
        "achievements": "customer_events/achievements/list",
        "purchases": "customer_events/purchases/list",
        "referrals": "customer_events/referrals/list",
        "social_media": "customer_events/social_media/list",
        "web": "customer_events/web/list",
        "financial_achievements": "customer_events/financial_achievements/list",
        "activities": "activities/list",
    },
}
"""The sources that CONTRACT section 6 names, with what the calls of each have in their lines."""
CRMS = {"acme": "apptivo", "globex": "crmcom"}
_numbers = itertools.count(1)
_APPTIVO_TYPES = {"tasks": "Task", "appointments": "Event", "followups": "Follow Up", "calls": "Call Log"}
_APPTIVO_TABLES = {"notes": "notes", "emails": "emails", "opportunities": "opportunities", "newsfeed": "wall"}


@dataclass
class Scene:
    """The simulators of both CRMs, and a gateway with connections to them."""

    gateway: Gateway
    simulators: Mapping[str, Simulator]
    document: Mapping[str, Any] = field(default_factory=dict)

    def simulator(self, connection: str) -> Any:
        return self.simulators[CRMS[connection.partition("-")[0]]]

    def fault(self, connection: str, fault: Any, match: str = "", **rule: Any) -> None:
        self.simulator(connection).journal.rules.append(FaultRule(fault, match, **rule))

    def heal(self) -> None:
        for each in self.simulators.values():
            each.journal.rules.clear()

    def calls(self, connection: str, match: str = "") -> list[str]:
        return [call["line"] for call in self.simulator(connection).journal.calls if match in call["line"]]

    def forget_calls(self) -> None:
        for each in self.simulators.values():
            each.journal.calls.clear()

    def customer(self, connection: str, **rows: list[dict[str, Any]]) -> str:
        """A customer that somebody made in the CRM by hand, with these rows by source; its id."""
        if self.simulator(connection) is self.simulators["apptivo"]:
            return self._apptivo_customer(rows)
        return self._crmcom_customer(rows)

    def _apptivo_customer(self, rows: Mapping[str, list[dict[str, Any]]]) -> str:
        state = self.simulators["apptivo"].state
        customer = state.insert("customers", {"customerName": f"Firm {next(_numbers)}"})
        for source, given in rows.items():
            for row in given:
                table = _APPTIVO_TABLES.get(source, "activities")
                kind = {"activityType": _APPTIVO_TYPES[source]} if table == "activities" else {}
                owner = (
                    {"opportunityCustomerId": customer["customerId"]} if table == "opportunities" else tied_to(customer)
                )
                stored = state.insert(table, {**owner, **kind, **row})
                stored.update({name: row[name] for name in row if name == "id"})
        return str(customer["id"])

    def _crmcom_customer(self, rows: Mapping[str, list[dict[str, Any]]]) -> str:
        state = self.simulators["crmcom"].state
        contact = {"id": state.new_id(), "number": f"CI{next(_numbers)}", "type": "COMPANY", "company_name": "Firm"}
        account = {"id": state.new_id(), "number": f"ACR{next(_numbers)}", "account_owner": {"id": contact["id"]}}
        state.tables["contact_information"].append(contact)
        state.tables["accounts_receivable"].append(account)
        for source, given in rows.items():
            is_event = source not in ("communications", "leads", "activities")
            owner = {"accounts_receivable": {"id": account["id"]}} if is_event else {"contact_information": contact}
            table = state.tables[f"customer_events/{source}" if is_event else source]
            table.extend({"id": state.new_id(), **owner, **row} for row in given)
        return str(contact["id"])

    def one_of_each(self, connection: str) -> str:
        """A customer with one event in every source."""
        if self.simulator(connection) is self.simulators["apptivo"]:
            sources = {
                name: [{"subject": name, "startDate": f"{n:02}/03/2026"}] for n, name in enumerate(_APPTIVO_TYPES, 1)
            }
            stamp = "2026-03-05 10:00:00"
            return self.customer(
                connection,
                **sources,
                notes=[{"noteText": "a note", "creationDate": stamp}],
                emails=[{"subject": "an e-mail", "sentDate": stamp}],
                opportunities=[
                    {"opportunityName": "a deal", "salesStageName": "Closed Won", "closeDate": "08/03/2026"}
                ],
                newsfeed=[{"datePosted": 1772704800000, "collabObjectJSON": json.dumps({"description": "news"})}],
            )
        stamp = "2026-03-05T10:00:00"
        events = {
            name: [{"performed_on": stamp}] for name in SOURCES["crmcom"] if name not in ("communications", "leads")
        }
        events |= {
            "communications": [{"subject": "hello", "media": "EMAIL", "log_information": {"created_date": stamp}}]
        }
        events |= {"leads": [{"name": "a deal", "life_cycle_state": "Won", "actual_completion_date": stamp}]}
        return self.customer(connection, **events)

    def feed(self, connection: str, unique_id: str, **options: Any) -> httpx.Response:
        return self.gateway.feed(connection, unique_id, **options)


def _document(upstream: str, folder: Path) -> dict[str, Any]:
    document = configuration(upstream, folder)
    connections = document["connections"]
    for name, crm in CRMS.items():
        base = connections[name]
        connections[f"{name}-hasty"] = {**base, "feed": {"budget_ms": 700, "stale_seconds": 0}}
        connections[f"{name}-stale"] = {**base, "feed": {"budget_ms": 700, "stale_seconds": 60}}
        connections[f"{name}-slow"] = {**base, "export": {"budget_ms": 300}}
        wrong = {"api_key": "wrong-key-of-the-firm"} if crm == "apptivo" else {"password": "wrong-key-of-the-firm"}
        connections[f"{name}-wrong"] = {**base, crm: {**base[crm], **wrong}}
    american = {"timezone": "America/New_York", "apptivo": {**connections["acme"]["apptivo"], "date_order": "MDY"}}
    connections["acme-ny"] = {**connections["acme"], **american}
    return document


@pytest.fixture(scope="module")
def running_scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    simulators = {"apptivo": apptivo.simulator(), "crmcom": crmcom.simulator(), "vainu": vainu.simulator()}
    app = Starlette(routes=[Mount(f"/{name}", simulator) for name, simulator in simulators.items()])
    with running_upstream(app) as upstream:
        document = _document(upstream.url, tmp_path_factory.mktemp("feed"))
        with running_gateway(document) as gateway:
            yield Scene(gateway, simulators, document)


@pytest.fixture
def scene(running_scene: Scene) -> Iterator[Scene]:
    """The file's scene, without faults and with an empty journal."""
    running_scene.heal()
    running_scene.forget_calls()
    yield running_scene
    running_scene.heal()
