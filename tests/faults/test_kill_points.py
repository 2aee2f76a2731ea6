"""kill -9 at every named point of the write paths: what was acknowledged is stored, done once, and accounted for.

Each point runs the same small day of traffic against a gateway that kills itself there, starts it again, sends
everything once more as Vainu and a CRM would, and then counts. The ledger is printed, one line a point (`-rP`).
"""

import ast
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

import gateway
from gateway.export_work import CUSTOMER_DATA, DETAILS, EXPORT
from gateway.inbound_work import COMPANY_CHANGE, CRM_WEBHOOK
from tests.faults.day import BUDGET_MS, COMPANIES, SECRET, Day
from tests.faults.forked import ForkedGateway, forked_gateway
from tests.faults.store_look import StoreLook
from tests.harness import Upstream, configuration, wait_until

LABELS = {
    "exports": ("export.keep", "export.accepted", "export.finish", "export_details.finish", "customer_data.finish"),
    "companies": ("company.create_leaves", "company.create_ended", "company.adopt", "company.unlink"),
    "webhooks": ("inbox.keep", "crm_webhook.finish", "company_change.finish", "retention"),
    "deliveries": ("delivery.claim", "delivery.renew", "delivery.release", "delivery.take_over", "delivery.give_turn"),
}
"""The labelled writes of `gateway serve`; `before:export.finish` is between the CRM's write and its record here."""
EVENT_LABELS = ("events.keep", "batch.claim", "batch.leave", "batch.finish")
"""Those of customer events, which have a traffic of their own: test_event_kill_points."""
UNDER_WAY = "during:crm.create"
"""No failpoint: killed from outside while the CRM is at work on a create."""
ELSEWHERE = {"replay", "clock.put_back", "clock.put_forward", "sync", "sync_begin", "reencrypt"}
"""One transaction each: of the command line, after which the process ends anyway; what only a set clock brings about,
which is told anew at every start (test_clock); a sync's, which is killed in its own tests; and those of reencrypt, each
of which stands for itself."""
AT_START = ("delivery.take_over", "delivery.give_turn")
"""Writes about what a process finds that was left behind."""
AT_ONCE = 6
FINISH_SECONDS = 40.0
DEATH_SECONDS = 30.0
LONG_SECONDS = 8.0
SETTLE_SECONDS = 2.4
"""Beyond the slow create's own time: after that the gateway may take it for lost."""


def points_of(group: str) -> list[str]:
    points = [f"{when}:{label}" for label in LABELS[group] for when in ("before", "within", "after")]
    return [*points, UNDER_WAY] if group == "companies" else points


@dataclass
class Account:
    """What one point's traffic was told, and what came of it."""

    point: str
    died: bool = False
    acknowledged: int = 0
    unanswered: int = 0
    refused: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    unfinished: int = 0
    dead: int = 0
    vainu_was_told: bool = False
    records: Counter[str] = field(default_factory=Counter)

    def is_square(self) -> bool:
        """Whether it died where it should, and nothing is lost, left, or doubled."""
        once = all(self.records[which] == 1 for which in (*COMPANIES, "contact"))
        return (
            self.died
            and once
            and self.vainu_was_told
            and not (self.refused or self.missing or self.unfinished or self.dead)
        )

    def line(self) -> str:
        """The line of the ledger."""
        records = " ".join(f"{which} {self.records[which]}" for which in (*COMPANIES, "contact"))
        return (
            f"{self.point:<30} {'died' if self.died else 'DID NOT DIE'}  acknowledged {self.acknowledged:>2}, "
            f"stored {self.acknowledged - len(self.missing):>2}  unanswered {self.unanswered:>2}  "
            f"unfinished {self.unfinished}  dead {self.dead}  records: {records}"
            + (f"  REFUSED {self.refused}" if self.refused else "")
            + ("" if self.vainu_was_told else "  VAINU WAS NOT TOLD")
            + ("" if self.is_square() else "  <-- NOT SQUARE")
        )


@dataclass(frozen=True)
class Place:
    """Where a point is lived through."""

    upstream: Upstream
    storage: str | None
    """None: a SQLite file in the folder."""
    folder: Path

    @property
    def url(self) -> str:
        return self.storage or f"sqlite:///{self.folder / 'gateway.db'}"

    def document(self, slow_seconds: float) -> dict[str, Any]:
        export = {"budget_ms": BUDGET_MS, "settle_seconds": slow_seconds + SETTLE_SECONDS}
        acme = {"webhooks": {"hmac": [{"secret": SECRET}]}, "export": export}
        changes: dict[str, Any] = {
            "connections": {"acme": acme, "globex": None},
            "server": {"drain_seconds": 0},
            "storage": {"url": self.url},
        }
        return configuration(self.upstream.url, self.folder, **changes)


def live_through(point: str, place: Place) -> Account:
    """One point: traffic, death, restart, the same traffic again, and the count."""
    place.folder.mkdir()
    # a lease is renewed every 2 s; the others need a create that is still under way when its export is answered
    slow_seconds = 3.0 if "renew" in point or from_outside(point) else 1.0
    day = Day(place.folder.name, place.upstream, slow_seconds)
    day.prepare()
    if point.endswith("delivery.release"):
        # a search, which may be repeated at once: something is under way whenever the process is told to go
        place.upstream.fault("apptivo", "delay", match=f"Hand{day.tag}", seconds=LONG_SECONDS, times=1)
    account = Account(point)
    with forked_gateway(place.document(slow_seconds), place.folder) as process:
        look = StoreLook(place.url)
        account.died = die(process, point, day, look)
        day.send(process.start())
        wait_until(lambda: not look.unfinished(), "all work ends", FINISH_SECONDS)
        account.unfinished, account.dead = look.unfinished(), look.count("dead")
        account.missing = look.missing(day.acknowledged)
    account.acknowledged, account.unanswered, account.refused = len(day.acknowledged), day.unanswered, day.refused
    account.records, account.vainu_was_told = day.records(), day.vainu_was_told()
    return account


def from_outside(point: str) -> bool:
    """Whether the test must do something to the process for it to come to this point."""
    return point == UNDER_WAY or point.endswith(("delivery.release", *AT_START))


def die(process: ForkedGateway, point: str, day: Day, look: StoreLook) -> bool:
    """The life that ends at the point; whether it did."""
    if not from_outside(point):
        http = process.start(point)
        day.send(http)
        return ended_at_its_point(process)
    is_later = point.endswith(AT_START)
    http = process.start(None if is_later or point == UNDER_WAY else point)
    with in_background(day, http):
        assert day.slow_accepted.wait(DEATH_SECONDS)
        if point.endswith("delivery.release"):
            process.terminate()
            return ended_at_its_point(process)
        process.kill()
    if not is_later:
        return True
    if point.endswith("delivery.give_turn"):
        look.strand_all()
    # what was left is seen to as soon as the next one starts
    process.start(point)
    return ended_at_its_point(process)


def ended_at_its_point(process: ForkedGateway) -> bool:
    process.wait(DEATH_SECONDS)
    died = process.died
    process.kill()
    return died


def in_background(day: Day, http: httpx.Client) -> Any:
    """The day's traffic on a thread, which is awaited at the end."""
    pool = ThreadPoolExecutor(1)
    pool.submit(day.send, http)
    return pool


@pytest.fixture(params=["sqlite", "postgresql"])
def storages(request: pytest.FixtureRequest) -> Any:
    """What gives the storage URL of each point: None for a SQLite file of its own."""
    if request.param == "sqlite":
        return lambda _name: None
    return request.getfixturevalue("cluster").create_database


@pytest.mark.timeout(240)
@pytest.mark.parametrize("group", LABELS)
def test_kill_9_at_every_point_loses_and_doubles_nothing(
    upstream: Upstream, storages: Any, group: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """Acknowledged = stored = accounted for, and one CRM record per company, wherever the process dies."""
    points = points_of(group)
    tags = [f"{group}{number}" for number in range(len(points))]
    places = [Place(upstream, storages(f"kill_{tag}"), tmp_path / tag) for tag in tags]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        accounts = list(pool.map(live_through, points, places))

    print(f"\nkill -9, {request.node.name}: {len(accounts)} points")
    for account in accounts:
        print(account.line())
    assert [account.line() for account in accounts if not account.is_square()] == []


def test_every_labelled_write_is_a_point() -> None:
    """The labels in the source are those of the ledger: a write that is added is killed at, too."""
    kinds = (EXPORT, DETAILS, CUSTOMER_DATA, CRM_WEBHOOK, COMPANY_CHANGE)
    found = {*labels_in_the_source(), *(f"{kind}.finish" for kind in kinds)}
    assert found - ELSEWHERE == {*EVENT_LABELS, *(label for labels in LABELS.values() for label in labels)}


def labels_in_the_source() -> Iterator[str]:
    for path in Path(gateway.__path__[0]).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                labels = [each.value for each in node.args[1:] if isinstance(each, ast.Constant)]
                if node.func.attr in ("write", "write_many", "hand_over") and labels:
                    yield str(labels[-1])
