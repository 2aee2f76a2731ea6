"""HUP: the configuration is read again, in a process that goes on answering."""

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapters.vainu.samples import samples
from tests.harness import Gateway, GatewayProcess, Upstream, configuration, gateway_process, merged, toml, wait_until

NEW_KEY = "new-key-for-tests-0123456789"
FEED = "activities/nobody?limit=0"
"""Refused with 422 once the caller is admitted; so it tells who is, and asks nobody else."""


@pytest.fixture
def document(upstream: Upstream, tmp_path: Path) -> dict[str, Any]:
    return configuration(upstream.url, tmp_path, connections={"acme": {"export": {"budget_ms": 800}}})


@pytest.fixture
def process(document: dict[str, Any], tmp_path: Path) -> Iterator[GatewayProcess]:
    with gateway_process(document, tmp_path) as made:
        yield made


def reload(process: GatewayProcess, text: str, event: str = "config.reloaded") -> None:
    """Write the file, send HUP, and wait until the log tells of it."""
    before = process.log.read_text().count(event)
    process.config.write_text(text, encoding="utf-8")
    process.hang_up()
    wait_until(lambda: process.log.read_text().count(event) > before, event)


def admitted(gateway: Gateway, connection: str, key: str) -> bool:
    status = gateway.http.get(f"/vainu/{connection}/{FEED}", headers={"API-Key": key}).status_code
    assert status in (401, 422)
    return status == 422


def test_a_reload(process: GatewayProcess, upstream: Upstream, document: dict[str, Any]) -> None:
    """Connections and keys come, go and change at once, and a request in flight gets its answer."""
    key = document["connections"]["acme"]["auth"]["api_keys"][0]
    gateway = process.start()
    unique_id = gateway.push("acme", samples()["samlink"].push_body()).json()["unique_id"]
    upstream.fault("apptivo", "delay", seconds=1)
    answers: list[httpx.Response] = []
    in_flight = threading.Thread(target=lambda: answers.append(gateway.feed("acme", unique_id)))
    calls = len(upstream.calls("apptivo"))
    in_flight.start()
    wait_until(lambda: len(upstream.calls("apptivo")) > calls, "the feed is under way")

    changed = merged(document, {"connections": {"globex": None, "acme": {"auth": {"api_keys": [NEW_KEY]}}}})
    changed["connections"]["initech"] = document["connections"]["acme"]
    reload(process, toml(changed))

    assert in_flight.is_alive()
    assert (admitted(gateway, "acme", key), admitted(gateway, "acme", NEW_KEY)) == (False, True)
    assert (admitted(gateway, "globex", key), admitted(gateway, "initech", key)) == (False, True)
    assert gateway.http.get("/health/ready").json()["connections"].keys() == {"acme", "initech"}
    in_flight.join()
    assert answers[0].status_code == 200
    assert "Gateway-Partial" not in answers[0].headers
    reload(process, toml(document))
    assert (admitted(gateway, "acme", key), admitted(gateway, "globex", key)) == (True, True)
    assert process.stop() == 0
    assert "Traceback" not in process.log.read_text()


def test_a_broken_file_leaves_the_old_one_in_force(process: GatewayProcess, document: dict[str, Any]) -> None:
    """No TOML, wrong types and unset variables: all refused, the log says where, and holds no secret."""
    key = document["connections"]["acme"]["auth"]["api_keys"][0]
    gateway = process.start()
    planted = "planted-secret-in-a-broken-file"
    broken = merged(
        document,
        {
            "server": {"port": planted},
            "connections": {
                "acme": {
                    "auth": {"api_keys": [{"env": "NO_SUCH_VARIABLE"}, planted]},
                    "apptivo": {"access_key": [planted], "api_keey": planted},
                    "timezone": planted,
                },
                "globex": {"crmcom": {"base_url": f"https://{planted}@crm.example.com", "password": planted}},
            },
        },
    )
    for text in (toml(broken), f'a = "{planted}', f"[connections.acme\napi_key = {planted}", "\x00"):
        reload(process, text, "config.rejected")
        assert admitted(gateway, "acme", key)
    process.config.unlink()
    process.hang_up()
    wait_until(lambda: "does not exist" in process.log.read_text(), "the missing file is told of")
    assert admitted(gateway, "acme", key)
    log = process.log.read_text()
    for path in ("server.port", "connections.acme.auth.api_keys[0]", "NO_SUCH_VARIABLE", "connections.acme.timezone"):
        assert path in log
    assert "connections.acme.apptivo.access_key" in log
    assert "connections.globex.crmcom.base_url" in log
    assert planted not in log
    assert process.stop() == 0


def test_the_work_of_a_removed_connection_waits(
    process: GatewayProcess, upstream: Upstream, document: dict[str, Any]
) -> None:
    """Work of a connection that is taken out of the file is kept, nobody acts on it, and it goes on when it returns."""
    gateway = process.start()
    upstream.fault("apptivo", "503")
    pushed = gateway.push("acme", samples()["samlink"].push_body()).json()
    assert pushed["status"] == "accepted"

    reload(process, toml(merged(document, {"connections": {"acme": None}})))
    upstream.heal("apptivo")
    calls = len(upstream.calls("apptivo"))
    backlog = wait_until(
        lambda: (age := gateway.http.get("/health/ready").json()["checks"]["backlog"]) and age, "a look at the backlog"
    )
    assert backlog["ok"]
    # a delivery of another connection gets done meanwhile, so the worker is at work
    assert gateway.push("globex", samples()["samlink"].push_body()).status_code == 201
    assert len(upstream.calls("apptivo")) == calls
    assert gateway.http.get(f"/vainu/acme/exports/{pushed['export_id']}").status_code == 401

    reload(process, toml(document))
    wait_until(lambda: gateway.standing("acme", pushed["export_id"])["status"] == "created", "the work goes on")
    assert len(upstream.records("apptivo")["customers"]) == 1


def test_several_workers(process: GatewayProcess, document: dict[str, Any]) -> None:
    """Two processes share the socket; HUP and TERM reach both, and one that is killed is replaced."""
    gateway = process.start("--workers", "2")

    def workers() -> set[int]:
        assert process.process is not None
        children = Path(f"/proc/{process.process.pid}/task/{process.process.pid}/children").read_text()
        return {int(pid) for pid in children.split()}

    wait_until(lambda: process.log.read_text().count("serve.listening") == 2, "both listen")
    before = workers()
    assert len(before) == 2
    changed = merged(document, {"connections": {"acme": {"auth": {"api_keys": [NEW_KEY]}}}})
    process.config.write_text(toml(changed), encoding="utf-8")
    process.hang_up()
    wait_until(lambda: process.log.read_text().count("config.reloaded") == 2, "both have read it again")
    assert all(admitted(gateway, "acme", NEW_KEY) for _ in range(8))

    os.kill(min(before), signal.SIGKILL)
    wait_until(lambda: process.log.read_text().count("serve.listening") == 3, "the dead one is replaced")
    assert len(workers()) == 2
    assert all(admitted(gateway, "acme", NEW_KEY) for _ in range(8))
    assert process.stop() == 0
    log = process.log.read_text()
    assert log.count("serve.draining") == 2
    assert "Traceback" not in log
    with pytest.raises(httpx.ConnectError):
        gateway.http.get("/health/live")
