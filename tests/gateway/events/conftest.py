"""Gateways whose `globex` is a CRM.COM with an account to which events belong."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.harness import Gateway, Upstream, configuration, running_gateway, wait_until

BULK = "bulk/purchases/create"
"""Part of the journal line of the call that creates purchases."""


@dataclass(frozen=True)
class Shop:
    """A gateway, the simulated CRM.COM behind it, and one of its accounts."""

    upstream: Upstream
    gateway: Gateway
    account: str

    def post(self, rows: Any, kind: str = "purchases", connection: str = "globex", **options: Any) -> httpx.Response:
        """Post customer events."""
        return self.gateway.http.post(f"/crm/{connection}/customer-events/{kind}", json=rows, **options)

    def get(self, request_id: str, kind: str = "purchases", connection: str = "globex") -> httpx.Response:
        """Ask where a request stands."""
        return self.gateway.http.get(f"/crm/{connection}/customer-events/{kind}/{request_id}")

    def finished(self, request_id: str, kind: str = "purchases") -> dict[str, Any]:
        """The outcome of a request, once every row has one."""

        def done() -> Any:
            found = self.get(request_id, kind).json()
            return found if found["status"] == "done" else None

        found: dict[str, Any] = wait_until(done, "every row has its outcome")
        return found

    def purchase(self, number: int, account: str | None = None, **changes: Any) -> dict[str, Any]:
        """A good purchase, unless the account is not there."""
        return purchase(number, account or self.account, **changes)

    def there(self) -> Counter[str]:
        """The purchases in CRM.COM, by their receipts' numbers."""
        return there(self.upstream)

    def calls(self) -> list[str]:
        """The bulk calls that CRM.COM has had."""
        return [call["line"] for call in self.upstream.calls("crmcom") if BULK in call["line"]]

    def break_rows(self, match: str, times: int = 1, **fault: Any) -> None:
        """Have single rows fail (see adapters.crmcom.simulator_events)."""
        fault = {"match": match, "times": times, **fault}
        self.upstream.http.post("/crmcom/_row_faults", json=fault).raise_for_status()


def purchase(number: int, account: str, **changes: Any) -> dict[str, Any]:
    """A row of a purchase."""
    product = {"product_identifier": {"code": "Bronze"}, "net_amount": 50, "vat_amount": 10, "total_amount": 60}
    return {
        "request_unique_identifier": str(number),
        "accounts_receivable_identifier": {"number": account},
        "performed_by_unit_identifier": {"name": "Admin Unit"},
        "performed_on": "2016-06-22T15:00:00",
        "reference_number": f"POS-{number}",
        "products_set": [product],
        **changes,
    }


def there(upstream: Upstream) -> Counter[str]:
    """The purchases in CRM.COM, by their receipts' numbers."""
    rows = upstream.records("crmcom")["customer_events/purchases"]
    # the simulator gives each account events of its own
    return Counter(row["reference_number"] for row in rows if row["reference_number"].startswith("POS-"))


def with_account(upstream: Upstream, gateway: Gateway) -> str:
    """The number of an account of CRM.COM, made for the test by an export."""
    contact = {"first_name": "Maija", "last_name": "Virtanen"}
    gateway.push("globex", {"company_name": "Kauppa Oy", "business_id": "28229966", "contacts": [contact]})
    accounts = wait_until(lambda: upstream.records("crmcom")["accounts_receivable"], "the account is there")
    return str(accounts[0]["number"])


@contextmanager
def running_shop(upstream: Upstream, folder: Path, budget_ms: int) -> Iterator[Shop]:
    """A shop whose gateway answers within a budget."""
    document = configuration(
        upstream.url,
        folder,
        server={"max_body_bytes": 4_000_000},
        connections={"globex": {"export": {"budget_ms": budget_ms}}},
    )
    with running_gateway(document) as gateway:
        yield Shop(upstream, gateway, with_account(upstream, gateway))


@pytest.fixture
def shop(upstream: Upstream, tmp_path: Path) -> Iterator[Shop]:
    """Answers when the work is done."""
    with running_shop(upstream, tmp_path, 5_000) as here:
        yield here


@pytest.fixture
def hasty_shop(upstream: Upstream, tmp_path: Path) -> Iterator[Shop]:
    """Answers soon, done or not."""
    with running_shop(upstream, tmp_path, 300) as here:
        yield here
