"""kill -9 at every named point of the write paths: what was acknowledged is stored, done once, and accounted for.

Each point runs the same small day of traffic against a gateway that kills itself there, starts it again, sends
everything once more as Vainu and a CRM would, and then counts. The ledger is printed, one line a point (`-rP`).
"""

import base64
import json
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from adapters.simulated_webhooks import signed
from adapters.vainu.simulator import FAKE_API_KEY
from gateway.store.database import _engine
from tests.harness import AUTH, GatewayProcess, Upstream, configuration, gateway_process, running_upstream, wait_until
from tests.postgres import MISSING, binaries, running_cluster

LABELS = (
    "export.keep",
    "export.accepted",
    "company.create_leaves",
    "company.create_ended",
    "export.finish",
    "export_details.finish",
    "customer_data.finish",
    "inbox.keep",
    "crm_webhook.finish",
    "company_change.finish",
    "delivery.claim",
    "delivery.renew",
)
POINTS = tuple(f"{when}:{label}" for label in LABELS for when in ("before", "within", "after"))
SECRET = "whsec_" + base64.b64encode(b"kill point secret").decode()
AT_ONCE = 6
PATIENCE = 40.0


@dataclass
class Account:
    """What one point's traffic was told, and what came of it."""

    point: str
    acknowledged: int = 0
    refused: int = 0
    lost: int = 0
    """Requests whose connection died: never acknowledged."""
    died: bool = False
    records: Counter[str] = field(default_factory=Counter)
    unfinished: int = 0
    missing: list[str] = field(default_factory=list)

    def line(self) -> str:
        doubled = {name: count for name, count in self.records.items() if count != 1}
        kept = "all kept" if not self.missing else f"MISSING {self.missing}"
        return (
            f"{self.point:<32} died {self.died!s:<5} acknowledged {self.acknowledged:>2}  unanswered {self.lost:>2}  "
            f"{kept}  unfinished {self.unfinished}  records {dict(self.records)}"
            + (f"  NOT ONCE {doubled}" if doubled else "")
        )


@dataclass
class Day:
    """The traffic of one point; every company and id in it carries the point's tag."""

    tag: str
    account: Account
    kept: list[str] = field(default_factory=list)
    """Ids that were acknowledged: exp_… and whk_…"""

    @property
    def names(self) -> dict[str, str]:
        return {each: f"Kill{self.tag}{each} Oy" for each in ("Plain", "Slow", "Broken")}

    def prepare(self, upstream: Upstream) -> str:
        """Faults for this day's companies only, and Vainu's customer data of the slow one; its id."""
        upstream.fault("apptivo", "delay", match=f"Kill{self.tag}Slow", seconds=2.6, times=2)
        upstream.fault("apptivo", "500", match=f"Kill{self.tag}Broken", skip=2, times=1)
        made = upstream.http.post(
            "/vainu/api/v2/customer_data/",
            json={"match_data": {"company_name": self.names["Slow"], "country": "FI"}},
            headers={"API-Key": FAKE_API_KEY},
        )
        return str(made.json()["id"])

    def send_all(self, url: str, customer_data_id: str) -> None:
        """Everything that Vainu and the CRM send on this day, whatever becomes of each."""
        contacts = [{"first_name": "Kim", "last_name": "Kill", "email": "kim@example.com"}]
        with httpx.Client(base_url=url, trust_env=False, timeout=5, headers=AUTH) as http:
            plain = self._export(http, {"company_name": self.names["Plain"], "contacts": contacts})
            self._export(http, {"company_name": self.names["Slow"], "id": customer_data_id})
            self._export(http, {"company_name": self.names["Broken"]})
            unique_id = plain or "1"
            self._webhook(http, {"customerId": unique_id, "event": f"changed {self.tag}"})
            data = {"company_name": self.names["Plain"], "staff_number": 12, "link": f"www.{self.tag}.example.com"}
            change = {"data": data, "unique_id": unique_id, "type": "company_change_webhook", "number_of_tries": 1}
            self._sent(lambda: http.post("/vainu/acme/webhooks", json=change))

    def _export(self, http: httpx.Client, body: dict[str, Any]) -> str | None:
        answer = self._sent(lambda: http.post("/vainu/acme/exports", json={"country": "FI", **body}))
        return str(answer["unique_id"]) if answer else None

    def _webhook(self, http: httpx.Client, body: dict[str, Any]) -> None:
        content = json.dumps(body).encode()
        headers = signed(SECRET, f"msg_{self.tag}", int(time.time()), content)
        self._sent(lambda: http.post("/crm/acme/webhooks", content=content, headers=headers))

    def _sent(self, send: Any) -> dict[str, Any] | None:
        try:
            answer = send()
        except httpx.TransportError:
            self.account.lost += 1
            return None
        if not answer.is_success:
            self.account.refused += 1
            return None
        self.account.acknowledged += 1
        told: dict[str, Any] = answer.json()
        self.kept.append(str(told.get("export_id") or told.get("id")))
        return told


def live_through(point: str, number: int, upstream: Upstream, storage: str | None, folder: Path) -> Account:
    """One point: traffic, death, restart, the same traffic again, and the count."""
    folder.mkdir()
    account = Account(point)
    day = Day(f"{number:02}x{'pg' if storage else 'lite'}", account)
    document = configuration(
        upstream.url,
        folder,
        connections={
            "acme": {
                "webhooks": {"hmac": [{"secret": SECRET}]},
                "export": {"budget_ms": 400, "settle_seconds": 3},
            },
            "globex": None,
        },
        **({"storage": {"url": storage}} if storage else {}),
    )
    customer_data_id = day.prepare(upstream)
    with gateway_process(document, folder) as process:
        _first_life(process, point, day, customer_data_id)
        process.start()
        day.send_all(process.url, customer_data_id)
        url = storage or f"sqlite:///{folder / 'gateway.db'}"
        account.unfinished = _finish(url)
        account.missing = _missing(url, day.kept)
    customers = [str(row["customerName"]) for row in upstream.records("apptivo")["customers"]]
    account.records = Counter({each: customers.count(name) for each, name in day.names.items()})
    return account


def _first_life(process: GatewayProcess, point: str, day: Day, customer_data_id: str) -> None:
    try:
        process.start(environ={"GATEWAY_FAILPOINT": point})
        day.send_all(process.url, customer_data_id)
        running = process.process
        assert running is not None
        wait_until(lambda: running.poll() is not None, f"death at {point}", 8)
        day.account.died = True
    except AssertionError:
        # a point that is reached before the gateway is ready kills it in `start`
        day.account.died = process.process is not None and process.process.poll() is not None
    process.kill()


def _finish(url: str) -> int:
    """Wait until no delivery is unfinished; how many still are."""
    engine = _engine(url)
    try:
        give_up = time.monotonic() + PATIENCE
        while True:
            with engine.connect() as connection:
                query = text("SELECT count(*) FROM deliveries WHERE state IN ('pending', 'running')")
                left = int(connection.execute(query).scalar_one())
            if not left or time.monotonic() > give_up:
                return left
            time.sleep(0.2)
    finally:
        engine.dispose()


def _missing(url: str, kept: list[str]) -> list[str]:
    """Which acknowledged ids the store does not hold."""
    engine = _engine(url)
    try:
        with engine.connect() as connection:
            held = set(connection.execute(text("SELECT id FROM exports")).scalars())
            held |= set(connection.execute(text("SELECT event_id FROM deliveries")).scalars())
        return [each for each in kept if each not in held]
    finally:
        engine.dispose()


@pytest.fixture(scope="module")
def shared_upstream() -> Iterator[Upstream]:
    with running_upstream() as running:
        yield running


@pytest.mark.timeout(300)
@pytest.mark.parametrize("store", ["sqlite", "postgresql"])
def test_kill_9_at_every_point_loses_and_doubles_nothing(shared_upstream: Upstream, store: str, tmp_path: Path) -> None:
    """Acknowledged = stored = accounted for, and one CRM record per company, wherever the process dies."""
    if store == "postgresql":
        if binaries() is None:
            pytest.skip(MISSING)
        with running_cluster() as cluster:
            urls: list[str | None] = [cluster.create_database(f"kill{number}") for number in range(len(POINTS))]
            accounts = _ledger(shared_upstream, urls, tmp_path)
    else:
        accounts = _ledger(shared_upstream, [None] * len(POINTS), tmp_path)

    print(f"\nkill -9 on {store}: {len(accounts)} points")
    for account in accounts:
        print(account.line())
    assert [account.point for account in accounts if not account.died] == []
    assert [account.line() for account in accounts if account.missing or account.unfinished] == []
    assert [account.line() for account in accounts if set(account.records.values()) != {1}] == []


def _ledger(upstream: Upstream, urls: list[str | None], folder: Path) -> list[Account]:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        running = [
            pool.submit(live_through, point, number, upstream, url, folder / str(number))
            for number, (point, url) in enumerate(zip(POINTS, urls, strict=True))
        ]
        return [each.result() for each in running]
