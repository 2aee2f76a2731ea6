"""The overview, connections, configuration, syncs, and who may ask."""

from pathlib import Path
from typing import Any

import pytest

from gateway.app import ROUTES
from gateway.http import api
from gateway.settings import load
from tests.gateway.operator.conftest import Desk, document
from tests.harness import AUTH, OPERATOR, Upstream, configuration, running_gateway, toml, wait_until


def test_the_overview_tells_what_stands_where(desk: Desk) -> None:
    """Counts of work, health, each connection's state; a connection that fails says which system and why."""
    desk.push("globex", company_name="Oy Samlink Ab")
    desk.dead("Dead Oy")
    desk.upstream.fault("apptivo", "500")
    assert desk.gateway.feed("acme", "4711").status_code == 502

    found = desk.get("overview")
    assert (found["ready"], found["dead"], found["pending"]) == (True, 1, 0)
    assert set(found["checks"]) == {"storage", "worker", "backlog", "disk"}
    acme, globex = found["connections"]
    assert (acme["name"], acme["state"], acme["dead"], acme["crm_title"]) == ("acme", "failing", 1, "Apptivo")
    assert (globex["name"], globex["state"], globex["dead"], globex["syncs_to"]) == ("globex", "ok", 0, [])
    (failing,) = (each for each in acme["systems"] if each["system"] == "apptivo")
    assert (failing["state"], failing["reason"]) == ("failing", "server_fault")
    assert desk.get("connections")["items"] == [desk.get("connections/acme"), desk.get("connections/globex")]


def test_a_connection_that_the_configuration_lost_is_shown_while_it_has_work(
    upstream: Upstream, tmp_path: Path
) -> None:
    """Under its name, as removed, with its dead letters; its CRM is not known any more."""
    config = document(upstream, tmp_path)
    with running_gateway(config) as gateway:
        Desk(gateway, upstream).dead("Dead Oy")
    del config["connections"]["acme"]
    with running_gateway(config) as gateway:
        desk = Desk(gateway, upstream)
        lost = desk.get("connections/acme")
        assert (lost["state"], lost["configured"], lost["crm"], lost["dead"]) == ("removed", False, None, 1)
        (line,) = desk.get("dead-letters")["items"]
        assert desk.get(f"deliveries/{line['id']}")["connection_is_configured"] is False


def test_only_operators_are_let_in(sqlite_desk: Desk) -> None:
    """Every route of /api: 401 with the Bearer challenge for nobody, for Vainu's key, and for a wrong token."""
    routes = [(method, path) for method, path, _endpoint in ROUTES if path.startswith("/api/")]
    assert len(routes) == len(api.ROUTES) == 20
    for method, path in routes:
        for headers in ({}, AUTH, {"Authorization": "Bearer wrong"}):
            answer = sqlite_desk.gateway.http.request(method, path, headers={"API-Key": "", **headers}, json={})
            assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, 'Bearer realm="gateway"'), path
    changing = {(method, path) for method, path in routes if method != "GET"}
    for _method, path in changing:
        answer = sqlite_desk.ask(path.removeprefix("/api/").format(connection="acme", delivery_id=1))
        assert (answer.status_code, answer.headers["allow"]) == (405, "POST"), path


def test_operators_have_the_rate_of_every_caller(upstream: Upstream, tmp_path: Path) -> None:
    """429 with Retry-After beyond it."""
    with running_gateway(configuration(upstream.url, tmp_path, server={"requests_per_second": 2})) as gateway:
        answers = [gateway.http.get("/api/connections", headers=OPERATOR) for _ in range(8)]
    assert {answer.status_code for answer in answers} == {200, 429}
    assert all("Retry-After" in answer.headers for answer in answers if answer.status_code == 429)


def test_the_configuration_shows_everything_but_secrets(
    upstream: Upstream, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each setting under its path in the file; of a secret where it is from."""
    secret = tmp_path / "secret"
    secret.write_text("password-from-a-file", encoding="utf-8")
    monkeypatch.setenv("ACME_ACCESS_KEY", "key-from-the-environment")
    config = document(upstream, tmp_path)
    config["connections"]["acme"]["apptivo"]["access_key"] = {"env": "ACME_ACCESS_KEY"}
    config["connections"]["globex"]["crmcom"]["password"] = {"file": str(secret)}
    config["connections"]["globex"]["auth"] = {"basic": [{"username": "vainu", "password": {"sha256": "ab" * 32}}]}
    path = tmp_path / "gateway.toml"
    path.write_text(toml(config), encoding="utf-8")
    settings = load(path)
    with running_gateway(config) as gateway:
        assert gateway.service is not None
        gateway.service.runtime.settings = settings
        answer = Desk(gateway, upstream).ask("configuration")
    shown = {each["path"]: each for each in answer.json()["settings"]}

    def origin(path: str) -> Any:
        return shown[path]["is_secret"], shown[path]["value"], shown[path]["origin"]

    assert shown["connections.acme.feed.limit"]["value"] == 200
    assert shown["connections.acme.timezone"]["value"] == "Europe/Helsinki"
    assert shown["connections.globex.auth.basic[0].username"]["value"] == "vainu"
    assert shown["connections.acme.crm"]["value"] == "apptivo"
    assert origin("connections.acme.apptivo.access_key") == (True, None, "environment variable ACME_ACCESS_KEY")
    assert origin("connections.globex.crmcom.password") == (True, None, f"file {secret}")
    assert origin("connections.globex.auth.basic[0].password") == (True, None, "its SHA-256 in the file")
    assert origin("operator.tokens[0]") == (True, None, "written in the file")
    for hidden in ("key-from-the-environment", "password-from-a-file", "ab" * 32, "operator-token-for-tests"):
        assert hidden not in answer.text


def test_a_sync_is_begun_and_followed(desk: Desk) -> None:
    """It runs in the gateway, its progress shows, it ends as `gateway sync` would; and the audit log has it."""
    desk.push("acme", company_name="Oy Samlink Ab")

    begun = desk.send("connections/acme/syncs", {"to": "vainu"})
    assert begun.status_code == 202, begun.text
    run_id = begun.json()["id"]
    ended = wait_until(lambda: (found := desk.get(f"syncs/{run_id}"))["state"] != "running" and found, "the sync ends")
    assert (ended["state"], ended["percent"], ended["counts"]["customers"]) == ("done", 100.0, 1)
    assert ended["counts"]["created"] + ended["counts"]["updated"] == 1
    again = desk.post("connections/acme/syncs", {"dry_run": True})
    assert [each["id"] for each in desk.get("syncs")["items"]] == [again["id"], run_id]
    page = desk.get("syncs", limit=1)
    assert [each["id"] for each in desk.get("syncs", limit=1, cursor=page["next_cursor"])["items"]] == [run_id]
    assert desk.get("syncs", connection="globex")["items"] == []
    log = [(each["target"], each["outcome"], each["detail"]) for each in desk.get("audit")["items"]]
    assert ("acme to vainu", "done", f"run {run_id}") in log
    assert ("acme to vainu (dry run)", "begun", "") in log


def test_a_sync_that_cannot_be_says_why(desk: Desk) -> None:
    """409 where the configuration lacks something or one runs already; 404, 422 for what is no order."""
    assert desk.send("connections/globex/syncs", {"to": "vainu"}).status_code == 409
    lacking = desk.send("connections/acme/syncs", {"to": "aixon"})
    assert (lacking.status_code, lacking.json()["type"]) == (409, "urn:vainu-gateway:cannot_sync")
    assert "[connections.acme.aixon]" in lacking.json()["detail"]
    desk.upstream.fault("vainu", "delay", seconds=1)
    first = desk.post("connections/acme/syncs", {})
    second = desk.send("connections/acme/syncs", {})
    assert (second.status_code, second.json()["type"]) == (409, "urn:vainu-gateway:sync_running")
    assert f"run {first['id']}" in second.json()["detail"]
    desk.upstream.heal("vainu")
    assert desk.send("connections/nobody/syncs", {}).status_code == 404
    for body, path in (
        ({"to": "moon"}, "to"),
        ({"to": "aixon", "delete": True}, "delete"),
        ({"since": "2026-01-01", "full": True}, "since"),
        ({"since": 7}, "since"),
        ({"dry_run": 1}, "dry_run"),
        ([], "$"),
        ({"x": 1}, "x"),
    ):
        answer = desk.send("connections/acme/syncs", body)
        assert (answer.status_code, [each["path"] for each in answer.json()["errors"]]) == (422, [path])
