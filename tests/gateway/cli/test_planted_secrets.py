"""Secrets are planted everywhere, everything that can fail fails, and nothing that anybody sees holds one of them."""

import hashlib
import hmac
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapters.serving import serving
from adapters.vainu.samples import samples
from tests.gateway.cli import planted
from tests.harness import Gateway, GatewayProcess, Upstream, client, gateway_process, toml, wait_until


@pytest.fixture
def document(upstream: Upstream, tmp_path: Path) -> Iterator[dict[str, Any]]:
    with serving(planted.echoing()) as echo:
        yield planted.document(upstream.url, echo, tmp_path)


def _say(answer: httpx.Response) -> str:
    """An answer whole: status, headers, body; and where the client was sent."""
    headers = "\n".join(f"{name}: {value}" for name, value in answer.headers.multi_items())
    return f"{answer.status_code}\n{headers}\n\n{answer.text}\n"


def _signed(body: bytes) -> dict[str, str]:
    return {"X-Signature": hmac.new(planted.HOOK_SECRET.encode(), body, hashlib.sha256).hexdigest()}


_EVENT = json.dumps({"customerId": "4712"}).encode()


def _traffic(http: httpx.Client, connection: str) -> Iterator[httpx.Response]:
    """A connection's calls, by every credential, well and badly formed."""
    key = {"API-Key": planted.CALLER_KEY}
    token = {"token": planted.CALLER_TOKEN}
    body = {**samples()["samlink"].push_body(), "contacts": [planted.PERSON], "note": " ".join(planted.PERSON.values())}
    pushed = http.post(f"/vainu/{connection}/exports", json=body, headers=key)
    yield pushed
    unique_id = pushed.json().get("unique_id", "4711")
    yield http.get(f"/vainu/{connection}/activities/{unique_id}", headers=key)
    yield http.get(f"/vainu/{connection}/activities/{unique_id}", auth=("vainu", planted.CALLER_PASSWORD))
    yield http.get(f"/vainu/{connection}/activities/never-seen", params=token)
    yield http.get(f"/vainu/{connection}/records/{unique_id}", params=token)
    yield http.get(f"/vainu/{connection}/exports/none", params=token)
    yield http.get(f"/vainu/{connection}/nothing-here", params=token)
    yield http.post(f"/vainu/{connection}/exports", params=token, content=b"{")
    yield http.post(f"/vainu/{connection}/exports", json={"company_name": 5}, headers=key)
    yield http.get(f"/vainu/{connection}/exports", auth=("vainu", planted.CALLER_PASSWORD))
    yield http.get(f"/vainu/{connection}/activities/1", headers={"Authorization": f"Bearer {planted.CALLER_KEY}"})
    yield http.get(f"/vainu/{connection}/activities/1", headers={"API-Key": planted.CALLER_KEY + "x"})
    yield http.post(f"/crm/{connection}/webhooks", content=_EVENT, headers=_signed(_EVENT))
    event = json.dumps({"customerId": unique_id, "changedBy": planted.PERSON}).encode()
    yield http.post(f"/crm/{connection}/webhooks", content=event, headers=_signed(event))
    yield http.post(f"/crm/{connection}/webhooks", json={"customerId": "1"}, headers={"API-Key": planted.HOOK_KEY})
    yield http.post(f"/crm/{connection}/webhooks", json={"customerId": "2"}, params={"token": planted.HOOK_TOKEN})
    yield http.post(f"/crm/{connection}/webhooks", json={}, auth=("crm", planted.HOOK_PASSWORD))
    yield http.post(f"/crm/{connection}/webhooks", content=b"\xff", params={"token": planted.HOOK_TOKEN})
    yield from _about_people(http, connection, key)


def _about_people(http: httpx.Client, connection: str, key: dict[str, str]) -> Iterator[httpx.Response]:
    """Calls that hold a person wherever a call can hold anything."""
    name, mail = planted.PERSON["last_name"], planted.PERSON["email"]
    yield http.get(f"/vainu/{connection}/activities/{name}", headers=key)
    yield http.get(f"/vainu/{connection}/activities/{mail}", headers=key, params={"since": mail, "type": name})
    yield http.get(f"/vainu/{connection}/exports/{name}", headers=key)
    yield http.get(f"/vainu/{connection}/records/{name}")
    yield http.get(f"/vainu/{name}/activities/1", headers=key, params={"email": mail})
    yield http.get(f"/{name}", auth=(mail, name))
    for body in (b'{"email": "%s"' % mail.encode(), json.dumps({"contacts": [planted.PERSON]}).encode()):
        yield http.post(f"/vainu/{connection}/exports", content=body, headers=key, params={"name": name})
        yield http.post(f"/vainu/{connection}/webhooks", content=body, headers=key)
        yield http.post(f"/crm/{connection}/customer-events/purchases", content=body, headers=key)
        yield http.post(f"/crm/{connection}/webhooks", content=body, headers=_signed(body))
    yield http.post(f"/vainu/{connection}/exports", json={}, headers={**key, "Content-Type": f"text/{name}"})
    yield http.post(f"/vainu/{connection}/webhooks", headers=key, json=_change())
    yield http.post(f"/crm/{connection}/customer-events/social_media", headers=key, json=[_event(), {}])
    yield http.post(f"/crm/{connection}/customer-events/social_media", headers=key, json=[_event()])


def _change() -> dict[str, Any]:
    """A company change, as Vainu sends it, about a person as well."""
    return {"unique_id": "4711", "company_name": "Planted Oy", "contacts": [planted.PERSON], "number_of_tries": 1}


def _event() -> dict[str, Any]:
    """A row of customer events, with a person in it."""
    return {
        "request_unique_identifier": "1",
        "performed_on": "2026-11-20T15:00:00",
        "performed_by_unit_identifier": {"name": "Admin Unit"},
        "accounts_receivable_identifier": {"number": planted.PERSON["email"]},
        "reference_number": planted.PERSON["phone"],
        "type": planted.PERSON["last_name"],
    }


def _everything_said(gateway: Gateway, connections: list[str]) -> Iterator[tuple[str, str]]:
    with client(gateway.url, headers=planted.HEADERS) as http:
        for connection in [*connections, "no-such-connection"]:
            for answer in _traffic(http, connection):
                yield f"{connection}: {answer.request.method} {answer.request.url.path}", _say(answer)
        operator = {"Authorization": f"Bearer {planted.OPERATOR}"}
        console = ("", "exports", "deliveries", "dead-letters", "webhooks", "connections", "connections/wrong-apptivo")
        console += (
            "configuration",
            "audit",
            "syncs",
            "sign-in",
            "feed?connection=apptivo-refuse&unique_id=1",
            "mapping",
        )
        console += ("deliveries/1", "deliveries/2", "replay?which=all", "exports?q=acme", "live/overview")
        pages = [f"/console/{page}" for page in console]
        for path in ("/metrics", "/health/live", "/health/ready", "/openapi.json", "/docs", *pages, "/api/x"):
            yield path, _say(http.get(path, headers=operator))
            yield f"{path} by token", _say(http.get(path, params={"token": planted.OPERATOR}))


def _reload_broken(process: GatewayProcess, document: dict[str, Any]) -> None:
    """Put faults around the secrets of the file, and have it read again."""
    broken = json.loads(json.dumps(document))
    broken["operator"]["tokens"] = planted.OPERATOR
    broken["connections"]["acme"]["auth"]["api_keys"] = {"key": planted.CALLER_KEY}
    broken["connections"]["wrong-apptivo"]["apptivo"]["api_key"] = [planted.CRM_KEY]
    broken["connections"]["wrong-crmcom"]["crmcom"]["unknown"] = planted.CRM_PASSWORD
    process.config.write_text(toml(broken), encoding="utf-8")
    process.hang_up()
    wait_until(lambda: "config.rejected" in process.log.read_text(), "the broken configuration is rejected")
    process.config.write_text(toml(document), encoding="utf-8")


def test_nothing_that_anybody_sees_holds_a_secret(
    document: dict[str, Any], upstream: Upstream, tmp_path: Path, command: Any
) -> None:
    """Answers, headers, metrics, logs, the store, `check`, `feed` and `deliveries`: none, in no spelling.

    And what is read by more people than work with the customers, logs and metrics above all, tells of no person.
    """
    seen: dict[str, str] = {}
    names = list(document["connections"])
    with gateway_process(document, tmp_path) as process:
        gateway = process.start()
        with gateway.http:
            seen |= _everything_said(gateway, names)
        _reload_broken(process, document)
        assert process.stop() == 0
        seen["log"] = process.log.read_text()
        config = ["--config", str(process.config)]
        runs = [["check"], ["check", "--offline"], ["deliveries", "list"], ["deliveries", "list", "--json"]]
        runs += [["feed", name, "4711"] for name in names]
        for run in runs:
            ended = command(*run, *config)
            seen[" ".join(run)] = ended.stdout + ended.stderr
    for file in tmp_path.glob("gateway.db*"):
        seen[file.name] = file.read_bytes().decode("latin-1")
    assert {where: leaked for where, text in seen.items() if (leaked := planted.found_in(text))} == {}
    told_of = ("log", "check", "check --offline", "/metrics", "/health/live", "/health/ready", "/openapi.json", "/docs")
    assert {where: leaked for where in told_of if (leaked := planted.people_in(seen[where]))} == {}
    assert planted.people_in(seen["gateway.db"])
    lines = " ".join(call["line"] for call in upstream.calls("crmcom"))
    passing = {*re.findall(r"token=(\w{8,})", lines), _signed(_EVENT)["X-Signature"]}
    assert len(passing) > 1
    assert {where for where, text in seen.items() for each in passing if each in text} == set()
    assert "FAILED" in seen["check"]
    assert "[redacted]" in seen["check"]
    assert "[redacted]" in seen["gateway.db"]


def test_the_search_finds_every_spelling() -> None:
    """The test above would see a secret in plain, percent-encoded, in JSON, and within base64."""
    for text in (
        f"x {planted.CRM_KEY} y",
        str(httpx.QueryParams({"key": planted.CRM_KEY})),
        str(httpx.URL("https://x").copy_with(params={"key": planted.CRM_KEY})),
        json.dumps({"key": planted.CRM_KEY}),
        httpx.Request("GET", "https://x", headers={"Authorization": "Basic " + _basic("u")}).headers["Authorization"],
        "Basic " + _basic("us"),
        "Basic " + _basic("use"),
    ):
        assert planted.found_in(text) >= {planted.CRM_KEY}


def _basic(username: str) -> str:
    auth = httpx.BasicAuth(username, planted.CRM_KEY)
    request = next(auth.auth_flow(httpx.Request("GET", "https://x")))
    return request.headers["Authorization"].removeprefix("Basic ")
