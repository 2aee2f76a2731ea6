"""Customer data as the documents print it: each reply here is copied in form from a sample of S000 or S001."""

from typing import Any

import pytest

from adapters.contract import Refused, RemoteError, UnexpectedReply
from adapters.serving import serving
from adapters.vainu import CompanyInfo, CustomerData, CustomerDataQuery, Filter
from tests.adapters.vainu.served import VAINU, all_of, answering, soon, use

V2_OBJECT: dict[str, Any] = {
    "owner_email": "[email protected]",
    "origin": "customerDataApi",
    "unique_id": "f39a1a59",
    "won": True,
    "won_deals_count": 2,
    "open_deals_count": 1,
    "lost_deals_count": 0,
    "notes": "string",
    "last_update": "2018-06-08",
    "modified": "2020-08-06T12:08:03.220",
    "created": "2020-08-06T12:08:03.219",
    "company_info": {
        "country": "FI",
        "domain": "vainu.com",
        "company_name": "Vainu Finland Oy",
        "vid": 463880794,
        "business_id": "28229966",
    },
    "id": "5f2bf2a35f171f0b0b0041cf",
    "company_vid": 463880794,
    "match_data": {"country": "FI", "company_name": "Vainu Finland Oy", "business_id": "2822996-6"},
}
"""S000, "Creating customer data objects"."""
V2_LIST: dict[str, Any] = {
    "total_results": 1,
    "next_page": "https://api.vainu.io/api/v2/customer_data/?page=2",
    "prev_page": None,
    "results": [
        {
            "won": True,
            "origin": "PublicApi",
            "modified": "2018-06-09T12:30:39.923Z",
            "created": "2018-06-09T12:20:21.341Z",
            "prospect_info": {
                "vid": 463880794,
                "company_name": "Vainu Finland Oy",
                "business_id": "2822996-6",
                "country": "FI",
                "domain": "vainu.io",
            },
            "id": "2b1961522a6e7f19c3e5ac08",
            "prospect": 463880794,
        }
    ],
}
"""S000, "Order": one result, and all the same a next page."""
V1_OBJECT: dict[str, Any] = V2_LIST["results"][0] | {
    "owner_email": "example@vainu.io",
    "unique_id": "f39a1a59",
    "won_deals_count": 2,
    "open_deals_count": 1,
    "lost_deals_count": 0,
    "notes": "string",
    "last_update": "2018-06-08T12:30:39.923Z",
}
"""S001, POST /customer_data/."""


@pytest.mark.parametrize(
    ("version", "reply", "origin"), [(2, V2_OBJECT, "customerDataApi"), (1, V1_OBJECT, "PublicApi")]
)
def test_a_created_object_is_read_in_each_versions_spelling(version: int, reply: Any, origin: str) -> None:
    """company_vid and company_info, or prospect and prospect_info: the same value."""
    with serving(answering(reply)) as url:
        made = use(url, lambda client: client.customer_data.create(VAINU, {}, soon()), version)
    assert (made.id, made.vid, made.origin) == (reply["id"], 463880794, origin)
    assert made.company is not None
    assert made.company.business_id in ("28229966", "2822996-6")
    assert (made.won, made.won_deals_count, made.open_deals_count, made.lost_deals_count) == (True, 2, 1, 0)
    assert (made.unique_id, made.last_update) == ("f39a1a59", reply["last_update"])
    assert made.document == reply


def test_an_unmatched_object_has_no_company() -> None:
    """S000, "Unmatched customer data": company_vid -1, company_info null."""
    unmatched = V2_OBJECT | {"company_vid": -1, "company_info": None}
    with serving(answering(unmatched)) as url:
        made = use(url, lambda client: client.customer_data.create(VAINU, {}, soon()))
    assert (made.vid, made.company) == (None, None)


def test_v2s_list_is_read_in_v1s_spelling() -> None:
    """S000's list sample names prospect and prospect_info, though it is v2's."""
    query = CustomerDataQuery((Filter("won_deals_count", 1, "gte"),), "won_deals_count", descending=True)
    with serving(answering(V2_LIST)) as url:
        page = use(url, lambda client: client.customer_data.page(1, query, soon()))
    company = CompanyInfo(463880794, "Vainu Finland Oy", "2822996-6", "FI", "vainu.io")
    (row,) = page.results
    assert (page.total, page.is_last, row.vid, row.company) == (1, False, 463880794, company)


def test_a_promised_page_that_repeats_the_only_one_ends_the_list() -> None:
    """S000's sample names a next page although it shows all there is: nothing comes twice."""
    with serving(answering(V2_LIST)) as url:
        found = use(url, lambda client: all_of(client.customer_data.stream(soon())))
    assert [each.id for each in found] == ["2b1961522a6e7f19c3e5ac08"]


@pytest.mark.parametrize("reply", [None, {}, V2_OBJECT])
def test_a_patch_is_done_whatever_of_these_it_answers(reply: Any) -> None:
    """S001 gives the answer no schema, S000 none at all."""
    with serving(answering(reply)) as url:
        patched = use(url, lambda client: client.customer_data.patch(V2_OBJECT["id"], {"notes": "x"}, soon()))
    assert isinstance(patched, CustomerData) == bool(reply)


@pytest.mark.parametrize("reply", [None, {}, {"deleted": 1}])
def test_a_delete_is_done_whatever_of_these_it_answers(reply: Any) -> None:
    """S001 gives the answer of a DELETE by id no schema; that of the bulk one counts."""
    with serving(answering(reply)) as url:
        use(url, lambda client: client.customer_data.delete(V2_OBJECT["id"], soon()))


@pytest.mark.parametrize("reply", [{"deleted": 2}, {"deleted": 0}, "done", {"hello": "world"}])
def test_a_delete_that_answers_something_else_is_told(reply: Any) -> None:
    """Above all one that deleted more than was asked for."""
    with serving(answering(reply)) as url, pytest.raises(UnexpectedReply):
        use(url, lambda client: client.customer_data.delete(V2_OBJECT["id"], soon()))


@pytest.mark.parametrize("status", [401, 403, 404, 500])
def test_the_documents_list_of_statuses_is_an_error_each(status: int) -> None:
    """S001, "Status codes": with its body of a 404, and none for the others."""
    body = {"detail": "Not found"} if status == 404 else None
    with serving(answering(body, status)) as url, pytest.raises(RemoteError, match=str(status)) as caught:
        use(url, lambda client: client.customer_data.get("a1", soon(1)))
    assert isinstance(caught.value, Refused) == (status < 500)
