"""The log of a whole process: one JSON line a request, and no secret anywhere, whatever was sent or configured."""

import base64
import json
import sqlite3
from pathlib import Path
from typing import Any

from adapters.vainu.samples import samples
from tests.gateway.http.problems import problem
from tests.gateway.http.wire import exchange, request
from tests.harness import Upstream, configuration, gateway_process

PLANTED = "planted-secret-0123456789"
FEED, EXPORTS = "/vainu/{connection}/activities/{unique_id}", "/vainu/{connection}/exports"
CONFIGURED = {name: f"{PLANTED}-{name}" for name in ("key", "password", "url", "operator", "crm", "access")}


def planted_in_a_configuration(upstream: Upstream, folder: Path) -> dict[str, Any]:
    (folder / "password").write_text(CONFIGURED["password"] + "\n", encoding="utf-8")
    auth = {
        "api_keys": [{"env": "PLANTED_KEY"}],
        "basic": [{"username": "vainu", "password": {"file": str(folder / "password")}}],
        "url_tokens": [CONFIGURED["url"]],
    }
    broken = {"api_key": {"env": "PLANTED_CRM"}, "access_key": CONFIGURED["access"]}
    return configuration(
        upstream.url,
        folder,
        operator={"tokens": [CONFIGURED["operator"]]},
        connections={"acme": {"auth": auth}, "broken": {"crm": "apptivo", "auth": auth, "apptivo": broken}},
    )


def basic(username: str, password: str) -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(f'{username}:{password}'.encode()).decode()}"}


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_the_log_of_a_process(upstream: Upstream, tmp_path: Path) -> None:
    """Secrets are planted in every input and in the configuration: the log has a line a request, and no secret."""
    document = planted_in_a_configuration(upstream, tmp_path)
    document["connections"]["broken"]["apptivo"]["base_url"] = f"{upstream.url}/apptivo"
    key, token = {"API-Key": CONFIGURED["key"]}, CONFIGURED["url"]
    company = json.dumps({**samples()["samlink"].push_body(), "note": PLANTED}).encode()
    feed = "/vainu/acme/activities/nobody"
    # method, path, headers, body, and what the log must say: route, status, connection
    sent: list[tuple[str, str, dict[str, str], bytes | None, tuple[str, int, str | None]]] = [
        ("GET", "/health/live", {}, None, ("/health/live", 200, None)),
        ("POST", "/vainu/acme/exports?token=" + token, {}, company, (EXPORTS, 201, "acme")),
        ("POST", "/vainu/acme/exports?%74oken=" + token, {}, company, (EXPORTS, 200, "acme")),
        ("POST", "/vainu/broken/exports", key, company, (EXPORTS, 502, "broken")),
        ("GET", "/vainu/broken/activities/1", key, None, (FEED, 502, "broken")),
        ("GET", feed, key, None, (FEED, 404, "acme")),
        ("GET", feed, basic("vainu", CONFIGURED["password"]), None, (FEED, 404, "acme")),
        ("GET", feed, basic(PLANTED, PLANTED), None, (FEED, 401, "acme")),
        ("GET", feed, {"API-Key": PLANTED}, None, (FEED, 401, "acme")),
        ("GET", feed, bearer(PLANTED), None, (FEED, 401, "acme")),
        ("GET", f"{feed}?token={PLANTED}", {}, None, (FEED, 401, "acme")),
        ("GET", f"{feed}?limit={PLANTED}", key, None, (FEED, 422, "acme")),
        ("GET", f"/vainu/{PLANTED}/activities/{PLANTED}", key, None, (FEED, 401, None)),
        ("GET", f"/{PLANTED}?a={PLANTED}", {"Referer": PLANTED, "Cookie": PLANTED}, None, ("unmatched", 404, None)),
        ("PUT", f"/vainu/{PLANTED}/exports", key, None, (EXPORTS, 405, None)),
        ("POST", "/vainu/acme/exports", key, f"{PLANTED}".encode(), (EXPORTS, 400, "acme")),
        ("POST", "/vainu/acme/exports", {**key, "Content-Type": "text/plain"}, b"{}", (EXPORTS, 415, "acme")),
        ("GET", f"/vainu/acme/records/{PLANTED}", {}, None, ("/vainu/{connection}/records/{unique_id}", 302, "acme")),
        ("GET", "/metrics", bearer(CONFIGURED["operator"]), None, ("/metrics", 200, None)),
        ("GET", "/metrics", bearer(PLANTED), None, ("/metrics", 401, None)),
    ]  # fmt: skip
    with gateway_process(document, tmp_path) as process:
        gateway = process.start(environ={"PLANTED_KEY": CONFIGURED["key"], "PLANTED_CRM": CONFIGURED["crm"]})
        for index, (method, path, headers, body, (_route, status, _connection)) in enumerate(sent):
            answer = gateway.http.request(
                method, path, headers={"API-Key": "", **headers, "X-Request-ID": f"line-{index}"}, content=body
            )
            assert answer.status_code == status, (path, answer.text)
            if status >= 400:
                problem(answer, status)
            assert PLANTED not in answer.text
        problem(exchange(gateway.url, f"{PLANTED}\r\n\r\n".encode()), 400)
        problem(exchange(gateway.url, request("GET", "/nothing", {"X-Request-ID": f"{PLANTED} x"})), 404)
        assert process.stop() == 0
    text = process.log.read_text()
    assert PLANTED not in text
    assert "Traceback" not in text
    lines = [json.loads(line) for line in text.splitlines()]
    requests = [line for line in lines if line["event"] == "http.request"]
    for index, (method, _path, _headers, _body, expected) in enumerate(sent):
        found = [line for line in requests if line["request_id"] == f"line-{index}"]
        assert [(line["route"], line["status"], line["connection"]) for line in found] == [expected]
        assert found[0]["method"] == method
        assert found[0]["ms"] >= 0
    assert [line["status"] for line in requests if line["route"] == "unread"] == [400]
    stored = b"".join(bytes(file.read_bytes()) for file in tmp_path.glob("gateway.db*"))
    assert not [name for name, secret in CONFIGURED.items() if secret.encode() in stored]
    with sqlite3.connect(tmp_path / "gateway.db") as database:
        assert database.execute("SELECT count(*) FROM exports").fetchone() == (3,)
    database.close()
