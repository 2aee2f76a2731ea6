"""`GET /vainu/{connection}/records/{unique_id}`: a link from Vainu's card to the CRM's page of the customer."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from adapters.vainu.samples import samples
from tests.gateway.http.problems import problem
from tests.gateway.http.wire import exchange, request
from tests.harness import Gateway, Upstream, client, configuration, running_gateway, running_upstream, wait_until

PAGE = "https://app.apptivo.com/customers/"


@pytest.fixture(scope="module")
def upstreams() -> Iterator[Upstream]:
    with running_upstream() as running:
        yield running


@pytest.fixture(scope="module")
def hasty(upstreams: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway that accepts soon, called without any credentials."""
    folder: Path = tmp_path_factory.mktemp("records")
    document = configuration(upstreams.url, folder, connections={"acme": {"export": {"budget_ms": 400}}})
    with running_gateway(document) as gateway:
        yield gateway


def visit(gateway: Gateway, unique_id: str, connection: str = "acme") -> httpx.Response:
    """As a person's browser does: no credentials."""
    with client(gateway.url, headers={}) as browser:
        return browser.get(f"/vainu/{connection}/records/{unique_id}")


def test_the_page_of_an_exported_customer(hasty: Gateway) -> None:
    """302 to the CRM's page, without credentials; nothing else is told, and nothing is kept by caches."""
    unique_id = hasty.push("acme", samples()["samlink"].push_body()).json()["unique_id"]
    answer = visit(hasty, unique_id)
    assert answer.status_code == 302
    assert answer.headers["location"] == f"{PAGE}{unique_id}"
    assert answer.content == b""
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-request-id"]


def test_an_id_of_ours_leads_to_the_page_once_there_is_one(hasty: Gateway, upstreams: Upstream) -> None:
    """A gw_ id whose export is not finished is 404; afterwards both ids lead to the same page."""
    upstreams.fault("apptivo", "503")
    pushed = hasty.push("acme", {"company_name": "Pending Oy", "domain": "pending.example.com"}).json()
    assert (pushed["status"], pushed["unique_id"][:3]) == ("accepted", "gw_")
    problem(visit(hasty, pushed["unique_id"]), 404)
    upstreams.heal("apptivo")
    wait_until(lambda: hasty.standing("acme", pushed["export_id"])["status"] == "created", "the export is done")
    record_id = hasty.standing("acme", pushed["export_id"])["unique_id"]
    pages = [visit(hasty, unique_id).headers["location"] for unique_id in (pushed["unique_id"], record_id)]
    assert pages == [f"{PAGE}{record_id}"] * 2


def test_a_customer_of_the_crm_that_was_never_exported(hasty: Gateway, upstreams: Upstream) -> None:
    """The CRM's own ids lead to its pages, without a question to the CRM: nobody learns whether there is one."""
    before = upstreams.calls("apptivo")
    assert visit(hasty, "987654321").headers["location"] == f"{PAGE}987654321"
    assert upstreams.calls("apptivo") == before


@pytest.mark.parametrize(
    ("connection", "unique_id"),
    [("nobody", "1"), ("acme", "gw_nobody"), ("globex", "1"), ("ACME", "1"), ("acme", "a" * 129)],
)
def test_no_page(hasty: Gateway, connection: str, unique_id: str) -> None:
    """An unknown connection, an unknown id of ours, a CRM without pages, an impossible id: 404."""
    problem(visit(hasty, unique_id, connection), 404)


@pytest.mark.parametrize(
    "unique_id",
    [
        "%2F%2Fevil.example.com",
        "//evil.example.com",
        "..",
        "..%2F..%2Fadmin",
        "https:%2F%2Fevil.example.com",
        "a%0d%0aLocation:%20https:%2F%2Fevil.example.com",
        "a%0aSet-Cookie:%20a=b",
        "%5C%5Cevil.example.com",
        "@evil.example.com",
        "%40evil.example.com",
        "1%3Fnext=evil",
        "1%23evil",
        "%3Cscript%3E",
        "1%00",
        "",
    ],
)
def test_no_way_to_another_place(hasty: Gateway, unique_id: str) -> None:
    """Nothing in an id leads anywhere but to the page of a customer: 404 without a Location."""
    answer = exchange(hasty.url, request("GET", f"/vainu/acme/records/{unique_id}"))
    problem(answer, 404)
    assert answer is not None
    assert not {"location", "set-cookie"} & answer.headers.keys()
    assert "evil" not in json.dumps(answer.headers)
