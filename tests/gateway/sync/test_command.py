"""`gateway sync` as a command: what is wrong use, what it prints, what its report holds."""

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from adapters.vainu.simulator import FAKE_API_KEY
from gateway.commands.sync_display import Bar, watcher
from gateway.sync.progress import Begun, Counts, Progress
from tests.gateway.sync.conftest import World


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--to", "elsewhere"], "expected vainu or aixon"),
        (["--since", "yesterday-ish"], "--since yesterday-ish: expected"),
        (["--since", "2h", "--delete"], "--since reads a part"),
        (["--since", "2h", "--full"], "--since reads a part"),
        (["--to", "aixon", "--delete"], "deletes no customers"),
        (["--report", "/nowhere/at/all.jsonl"], "--report /nowhere/at/all.jsonl cannot be written"),
    ],
)
def test_wrong_use(world: World, options: list[str], said: str) -> None:
    """Exit 2, one line that says what to do, and nobody is called."""
    ended = world.sync(*options)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert said in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
    assert world.upstream.calls("apptivo") == []


def test_a_connection_that_lacks_what_is_needed(world: World) -> None:
    """An unknown one, one without Vainu's API, one without Aixon: exit 2, and what to add."""
    assert world.command("sync", "nobody", "--config", str(world.config)).returncode == 2
    ended = world.command("sync", "globex", "--config", str(world.config))
    assert (ended.returncode, "[connections.globex.vainu]" in ended.stderr) == (2, True)
    ended = world.command("sync", "globex", "--to", "aixon", "--config", str(world.config))
    assert (ended.returncode, "[connections.globex.aixon]" in ended.stderr) == (2, True)


def test_a_line_a_page_and_a_table(world: World) -> None:
    """Without a terminal every page is a line, and the numbers stand in a table at the end."""
    world.crm.add_customers(230)
    ended = world.sync()
    assert (ended.returncode, ended.stderr) == (0, "")
    lines = [line for line in ended.stdout.splitlines() if line.startswith("page ")]
    assert lines == [
        "page 1: 100 of 230 customers, 100 created",
        "page 2: 200 of 230 customers, 200 created",
        "page 3: 230 of 230 customers, 230 created",
    ]
    rows = {line.split("│")[1].strip(): line.split("│")[2].strip() for line in ended.stdout.splitlines() if "│" in line}
    assert (rows["read from the CRM"], rows["created"], rows["failed"]) == ("230", "230", "0")


def test_a_bar_on_a_terminal() -> None:
    """A bar that knows how many customers there are, and what became of them."""
    output = io.StringIO()
    terminal = Console(file=output, force_terminal=True, width=140)
    shown = watcher(terminal, as_json=False)
    assert isinstance(shown, Bar)
    shown.begun(Begun("acme", "vainu", False, False, 0, Counts(), 1))
    shown.step(Progress(Counts(customers=100, created=60, unchanged=40), 230, "page 1"))
    shown.ended()
    assert "100/230" in output.getvalue()
    assert "40 unchanged, 60 created" in output.getvalue()


def test_the_report_is_json_lines_for_its_owner(world: World) -> None:
    """A line a customer that was not unchanged, the summary last; nobody else may read the file."""
    world.crm.add_customers(3)
    code, customers, summary = world.report()
    assert code == 0
    assert sorted(each["record_id"] for each in customers) == sorted(world.ids())
    assert {each["type"] for each in customers} == {"customer"}
    assert {each["outcome"] for each in customers} == {"created"}
    assert {each["customer_data_id"] for each in customers} == {each["id"] for each in world.customer_data()}
    assert summary["type"] == "summary"
    assert (summary["connection"], summary["to"], summary["complete"], summary["customers"]) == (
        "acme",
        "vainu",
        True,
        3,
    )
    assert Path(world.folder / "report.jsonl").stat().st_mode & 0o077 == 0
    assert world.report()[1] == []


def test_json_is_the_summary_and_nothing_else(world: World) -> None:
    """One JSON object on stdout, also where the sync stopped: then with the reason."""
    world.crm.add_customers(3)
    world.configure(vainu={"api_key": "a-wrong-key"})
    ended = world.sync("--json")
    found = json.loads(ended.stdout)
    assert ended.returncode == 1
    assert (found["complete"], found["created"]) == (False, 0)
    assert found["detail"]
    assert "a-wrong-key" not in ended.stdout + ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def test_secrets_that_a_remote_echoes_are_not_shown(world: World) -> None:
    """A customer's name that holds a key of ours is redacted, on the screen and in the report."""
    world.configure(vainu={"api_version": 1})
    world.customer(f"Planted {FAKE_API_KEY}")
    ended = world.sync("--report", str(world.folder / "report.jsonl"))
    assert ended.returncode == 1
    told = ended.stdout + ended.stderr + (world.folder / "report.jsonl").read_text(encoding="utf-8")
    assert "Planted" in told
    assert FAKE_API_KEY not in told
