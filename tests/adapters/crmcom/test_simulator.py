"""The simulated CRM.COM behaves as the documents say, called as anybody would call it."""

from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from adapters.crmcom.models import BULK_ROWS, EVENT_KINDS, set_name
from adapters.crmcom.simulator import ORGANISATION, PASSWORD, PREFIX, USERNAME, simulator
from adapters.serving import serving

UNIT = {"performed_by_unit_identifier": {"name": "Admin Unit"}, "performed_on": "2016-06-22T15:00:00"}
PRODUCT = {"product_identifier": {"code": "Bronze"}, "net_amount": 50, "vat_amount": 0, "total_amount": 50}
ROWS: dict[str, dict[str, Any]] = {
    "achievements": {"classification_identifier": {"name": "Customer Feedback 3"}},
    "purchases": {"reference_number": "RF01", "products_set": [PRODUCT]},
    "referrals": {
        "referred_rewards_participant_identifier": {"number": "RP0000000017"},
        "referred_by_rewards_participant_identifier": {"number": "RP0000000164"},
    },
    "social_media": {"social_media": "FACEBOOK", "profile": "www.facebook.com/polina", "action": "LIKE"},
    "web": {"website": "www.crm.com"},
    "financial_achievements": {"classification_identifier": {"name": "Financial Achievement 1"}},
}


class Caller:
    """Calls one server with a token."""

    def __init__(self, url: str) -> None:
        self.url = url
        credentials = {"username": USERNAME, "password": PASSWORD, "organisation": ORGANISATION}
        self.token = httpx.post(f"{url}{PREFIX}/authentication/token", json=credentials).json()["data"]["token"]

    def post(self, method: str, **body: Any) -> Any:
        """POST with the token in the body."""
        return httpx.post(f"{self.url}{PREFIX}/{method}", json={"token": self.token, **body}).json()

    def get(self, method: str, **query: Any) -> Any:
        """GET with the token in the query."""
        return httpx.get(f"{self.url}{PREFIX}/{method}", params={"token": self.token, **query}).json()


@pytest.fixture
def caller(server: Any) -> Caller:
    return Caller(server.url)


@pytest.fixture
def account(caller: Caller) -> dict[str, str]:
    contact = caller.post("contact_information/create", type="COMPANY", company_name="X")["data"]
    made: dict[str, str] = caller.post(
        "accounts_receivable/create", name="X", account_owner_identifier={"id": contact["id"]}
    )["data"]
    return made


@pytest.mark.parametrize("kind", EVENT_KINDS)
def test_each_kind_of_event_is_created_in_bulk_and_listed(caller: Caller, account: dict[str, str], kind: str) -> None:
    """Rows that fail stand beside rows that were done, under an envelope that says OK (S004)."""
    good = {"request_unique_identifier": "1", "accounts_receivable_identifier": {"number": "ACR0000000164"}}
    rows = [{**UNIT, **ROWS[kind], **good}, {**ROWS[kind], **good, "request_unique_identifier": "2"}]
    reply = caller.post(f"customer_events/bulk/{kind}/create", **{set_name(kind): rows})
    assert reply["status"]["code"] == "OK"
    (done,) = reply["data"]["processed_customer_events_set"]
    (failed,) = reply["data"]["unprocessed_customer_events_set"]
    assert (done["request_unique_identifier"], failed["request_unique_identifier"]) == ("1", "2")
    listed = caller.get(f"customer_events/{kind}/list", accounts_receivable_identifier=f"id={account['id']}")
    assert [row["id"] for row in listed["data"][set_name(kind)]] == [done["id"]]
    shown = caller.get(f"customer_events/{kind}/show", customer_event_identifier=f"id={done['id']}")
    assert shown["data"]["life_cycle_state"] == "POSTED"


def test_a_participant_is_referred_once(caller: Caller, account: dict[str, str]) -> None:
    """The documented code of the second referral (S004)."""
    assert account["number"] == "ACR0000000164"
    row = {**UNIT, **ROWS["referrals"], "request_unique_identifier": "1"}
    reply = caller.post("customer_events/bulk/referrals/create", referral_customer_events_set=[row, row])
    (failed,) = reply["data"]["unprocessed_customer_events_set"]
    assert failed["error_code"] == "ReferredByAnotherParticipantException"


def test_more_than_a_thousand_rows_are_refused(caller: Caller) -> None:
    """The whole call, with HTTP 200."""
    rows: list[dict[str, Any]] = [{}] * (BULK_ROWS + 1)
    reply = caller.post("customer_events/bulk/web/create", web_customer_events_set=rows)
    assert reply["status"]["code"] != "OK"


def test_business_errors_come_with_http_200(server: Any) -> None:
    """The documented code and description of what is not there; a dead token likewise."""
    caller = Caller(server.url)
    missing = caller.get("contact_information/show", contact_information_identifier="number=CI000999")
    assert missing["status"]["code"] == "NotFoundAPIValueException"
    assert missing["status"]["description"].endswith("- Description:The specified API value was not found.")
    server.control("POST", "/_expire")
    assert caller.get("leads/list")["status"]["code"] == "InvalidTokenException"


def test_texts_and_order_vary(caller: Caller) -> None:
    """Both null and "" appear, and both orders of the keys."""
    replies = [caller.post("contact_information/create", type="COMPANY", company_name="X") for _ in range(4)]
    assert {reply["status"]["message"] for reply in replies} == {None, ""}
    assert {tuple(reply) for reply in replies} == {("status", "data"), ("data", "status")}


def test_lists_have_pages_and_fields(caller: Caller) -> None:
    """number_of_results, offset and fields_set are obeyed."""
    for _number in range(3):
        caller.post("contact_information/create", type="COMPANY", company_name="Same")
    query = {"company_name": "same", "number_of_results": 2, "offset": 1, "fields_set": "number"}
    page = caller.get("contact_information/list", **query)
    assert page["data"]["contact_information_set"] == [{"number": "CI000112"}, {"number": "CI000113"}]


def test_a_new_company_has_a_lively_feed_and_shows_without_envelope(start: Any) -> None:
    """The demo customer; leads/show is printed without the envelope."""
    server = start()
    caller = Caller(server.url)
    contact = caller.post("contact_information/create", type="COMPANY", company_name="Demo Oy")["data"]
    leads = caller.get("leads/list", contact_information_identifier=f"id={contact['id']}")["data"]["leads_set"]
    assert len(leads) == 4
    assert caller.get("leads/show", lead_identifier=f"number={leads[0]['number']}")["id"] == leads[0]["id"]


def test_it_works_below_a_prefix() -> None:
    """`gateway simulate` mounts it under /crmcom."""
    with serving(Starlette(routes=[Mount("/crmcom", simulator())])) as url:
        caller = Caller(f"{url}/crmcom")
        assert (
            caller.post("contact_information/create", type="COMPANY", company_name="X")["data"]["number"] == "CI000111"
        )
        assert len(httpx.get(f"{url}/crmcom/_records").json()["contact_information"]) == 1


def test_what_it_does_not_know_is_an_html_404(server: Any) -> None:
    """As an application server answers."""
    reply = httpx.get(f"{server.url}{PREFIX}/spaceships/list")
    assert (reply.status_code, reply.headers["content-type"][:9]) == (404, "text/html")
