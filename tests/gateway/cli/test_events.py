"""`gateway events push`: a file checked as a whole, kept, pushed, and told row by row."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.events.conftest import BULK, purchase, there, with_account
from tests.harness import Upstream, configuration, run_command, running_gateway


@pytest.fixture
def account(upstream: Upstream, tmp_path: Path) -> str:
    """An account of CRM.COM."""
    folder = tmp_path / "before"
    folder.mkdir()
    with running_gateway(configuration(upstream.url, folder)) as gateway:
        return with_account(upstream, gateway)


def lines(*rows: Any) -> str:
    """JSON Lines."""
    return "".join(json.dumps(row) + "\n" for row in rows)


def test_2500_purchases_with_7_that_the_crm_refuses(
    command: Any, config: Path, upstream: Upstream, account: str, tmp_path: Path
) -> None:
    """The file goes in three calls, without a gateway beside; the 7 and their reasons are told, and exit 1 says so.

    Once more it sends nothing: the rows are known by the file.
    """
    bad = {3, 400, 999, 1000, 1500, 2001, 2499}
    file, report = tmp_path / "purchases.jsonl", tmp_path / "report.json"
    file.write_text(lines(*(purchase(n, f"ACR99{n}" if n in bad else account) for n in range(2500))))
    push = ("events", "push", "globex", "purchases", str(file), "--config", str(config))

    ended = command(*push, "--report", str(report))
    assert ended.returncode == 1, ended.stderr
    assert "2,493 of 2,500 rows done, 7 failed, 0 wait" in ended.stdout
    assert "failed  3  NotFoundAPIValueException  Error:Account (ACR993) Not Found." in ended.stdout
    told = json.loads(report.read_text())
    assert {int(row["request_unique_identifier"]) for row in told["failed"]} == bad
    assert len(told["processed"]) == 2493
    assert told["pending"] == []
    assert there(upstream) == Counter(f"POS-{n}" for n in range(2500) if n not in bad)

    calls = len(upstream.calls("crmcom"))
    again = command(*push)
    assert again.returncode == 1
    assert "2,500 of 2,500 rows were pushed before and are not pushed again; --again does" in again.stderr
    assert "2,493 of 2,500 rows done, 7 failed, 0 wait" in again.stdout
    assert not [call for call in upstream.calls("crmcom")[calls:] if "bulk" in call["line"]]


def test_an_array_from_stdin_and_once_more(config: Path, upstream: Upstream, account: str) -> None:
    """`-` reads stdin; exit 0 when every row is done; `--again` pushes the same rows once more."""
    push = ("events", "push", "globex", "purchases", "-", "--config", str(config))
    rows = json.dumps([purchase(n, account) for n in range(2)])
    first = run_command(*push, stdin=rows)
    assert (first.returncode, first.stdout, first.stderr) == (0, "2 of 2 rows done, 0 failed, 0 wait\n", "")
    assert run_command(*push, "--again", stdin=rows).returncode == 0
    assert there(upstream) == Counter({"POS-0": 2, "POS-1": 2})


def test_a_crm_that_is_down_keeps_the_rows_waiting(
    command: Any, config: Path, upstream: Upstream, account: str, tmp_path: Path
) -> None:
    """After `--wait` the rows wait in the store: exit 1, and the same command goes on with them."""
    file = tmp_path / "purchases.json"
    file.write_text(json.dumps([purchase(1, account)]))
    push = ("events", "push", "globex", "purchases", str(file), "--config", str(config))
    upstream.fault("crmcom", "429", match=BULK, seconds=1, times=2)
    ended = command(*push, "--wait", "0.3")
    assert ended.returncode == 1
    assert "0 of 1 rows done, 0 failed, 1 wait" in ended.stdout
    assert command(*push).returncode == 0
    assert there(upstream) == Counter(["POS-1"])


def test_every_fault_is_told_with_its_line_and_nothing_is_kept(command: Any, config: Path, tmp_path: Path) -> None:
    """Exit 2 with all faults; neither the store nor the CRM hears of the file."""
    file = tmp_path / "purchases.jsonl"
    bad = {key: value for key, value in purchase(2, "ACR1").items() if key != "reference_number"}
    file.write_text(lines(purchase(1, "ACR1")) + "\n" + lines({**bad, "performed_on": 5}, 7))
    ended = command("events", "push", "globex", "purchases", str(file), "--config", str(config))
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.splitlines() == [
        "gateway: line 3: performed_on: expected a time such as 2016-06-22T15:00:00, got a number",
        "gateway: line 3: reference_number: is mandatory",
        "gateway: line 4: expected an object, got a number",
        "gateway: nothing was kept, nothing was sent",
    ]
    assert not (tmp_path / "gateway.db").exists()


@pytest.mark.parametrize(
    ("arguments", "content", "line"),
    [
        (("globex", "birthdays"), "[]", '"globex" takes no customer events of the kind "birthdays"; its CRM takes ach'),
        (("acme", "purchases"), "[]", '"acme" takes no customer events of the kind "purchases"; its CRM takes none'),
        (("nobody", "purchases"), "[]", 'unknown connection "nobody"'),
        (("globex", "purchases"), "", "is empty; expected a JSON array or JSON Lines of events"),
        (("globex", "purchases"), "{}\n[[", "line 2: it is not JSON"),
        (("globex", "purchases"), None, "No such file or directory"),
    ],
)
def test_wrong_use(
    command: Any, config: Path, tmp_path: Path, arguments: tuple[str, str], content: str | None, line: str
) -> None:
    """Exit 2 and what to do, for a kind, a connection and a file that cannot be."""
    file = tmp_path / "events.json"
    if content is not None:
        file.write_text(content)
    ended = command("events", "push", *arguments, str(file), "--config", str(config))
    assert (ended.returncode, ended.stdout) == (2, "")
    assert line in ended.stderr
