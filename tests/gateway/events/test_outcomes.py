"""Customer events are kept, pushed to CRM.COM in few calls, and told apart row by row."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.events.conftest import Shop
from tests.harness import Upstream, configuration, running_gateway


def test_rows_are_done_within_the_budget(shop: Shop) -> None:
    """200 with the CRM's id and number of each row, in the order of the rows; the GET tells the same."""
    answer = shop.post([shop.purchase(1), shop.purchase(2)])
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert list(told) == ["id", "processed", "failed"]
    assert [row["request_unique_identifier"] for row in told["processed"]] == ["1", "2"]
    assert all(row["id"] and row["number"] for row in told["processed"])
    assert told["failed"] == []
    assert shop.get(told["id"]).json() == {**told, "status": "done", "pending": []}
    assert shop.there() == Counter(["POS-1", "POS-2"])


def test_2500_rows_with_7_that_the_crm_refuses(shop: Shop) -> None:
    """At most 1,000 rows a call; the 7 fail with CRM.COM's code and text, the others are there once."""
    bad = {3, 400, 999, 1000, 1500, 2001, 2499}
    rows = [shop.purchase(n, f"ACR99{n}" if n in bad else None) for n in range(2500)]
    answer = shop.post(rows)
    assert answer.status_code in (200, 202), answer.text
    told = shop.finished(answer.json()["id"])
    assert [int(row["request_unique_identifier"]) for row in told["failed"]] == sorted(bad)
    assert told["failed"][0] == {
        "request_unique_identifier": "3",
        "error_code": "NotFoundAPIValueException",
        "error_description": "Error:Account (ACR993) Not Found. - Description:The specified API value was not found.",
    }
    assert len(told["processed"]) == 2493
    assert shop.there() == Counter(f"POS-{n}" for n in range(2500) if n not in bad)
    assert len(shop.calls()) == 3


@pytest.mark.parametrize("storage", ["sqlite", "postgresql"])
def test_hostile_identifiers_come_back_as_they_were(
    shop: Shop, upstream: Upstream, tmp_path: Path, request: pytest.FixtureRequest, storage: str
) -> None:
    """Whatever a caller names its rows is kept on both stores, and is in their outcomes unchanged."""
    names = ["\x00", "a\nb", "Ünïcødé " * 60, "'; DROP TABLE deliveries; --", "{}", "\u202e"]
    folder = tmp_path / "other"
    folder.mkdir()
    url = f"sqlite:///{folder / 'gateway.db'}"
    if storage == "postgresql":
        url = request.getfixturevalue("cluster").create_database("hostile_events")
    rows = [shop.purchase(n, request_unique_identifier=name) for n, name in enumerate(names)]
    changes: dict[str, Any] = {"storage": {"url": url}, "connections": {"globex": {"export": {"budget_ms": 5_000}}}}
    with running_gateway(configuration(upstream.url, folder, **changes)) as gateway:
        answer = Shop(upstream, gateway, shop.account).post(rows)
    assert answer.status_code == 200, answer.text
    assert [row["request_unique_identifier"] for row in answer.json()["processed"]] == names
