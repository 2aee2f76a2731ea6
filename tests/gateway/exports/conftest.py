"""A stage that the tests of one file share: simulators and a gateway, with a company of its own for every test."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapters.apptivo.simulator import BUSINESS_ID_ATTRIBUTE
from adapters.crmcom import simulator as crmcom
from tests.harness import Gateway, Upstream, configuration, running_gateway, running_upstream, wait_until

CONNECTIONS = ("acme", "globex")
SYSTEMS = {"acme": "apptivo", "globex": "crmcom"}
CREATES = {"acme": "a=save", "globex": "contact_information/create"}
"""Part of the journal line of the call that makes a customer (see adapters.simulation)."""
SEARCHES = {"acme": "getAllByAdvancedSearch", "globex": "contact_information/show"}
"""Part of the journal line of a call by which a customer is looked for."""


@dataclass(frozen=True)
class Stage:
    """Simulators and a gateway on them."""

    upstream: Upstream
    gateway: Gateway

    def customers(self, connection: str, name: str) -> list[dict[str, Any]]:
        """The customers of this name that the connection's CRM holds."""
        return customers(self.upstream, connection, name)

    def created(self, connection: str, company: Any, **options: Any) -> dict[str, Any]:
        """The answer to a push that must have made a customer."""
        answer = self.gateway.push(connection, company, **options)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())


def customers(upstream: Upstream, connection: str, name: str) -> list[dict[str, Any]]:
    """The customers of this name in a connection's simulated CRM."""
    if connection == "acme":
        return [row for row in upstream.records("apptivo")["customers"] if row["customerName"] == name]
    rows = upstream.records("crmcom")["contact_information"]
    return [row for row in rows if row["type"] == "COMPANY" and row["company_name"] == name]


def record_id(connection: str, row: dict[str, Any]) -> str:
    """The id of a customer, as the gateway tells it."""
    return str(row["customerId"] if connection == "acme" else row["id"])


def quick_export(**export: Any) -> dict[str, Any]:
    """Changes to a configuration: short budgets, so that tests of slowness are quick."""
    table = {"budget_ms": 300, "settle_seconds": 0.5, **export}
    return {
        "server": {"drain_seconds": 0},
        "connections": {name: {"export": table} for name in CONNECTIONS},
    }


def finished(gateway: Gateway, connection: str, export_id: str, seconds: float = 15) -> dict[str, Any]:
    """Where an export stands once it is no longer under way."""

    def look() -> dict[str, Any] | None:
        standing = gateway.standing(connection, export_id)
        return standing if standing["status"] != "accepted" else None

    found: dict[str, Any] = wait_until(look, f"export {export_id} ends", seconds)
    return found


def crmcom_call(upstream: Upstream, method: str, body: dict[str, Any]) -> dict[str, Any]:
    """Write to the simulated CRM.COM by hand, as a person at the firm would; the data of the answer."""
    credentials = {
        "username": crmcom.USERNAME,
        "password": crmcom.PASSWORD,
        "organisation": crmcom.ORGANISATION,
    }
    url = f"/crmcom{crmcom.PREFIX}"
    signed_in = upstream.http.post(f"{url}/authentication/token", json=credentials).json()
    token = signed_in["data"]["token"]
    answer = upstream.http.post(f"{url}/{method}", json={"token": token, **body}).json()
    return dict(answer["data"])


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Simulators and a gateway for all tests of a file that only add companies."""
    folder: Path = tmp_path_factory.mktemp("stage")
    # a machine with much else to do must not turn "created" into "accepted"
    patient = {"budget_ms": 10_000}
    acme = {"apptivo": {"business_id_attribute": BUSINESS_ID_ATTRIBUTE}, "export": patient}
    with (
        running_upstream() as upstream,
        running_gateway(
            configuration(upstream.url, folder, connections={"acme": acme, "globex": {"export": patient}})
        ) as gateway,
    ):
        yield Stage(upstream, gateway)


@pytest.fixture(params=CONNECTIONS)
def connection(request: pytest.FixtureRequest) -> str:
    """Each CRM in turn."""
    return str(request.param)


_numbers = count(1)


@pytest.fixture
def company() -> dict[str, Any]:
    """A company that no other test knows."""
    return new_company()


def new_company(**fields: Any) -> dict[str, Any]:
    """A company that nobody knows yet, as Vainu would push it."""
    number = next(_numbers)
    return {
        "company_name": f"Testiyritys {number} Oy",
        "business_id": f"9{number:07d}",
        "country": "FI",
        "vid": 700_000 + number,
        "domain": f"testiyritys-{number}.example",
        **fields,
    }


def problem(answer: httpx.Response, status: int) -> dict[str, Any]:
    """The problem document of a refusal, whose form is checked."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = answer.json()
    assert document["status"] == status
    assert {"type", "title", "detail", "request_id"} <= document.keys()
    assert document["request_id"] == answer.headers["x-request-id"]
    return document


NewCompany = Callable[..., dict[str, Any]]
