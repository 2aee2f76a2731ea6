"""A small day of traffic, as Vainu and a CRM send it, that passes every write of the gateway; and its account."""

import base64
import contextlib
import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import httpx

from adapters.apptivo.simulator import DEMO_ACCESS_KEY, DEMO_API_KEY
from adapters.simulated_webhooks import signed
from adapters.vainu.simulator import FAKE_API_KEY
from tests.harness import Upstream, wait_until

SECRET = "whsec_" + base64.b64encode(b"kill point secret").decode()
BUDGET_MS = 600
PATIENCE_SECONDS = 30.0
"""How long a sender sends again what is refused with a 503."""
COMPANIES = ("Plain", "Slow", "Broken", "Hand", "Gone")


@dataclass
class Day:
    """One day; its companies and ids carry its tag, so that days do not disturb each other.

    `Plain` has a contact, a CRM webhook and a company change. `Slow` is made late in the CRM, so that its export is
    answered "accepted" and Vainu is told afterwards. The first create of `Broken` fails. `Hand` has a record that
    somebody made by hand. The record of `Gone` is deleted in the CRM before it is exported again.
    """

    tag: str
    upstream: Upstream
    slow_seconds: float
    """How long the CRM takes for the create of `Slow`: longer than the budget."""
    acknowledged: list[str] = field(default_factory=list)
    """Ids that were told in a 2xx: exp_… and whk_…"""
    refused: list[str] = field(default_factory=list)
    """What was answered neither 2xx nor 503; that is sent again, as Vainu and a CRM do."""
    unanswered: int = 0
    """Requests whose connection died: never acknowledged."""
    slow_accepted: threading.Event = field(default_factory=threading.Event)
    customer_data_id: str = ""

    def name(self, which: str) -> str:
        """What a company of this day is called."""
        return f"{which}{self.tag} Oy"

    def prepare(self) -> None:
        """Put the faults of this day's companies into force, and make what is there before it begins."""
        # the first call that names a company is its search, the second its create
        self.upstream.fault("apptivo", "delay", match=f"Slow{self.tag}", seconds=self.slow_seconds, skip=1, times=1)
        self.upstream.fault("apptivo", "500", match=f"Broken{self.tag}", skip=1, times=1)
        self._at_apptivo("save", customerData=json.dumps({"customerName": self.name("Hand")}))
        made = self.upstream.http.post(
            "/vainu/api/v2/customer_data/",
            json={"match_data": {"company_name": self.name("Slow"), "country": "FI"}},
            headers={"API-Key": FAKE_API_KEY},
        )
        self.customer_data_id = str(made.json()["id"])

    def send(self, http: httpx.Client) -> None:
        """Everything of this day, much of it at the same time, whatever becomes of each."""
        pieces = (self._plain, self._slow, self._broken, self._hand, self._gone)
        with ThreadPoolExecutor(len(pieces)) as pool:
            for piece in [pool.submit(each, http) for each in pieces]:
                piece.result()

    def _plain(self, http: httpx.Client) -> None:
        name = self.name("Plain")
        contacts = [{"first_name": "Kim", "last_name": f"Kill{self.tag}", "email": "kim@example.com"}]
        unique_id = self._record_id(http, self._export(http, "Plain", contacts=contacts))
        if unique_id is None:
            return
        self._webhook(http, {"customerId": unique_id, "event": f"changed {self.tag}"})
        data = {"company_name": name, "staff_number": 12, "link": f"www.{self.tag}.example.com"}
        change = {"data": data, "unique_id": unique_id, "type": "company_change_webhook"}
        self._sent(lambda: http.post("/vainu/acme/webhooks", json={**change, "number_of_tries": 1}))

    def _slow(self, http: httpx.Client) -> None:
        answer = self._export(http, "Slow", id=self.customer_data_id)
        if answer is not None and answer["status"] == "accepted":
            self.slow_accepted.set()

    def _broken(self, http: httpx.Client) -> None:
        self._export(http, "Broken")

    def _hand(self, http: httpx.Client) -> None:
        self._export(http, "Hand")

    def _gone(self, http: httpx.Client) -> None:
        unique_id = self._record_id(http, self._export(http, "Gone"))
        if unique_id is not None:
            self._at_apptivo("delete", customerId=unique_id)
            self._export(http, "Gone", staff_number=7)

    def _export(self, http: httpx.Client, which: str, **more: Any) -> dict[str, Any] | None:
        body = {"company_name": self.name(which), "country": "FI", **more}
        return self._sent(lambda: http.post("/vainu/acme/exports", json=body))

    def _record_id(self, http: httpx.Client, answer: dict[str, Any] | None) -> str | None:
        """The CRM's id of what was exported, waited for if it was only accepted; None if the gateway dies before."""
        if answer is None:
            return None

        def look() -> str | None:
            standing = _unless_busy(http.get(f"/vainu/acme/exports/{answer['export_id']}"))
            told = standing.json() if standing is not None else {"status": "accepted"}
            return None if told["status"] == "accepted" else str(told["unique_id"])

        with contextlib.suppress(httpx.TransportError):
            return str(wait_until(look, "the export ends", PATIENCE_SECONDS))
        return None

    def _webhook(self, http: httpx.Client, body: dict[str, Any]) -> None:
        content = json.dumps(body).encode()
        headers = signed(SECRET, f"msg_{self.tag}", int(time.time()), content)
        self._sent(lambda: http.post("/crm/acme/webhooks", content=content, headers=headers))

    def _sent(self, send: Callable[[], httpx.Response]) -> dict[str, Any] | None:
        try:
            answer = wait_until(lambda: _unless_busy(send()), "it is kept", PATIENCE_SECONDS)
        except httpx.TransportError:
            self.unanswered += 1
            return None
        if not answer.is_success:
            self.refused.append(answer.text)
            return None
        told: dict[str, Any] = answer.json()
        self.acknowledged.append(str(told.get("export_id") or told.get("id")))
        return told

    def _at_apptivo(self, action: str, **given: str) -> None:
        keys = {"apiKey": DEMO_API_KEY, "accessKey": DEMO_ACCESS_KEY}
        url = f"/apptivo/app/dao/v6/customers?a={action}"
        self.upstream.http.post(url, data={**keys, **given}).raise_for_status()

    def records(self) -> Counter[str]:
        """How many records each company has in the CRM, and how many contacts `Plain` has."""
        held = self.upstream.records("apptivo")
        customers = Counter(str(row["customerName"]) for row in held["customers"])
        found = Counter({which: customers[self.name(which)] for which in COMPANIES})
        found["contact"] = sum(row.get("lastName") == f"Kill{self.tag}" for row in held["contacts"])
        return found

    def vainu_was_told(self) -> bool:
        """Whether Vainu knows the CRM's id of `Slow`, if its export was answered "accepted"."""
        if not self.slow_accepted.is_set():
            return True
        [known] = [
            row.get("unique_id")
            for row in self.upstream.records("vainu")["customer_data"]
            if str(row["id"]) == self.customer_data_id
        ]
        customers = self.upstream.records("apptivo")["customers"]
        return [str(known)] == [str(row["customerId"]) for row in customers if row["customerName"] == self.name("Slow")]


def _unless_busy(answer: httpx.Response) -> httpx.Response | None:
    return None if answer.status_code == 503 else answer
