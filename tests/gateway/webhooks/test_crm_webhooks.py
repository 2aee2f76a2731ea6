"""Webhooks from CRMs: verified, kept before they are answered, and Vainu's customer data brought up to date."""

import base64
import hmac
import json
import sqlite3
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from standardwebhooks.webhooks import Webhook

from adapters.vainu.samples import samples
from tests.gateway.webhooks.conftest import HEADER, OLD_SECRET, SECRET, customer_data, send
from tests.harness import Gateway, Upstream, wait_until

SYSTEMS = {"acme": "apptivo", "globex": "crmcom"}
COMPANY = {"company_name": "Oy Samlink Ab", "business_id": "FI09704098", "country": "FI"}


def exported(gateway: Gateway, connection: str = "acme", company: dict[str, Any] | None = None) -> str:
    answer = gateway.push(connection, company or COMPANY)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["unique_id"])


def changed(upstream: Upstream, connection: str, customer: str, **change: Any) -> dict[str, Any]:
    answer = upstream.http.post(f"/{SYSTEMS[connection]}/_webhook", json={"customer": customer, **change})
    answer.raise_for_status()
    body: dict[str, Any] = answer.json()["body"]
    return body


def patches(upstream: Upstream) -> int:
    return sum(call["method"] in ("PATCH", "POST") for call in upstream.calls("vainu"))


@pytest.mark.parametrize("connection", ["acme", "globex"])
def test_a_change_in_the_crm_reaches_vainus_customer_data(
    gateway: Gateway, upstream: Upstream, connection: str
) -> None:
    """A genuine webhook answers 202; then Vainu's customer data, made if missing, has the CRM's deal counts and id."""
    unique_id = exported(gateway, connection)
    body = changed(upstream, connection, unique_id, deals={"won": 2, "open": 1})

    answer = send(gateway, body, connection=connection)

    assert answer.status_code == 202
    assert answer.json()["duplicate"] is False
    (row,) = wait_until(lambda: customer_data(upstream), "Vainu has customer data")
    assert row["unique_id"] == unique_id
    assert row["won_deals_count"] >= 2
    assert row["open_deals_count"] >= 1
    assert row["company_info"]["company_name"] == "Oy Samlink Ab"


def test_customer_data_that_the_push_named_is_updated_not_doubled(gateway: Gateway, upstream: Upstream) -> None:
    """Where a push carried Vainu's id, that customer data is the one that is brought up to date."""
    made = upstream.http.post(
        "/vainu/api/v2/customer_data/",
        json={"match_data": {"company_name": "Oy Samlink Ab", "country": "FI"}},
        headers={"API-Key": "fa4e" * 16},
    ).json()
    unique_id = exported(gateway, company={**COMPANY, "id": made["id"]})

    send(gateway, changed(upstream, "acme", unique_id, deals={"won": 1}))

    wait_until(lambda: customer_data(upstream)[0].get("won_deals_count"), "the counts arrive")
    assert [row["id"] for row in customer_data(upstream)] == [made["id"]]


def test_a_repeat_is_told_so_and_not_done_twice(gateway: Gateway, upstream: Upstream) -> None:
    """The same webhook-id answers 200 with the first id and duplicate true; Vainu hears once."""
    body = changed(upstream, "acme", exported(gateway))

    first, again = send(gateway, body), send(gateway, body)

    assert (first.status_code, again.status_code) == (202, 200)
    assert again.json() == {"id": first.json()["id"], "duplicate": True}
    wait_until(lambda: customer_data(upstream), "Vainu has customer data")
    other = send(gateway, body, message_id="msg_2")
    assert (other.status_code, other.json()["duplicate"]) == (202, False)


def test_without_an_id_the_same_body_is_a_repeat(gateway: Gateway) -> None:
    """Where the scheme has no message id and the body no event id, an equal body within the window is a repeat."""
    body = b'{"customerId": 1090590}'
    proof = {HEADER["header"]: "sha256=" + hmac.new(b"plain-secret", body, "sha256").hexdigest()}

    answers = [
        httpx.post(f"{gateway.url}/crm/acme/webhooks", content=body, headers=proof, trust_env=False) for _ in range(2)
    ]

    assert [answer.status_code for answer in answers] == [202, 200]


def test_any_proof_that_matches_admits(gateway: Gateway) -> None:
    """The old secret of a rotation, an API key of the webhooks, and the reference implementation's signature admit."""
    body = b'{"customerId": 7}'
    now = datetime.fromtimestamp(int(time.time()), UTC)
    peer = Webhook(SECRET).sign("msg_peer", now, body.decode())
    by_peer = {"webhook-id": "msg_peer", "webhook-timestamp": str(int(now.timestamp())), "webhook-signature": peer}

    answers = [
        send(gateway, body, message_id="msg_old", secret=OLD_SECRET),
        httpx.post(
            f"{gateway.url}/crm/acme/webhooks", content=body, headers={"API-Key": "webhook-api-key"}, trust_env=False
        ),
        httpx.post(f"{gateway.url}/crm/acme/webhooks", content=body, headers=by_peer, trust_env=False),
    ]

    assert [answer.status_code for answer in answers] == [202, 202, 202]


@pytest.mark.parametrize(
    ("case", "changes"),
    [
        ("missing", {"webhook_signature": ""}),
        ("malformed", {"webhook_signature": "v1;AAAA"}),
        ("not base64", {"webhook_signature": "v1,%%%%"}),
        ("another version", {"webhook_signature": "v2,AAAA"}),
        ("wrong", {"webhook_signature": "v1," + base64.b64encode(b"0" * 32).decode()}),
        ("another id", {"webhook_id": "msg_other"}),
        ("no number", {"webhook_timestamp": "soon"}),
        ("negative", {"webhook_timestamp": "-1"}),
    ],
)
def test_a_bad_signature_is_401(gateway: Gateway, case: str, changes: dict[str, str]) -> None:
    """A signature that is missing, malformed or wrong answers 401 with a challenge, and nothing is kept."""
    answer = send(gateway, {"customerId": 1}, **changes)

    assert answer.status_code == 401, case
    assert "www-authenticate" in answer.headers


@pytest.mark.parametrize("seconds", [-301, 301])
def test_a_stale_timestamp_is_401(gateway: Gateway, seconds: int) -> None:
    """A right signature whose time lies beyond the tolerance, either way, answers 401."""
    answer = send(gateway, {"customerId": 1}, at=int(time.time()) + seconds + (5 if seconds > 0 else -5))

    assert answer.status_code == 401


def test_an_unknown_connection_answers_as_a_wrong_signature_does(gateway: Gateway) -> None:
    """Nobody can tell from the answer whether a connection exists."""
    unknown = send(gateway, {"customerId": 1}, connection="nobody")
    wrong = send(gateway, {"customerId": 1}, secret="whsec_" + base64.b64encode(b"wrong").decode())

    bodies = [
        {key: value for key, value in answer.json().items() if key != "request_id"} for answer in (unknown, wrong)
    ]
    assert (unknown.status_code, wrong.status_code) == (401, 401)
    assert bodies[0] == bodies[1]


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature", "X-Signature"])
def test_a_proof_header_that_comes_twice_is_400(gateway: Gateway, name: str) -> None:
    """Which of two would count? Nobody knows, so neither does."""
    headers = [("Content-Type", "application/json"), (name, "1"), (name, "2")]

    answer = httpx.post(f"{gateway.url}/crm/acme/webhooks", content=b"{}", headers=headers, trust_env=False)

    assert answer.status_code == 400


def test_an_event_that_needs_no_action_is_kept_and_ignored(gateway: Gateway, tmp_path: Path) -> None:
    """A genuine event of an unknown kind answers 202 and is kept, marked ignored, with its body."""
    body = b'{"event": "invoice.paid", "invoice": {"id": 9}}'

    answer = send(gateway, body)

    with sqlite3.connect(tmp_path / "gateway.db") as store:
        row = store.execute("SELECT state, reason, payload FROM deliveries").fetchone()
    assert answer.status_code == 202
    assert row == ("ignored", "unknown_event", body)


def test_a_body_about_many_customers_is_kept_once(gateway: Gateway, tmp_path: Path) -> None:
    """Each of them gets work of its own; the body, which may be large, lies with the first."""
    body = json.dumps([{"customerId": number, "pad": "x" * 500} for number in range(1, 201)]).encode()

    answer = send(gateway, body)

    with sqlite3.connect(tmp_path / "gateway.db") as store:
        rows = store.execute("SELECT subject, payload FROM deliveries ORDER BY id").fetchall()
    first = answer.json()["id"]
    assert [subject for subject, _payload in rows] == [str(number) for number in range(1, 201)]
    assert rows[0][1] == body
    assert json.loads(rows[199][1]) == {"record": "200", "in_the_body_of": first}


def test_genuine_but_not_json_is_400(gateway: Gateway) -> None:
    """A right signature over something that is no JSON is the sender's fault, and told so."""
    assert send(gateway, b"<xml/>").status_code == 400


def test_a_burst_about_one_record_becomes_few_updates(gateway: Gateway, upstream: Upstream) -> None:
    """Thirty events of one record while Vainu is slow become a few updates, the last of them after the last event."""
    unique_id = exported(gateway)
    upstream.fault("vainu", "delay", seconds=0.2)

    for number in range(30):
        answer = send(gateway, {"customerId": int(unique_id), "n": number}, message_id=f"burst_{number}")
        assert answer.status_code == 202
    body = changed(upstream, "acme", unique_id, deals={"won": 5})
    send(gateway, body, message_id="last")

    wait_until(lambda: any(row.get("won_deals_count", 0) >= 5 for row in customer_data(upstream)), "the last arrives")
    assert patches(upstream) <= 8


def test_a_list_of_records_updates_each(gateway: Gateway, upstream: Upstream) -> None:
    """A webhook about several customers is one for its sender, and a delivery for each of them."""
    one = exported(gateway)
    other = exported(gateway, company=samples()["vainu_finland"].push_body())

    answer = send(gateway, [{"customerId": int(one)}, {"customerId": int(other)}])

    assert answer.status_code == 202
    wait_until(lambda: {row["unique_id"] for row in customer_data(upstream)} == {one, other}, "both arrive")


def test_vainu_down_is_retried_until_it_is_back(gateway: Gateway, upstream: Upstream) -> None:
    """Faults of Vainu delay the update; they do not lose it."""
    unique_id = exported(gateway)
    upstream.fault("vainu", "503", times=3)

    assert send(gateway, {"customerId": int(unique_id)}).status_code == 202

    wait_until(lambda: customer_data(upstream), "the update arrives after the faults")


def test_what_cannot_be_kept_is_503(gateway: Gateway, tmp_path: Path) -> None:
    """While the store is locked a webhook answers 503 and Retry-After; once it is free, without a restart, 202."""
    holder = sqlite3.connect(tmp_path / "gateway.db", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    try:
        locked = send(gateway, {"customerId": 1})
    finally:
        holder.execute("ROLLBACK")
        holder.close()
    free = send(gateway, {"customerId": 1})

    assert (locked.status_code, free.status_code) == (503, 202)
    assert int(locked.headers["retry-after"]) >= 1
