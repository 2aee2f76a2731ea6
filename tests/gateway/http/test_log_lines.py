"""What the log says of callers and of things that went wrong: enough to find them, and nothing of what they said."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests.gateway.http.conftest import World
from tests.harness import Upstream, client, configuration, gateway_process, run_command, toml, wait_until
from tests.postgres import Cluster

PLANTED = "planted-0123456789"
FAILING = """
import asyncio, json, logging, sys
import structlog
from gateway import logs

logs.configure(json=sys.argv[1] == "json")
log = structlog.get_logger()


def fails():
    try:
        json.loads('{"' + sys.argv[2])
    except ValueError as error:
        raise KeyError(sys.argv[2]) from error


try:
    fails()
except KeyError:
    log.exception("something.failed", delivery=7)
    logging.getLogger("some.library").exception("it failed\\n%s", sys.argv[2])

try:
    raise ExceptionGroup(sys.argv[2], [KeyError(sys.argv[2]), ValueError(sys.argv[2])])
except ExceptionGroup:
    log.exception("more.failed")


async def nobody_waits():
    async def fails_too():
        fails()

    task = asyncio.create_task(fails_too())
    await asyncio.sleep(0.01)
    del task


asyncio.run(nobody_waits())
"""


@pytest.mark.parametrize("form", ["json", "terminal"])
def test_a_traceback_says_where_and_not_what(form: str) -> None:
    """An exception's message may be a customer's data: the log has frames and types, of causes and of groups too."""
    ended = subprocess.run([sys.executable, "-c", FAILING, form, PLANTED], capture_output=True, text=True, check=True)
    said = ended.stdout + ended.stderr
    assert PLANTED not in said
    for expected in (
        "something.failed",
        "more.failed",
        "it failed",
        "in fails",
        "JSONDecodeError",
        "KeyError",
        "ValueError",
    ):
        assert expected in said, said
    assert "Task exception was never retrieved" in said
    if form == "json":
        lines = [json.loads(line) for line in ended.stderr.splitlines()]
        assert [line["event"] for line in lines[:2]] == ["something.failed", "it failed"]
        assert lines[0]["delivery"] == 7


def test_who_a_token_is_of_stays_out_of_the_log(world: World, token: Callable[..., str]) -> None:
    """A JWT's subject may be a person: the log has a name that is the same each time, and tells nothing."""
    callers = []
    for subject in ("plantina.perssonsdotter@people.example", "plantina.perssonsdotter@people.example", "vainu"):
        headers = {"Authorization": f"Bearer {token(sub=subject)}"}
        with capture_logs() as lines, client(world.gateway.url, headers=headers) as http:
            assert http.get("/vainu/acme/activities/nobody").status_code == 404
            wait_until(lambda found=lines: [each for each in found if each["event"] == "http.request"], "it is logged")  # type: ignore[misc]  # mypy infers no lambda with defaults
        said = json.dumps(lines, default=str)
        assert "perssonsdotter" not in said
        assert headers["Authorization"].removeprefix("Bearer ") not in said
        callers += [line["caller"] for line in lines if line["event"] == "http.request"]
    assert callers[0] == callers[1] != callers[2]
    assert all(caller.startswith("jwt:") for caller in callers)


def test_a_database_s_password_is_told_nobody(upstream: Upstream, tmp_path: Path, cluster: Cluster) -> None:
    """Not while it works, not when it goes, not when it cannot be reached at all; not by any command."""
    good = cluster.create_database("password").replace("gateway@", f"gateway:{PLANTED}@")
    document = configuration(upstream.url, tmp_path, storage={"url": good})
    said = []
    with gateway_process(document, tmp_path) as process:
        gateway = process.start()
        cluster.stop()
        try:
            wait_until(lambda: gateway.http.get("/health/ready").status_code == 503, "it is not ready")
            said += [gateway.http.get("/health/ready").text, gateway.push("acme", {"company_name": "Oy"}).text]
        finally:
            cluster.start()
        wait_until(lambda: gateway.http.get("/health/ready").status_code == 200, "it is ready again")
        assert process.stop() == 0
        said.append(process.log.read_text())
    document["storage"]["url"] = f"postgresql://gateway:{PLANTED}@127.0.0.1:1/gateway"
    config = tmp_path / "away.toml"
    config.write_text(toml(document), encoding="utf-8")
    for command in (["serve", "--port", "0"], ["check", "--offline"], ["deliveries", "list"], ["feed", "acme", "1"]):
        ended = run_command(*command, "--config", str(config))
        said.append(ended.stdout + ended.stderr)
        assert "Traceback" not in said[-1]
    assert [each for each in said if PLANTED in each] == []
    assert "store_unavailable" in said[2]
