"""What every fault is told of: the promises of the callers' side, and whether they hold while a part is broken."""

import base64
import json
import time
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import httpx

from adapters.simulated_webhooks import signed
from tests.gateway.exports.conftest import customers, new_company, problem, record_id
from tests.gateway.webhooks.conftest import customer_data
from tests.harness import Gateway, Upstream, configuration, wait_until

SECRET = "whsec_" + base64.b64encode(b"a webhook secret of the fault tests").decode()
_numbers = count(1)

__all__ = ["customer_data", "customers", "new_company", "problem", "record_id"]


def fault_configuration(upstream: str, folder: Path, **changes: Any) -> dict[str, Any]:
    """`acme` takes signed webhooks and has short budgets; `changes` are those of `tests.harness.configuration`."""
    document = configuration(upstream, folder, **changes)
    acme = document["connections"]["acme"]
    acme["webhooks"] = {"hmac": [{"secret": SECRET}]}
    acme.setdefault("export", {"budget_ms": 1_000, "settle_seconds": 1})
    document["connections"].pop("globex", None)
    return document


def webhook(
    gateway: Gateway, customer: str, message_id: str | None = None, remark: str = "", at: float | None = None
) -> httpx.Response:
    """A genuine CRM webhook: this customer has changed. `at` is the sender's time, Unix seconds; now if None."""
    content = json.dumps({"customerId": customer, "remark": remark}).encode()
    headers = signed(SECRET, message_id or f"msg_{next(_numbers)}", int(time.time() if at is None else at), content)
    return httpx.post(
        f"{gateway.url}/crm/acme/webhooks",
        content=content,
        headers={"Content-Type": "application/json", **headers},
        trust_env=False,
        timeout=15,
    )


def company_change(gateway: Gateway, unique_id: str, **data: Any) -> httpx.Response:
    """Vainu says that a company has changed."""
    body = {"unique_id": unique_id, "type": "company_change_webhook", "number_of_tries": 1, "data": data}
    return gateway.http.post("/vainu/acme/webhooks", json=body)


@dataclass(frozen=True)
class Watch:
    """One gateway with a company that it knows, and what a fault must leave true of it."""

    upstream: Upstream
    gateway: Gateway
    company: dict[str, Any]
    unique_id: str

    @classmethod
    def over(cls, upstream: Upstream, gateway: Gateway) -> "Watch":
        """After the first export, when all is well."""
        company = new_company()

        def pushed() -> str | None:
            # on a busy machine the first answer may be "accepted"; a repeat tells the CRM's id
            told = gateway.push("acme", company).json()
            return told["unique_id"] if told.get("status") in ("created", "updated") else None

        return cls(upstream, gateway, company, str(wait_until(pushed, "the first export is done")))

    @property
    def ready(self) -> bool:
        """What `/health/ready` says."""
        return self.gateway.http.get("/health/ready").status_code == 200

    def becomes_unready(self) -> None:
        """Within 2 s, and live all the while."""
        wait_until(lambda: not self.ready, "not ready", 2)
        content = self.gateway.http.get("/health/ready").json()
        assert (content["status"], content["checks"]["storage"]["ok"]) == ("not ready", False)
        assert self.gateway.http.get("/health/live").status_code == 200

    def keeps_nothing(self) -> dict[str, Any]:
        """Every kind of work is refused with 503 and Retry-After in time, and the CRM hears of none; what was sent."""
        company = new_company()
        calls = len(self.upstream.calls("apptivo"))
        for answer in (
            self.gateway.push("acme", company),
            webhook(self.gateway, self.unique_id, "msg_refused"),
            company_change(self.gateway, self.unique_id, phone="09 4711"),
        ):
            document = problem(answer, 503)
            assert document["type"] == "urn:vainu-gateway:not_kept"
            assert 1 <= int(answer.headers["retry-after"]) <= 60
            assert answer.elapsed.total_seconds() < 6
        assert len(self.upstream.calls("apptivo")) == calls
        return company

    def recovers(self, refused: dict[str, Any]) -> None:
        """Ready within 2 s; what was refused is taken when it is sent again, as new, and done once."""
        wait_until(lambda: self.ready, "ready again", 2)
        answer = self.gateway.push("acme", refused)
        assert answer.status_code == 201, answer.text
        assert len(customers(self.upstream, "acme", refused["company_name"])) == 1
        again = webhook(self.gateway, self.unique_id, "msg_refused")
        assert (again.status_code, again.json()["duplicate"]) == (202, False)
        assert company_change(self.gateway, self.unique_id, phone="09 4711").status_code == 202
        wait_until(self._is_up_to_date, "the webhooks' work is done")

    def _is_up_to_date(self) -> bool:
        (row,) = customers(self.upstream, "acme", self.company["company_name"])
        known = [each["unique_id"] for each in customer_data(self.upstream)]
        return known == [self.unique_id] and "09 4711" in json.dumps(row)
