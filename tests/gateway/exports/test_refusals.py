"""A CRM that refuses for good: 502 with its reason, a dead letter, and a note in the feed if it came too late."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from adapters.apptivo.simulated_firm import DEMO_ACCESS_KEY, DEMO_API_KEY
from adapters.crmcom import simulator as crmcom
from adapters.serving import serving
from tests.gateway.exports.conftest import finished, new_company, problem, quick_export
from tests.harness import Upstream, configuration, running_gateway


@pytest.fixture
def talkative_apptivo() -> Iterator[str]:
    """An Apptivo that knows of no customer and refuses every save, with our keys in its reason; its address."""

    async def answer(request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode()))
        if request.query_params["a"] != "save":
            return JSONResponse({"data": [], "countOfRecords": 0, "statuses": [], "tasks": []})
        said = f"Customer Name is reserved (apiKey={form['apiKey']}, accessKey {form['accessKey']})"
        return JSONResponse({"status": "FAILURE", "reason": said})

    app = Starlette(routes=[Route("/{path:path}", answer, methods=["GET", "POST"])])
    with serving(app) as url:
        yield url


def test_the_reason_is_told_without_secrets(upstream: Upstream, tmp_path: Path, talkative_apptivo: str) -> None:
    """502 with the CRM's reason; keys that it echoes are redacted, there, in the standing, and in the store."""
    changes = {"connections": {"acme": {"apptivo": {"base_url": talkative_apptivo}}}}
    with running_gateway(configuration(upstream.url, tmp_path, **changes)) as gateway:
        answer = gateway.push("acme", new_company())

        document = problem(answer, 502)
        standing = gateway.standing("acme", document["export_id"])
        assert "Customer Name is reserved" in document["detail"]
        assert standing.keys() == {"export_id", "unique_id", "status", "attempts", "reason"}
        assert (standing["status"], standing["attempts"]) == ("dead", 1)
        assert "Customer Name is reserved" in standing["reason"]
        kept = b"".join(path.read_bytes() for path in tmp_path.glob("gateway.db*"))
        for secret in (DEMO_API_KEY, DEMO_ACCESS_KEY):
            assert secret not in answer.text
            assert secret not in str(standing)
            assert secret.encode() not in kept


@pytest.mark.parametrize(
    ("name", "table"),
    [
        ("acme", {"apptivo": {"api_key": "not-the-key-of-apptivo"}}),
        ("globex", {"crmcom": {"password": "not-the-pass"}}),
    ],
)
def test_credentials_that_the_crm_refuses(upstream: Upstream, tmp_path: Path, name: str, table: dict[str, Any]) -> None:
    """Wrong credentials are 502 with a reason, and a dead letter; never their text."""
    with running_gateway(configuration(upstream.url, tmp_path, connections={name: table})) as gateway:
        answer = gateway.push(name, new_company())

        document = problem(answer, 502)
        assert gateway.standing(name, document["export_id"])["status"] == "dead"
        assert "not-the" not in answer.text
        assert gateway.feed(name, gateway.standing(name, document["export_id"])["unique_id"]).json() == []


def test_after_a_refusal_a_repeat_tries_again(upstream: Upstream, tmp_path: Path, talkative_apptivo: str) -> None:
    """A dead letter does not stand in the way: a repeat is tried anew, with the same gateway id."""
    changes = {"connections": {"acme": {"apptivo": {"base_url": talkative_apptivo}}}}
    company = new_company()
    with running_gateway(configuration(upstream.url, tmp_path, **changes)) as gateway:
        dead = problem(gateway.push("acme", company), 502)["export_id"]
        unique_id = gateway.standing("acme", dead)["unique_id"]
    with running_gateway(configuration(upstream.url, tmp_path)) as gateway:
        answer = gateway.push("acme", company)

        assert (answer.status_code, answer.json()["status"]) == (201, "created")
        assert gateway.standing("acme", dead)["status"] == "dead"
        assert gateway.feed("acme", unique_id).json() == gateway.feed("acme", answer.json()["unique_id"]).json() != []


def test_accepted_then_refused_shows_in_the_feed(upstream: Upstream, tmp_path: Path) -> None:
    """Accepted, then refused for good: dead, and exactly one note with the reason in that unique_id's feed."""
    company = new_company()
    changes = quick_export()
    with running_gateway(configuration(upstream.url, tmp_path, **changes)) as gateway:
        # the sign-in is slow and then refused: its answer is an error in CRM.COM's envelope
        upstream.fault("crmcom", "delay", seconds=0.7, times=1)
        gateway_document = gateway.push("globex", {**company, "company_name": company["company_name"]})
        assert gateway_document.json()["status"] == "accepted"
        finished(gateway, "globex", gateway_document.json()["export_id"])
    changes["connections"]["globex"]["crmcom"] = {"password": "changed-in-the-meantime"}
    with running_gateway(configuration(upstream.url, tmp_path / "other", **changes) | _fresh(tmp_path)) as gateway:
        upstream.fault("crmcom", "delay", seconds=0.7, times=1)
        accepted = gateway.push("globex", company).json()
        assert accepted["status"] == "accepted"

        standing = finished(gateway, "globex", accepted["export_id"])
        feed = gateway.feed("globex", accepted["unique_id"]).json()
        again = problem(gateway.push("globex", company), 502)
        feed_after_repeat = gateway.feed("globex", accepted["unique_id"]).json()

        assert (standing["status"], standing["unique_id"]) == ("dead", accepted["unique_id"])
        assert [event["type"] for event in feed] == ["note"]
        assert standing["reason"] in feed[0]["text"]
        assert crmcom.PASSWORD not in str(feed) + str(again)
        assert feed_after_repeat == feed


def _fresh(folder: Path) -> dict[str, Any]:
    return {"storage": {"url": f"sqlite:///{folder / 'fresh.db'}"}}


def test_a_success_takes_the_note_away(upstream: Upstream, tmp_path: Path) -> None:
    """Once a later export has gone well the feed tells of no failure any more."""
    company = new_company()
    wrong = quick_export()
    wrong["connections"]["acme"]["apptivo"] = {"access_key": "changed-in-the-meantime"}
    with running_gateway(configuration(upstream.url, tmp_path, **wrong)) as gateway:
        upstream.fault("apptivo", "delay", seconds=0.7, times=2)
        accepted = gateway.push("acme", company).json()
        finished(gateway, "acme", accepted["export_id"])
        [note] = gateway.feed("acme", accepted["unique_id"]).json()
        assert note["type"] == "note"
    with running_gateway(configuration(upstream.url, tmp_path)) as gateway:
        gateway.push("acme", company)

        feed = gateway.feed("acme", accepted["unique_id"]).json()

        assert feed != []
        assert note["id"] not in {event["id"] for event in feed}
