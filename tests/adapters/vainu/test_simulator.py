"""The Vainu simulator as Vainu's documents describe the API, called over real HTTP."""

from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from adapters.serving import serving
from adapters.vainu.samples import samples
from adapters.vainu.simulator import FAKE_API_KEY, FAKE_PASSWORD, FAKE_USERNAME, simulator

VAINU_V2 = {"match_data": {"company_name": "Vainu Finland Oy", "business_id": "2822996-6", "country": "FI"}}


@pytest.fixture(scope="module")
def served() -> Iterator[httpx.Client]:
    with (
        serving(simulator(rows_per_poll=2)) as url,
        httpx.Client(base_url=url, headers={"API-Key": FAKE_API_KEY}, trust_env=False) as client,
    ):
        yield client


@pytest.fixture
def vainu(served: httpx.Client) -> httpx.Client:
    served.post("/_reset")
    return served


def unmatched(vainu: httpx.Client, **fields: Any) -> str:
    reply = vainu.post("/api/v2/customer_data/", json={"match_data": {"company_name": "Nobody Oy"}, **fields})
    assert reply.status_code == 200
    return str(reply.json()["id"])


def ids(reply: httpx.Response) -> list[str]:
    assert reply.status_code == 200
    return [row["unique_id"] for row in reply.json()["results"]]


def test_v2_creates_in_the_company_spelling(vainu: httpx.Client) -> None:
    """S000's sample reply: 200, company_vid and company_info, times without Z, last_update a date."""
    sent = {"unique_id": "f39a1a59", "won_deals_count": 2, "last_update": "2018-06-08"}
    reply = vainu.post("/api/v2/customer_data/", json={**VAINU_V2, **sent})
    made = reply.json()
    assert reply.status_code == 200
    assert sent == {key: made[key] for key in sent}
    assert (made["won"], made["origin"], made["company_vid"]) == (True, "customerDataApi", 463880794)
    assert {"vid", "company_name", "business_id", "country", "domain"} == set(made["company_info"])
    assert made["company_info"]["business_id"] == "28229966"
    assert VAINU_V2["match_data"] == made["match_data"]
    assert not made["created"].endswith("Z")
    assert "prospect" not in made


def test_v1_creates_in_the_prospect_spelling(vainu: httpx.Client) -> None:
    """S001's sample reply: prospect and prospect_info, times with Z, last_update a date-time."""
    sent = {"last_update": "2018-06-08T12:30:39.923Z", "business_id": "2822996-6", "country": "FI"}
    made = vainu.post("/api/v1/customer_data/", json=sent).json()
    assert (made["origin"], made["prospect"], made["won"]) == ("PublicApi", 463880794, False)
    assert (made["prospect_info"]["business_id"], made["last_update"]) == ("2822996-6", "2018-06-08T12:30:39.923Z")
    assert made["created"].endswith("Z")
    assert "company_vid" not in made


def test_v2_lists_in_the_prospect_spelling(vainu: httpx.Client) -> None:
    """S000's own list sample shows v1's keys; a single object shows v2's."""
    made = vainu.post("/api/v2/customer_data/", json=VAINU_V2).json()
    (row,) = vainu.get("/api/v2/customer_data/").json()["results"]
    assert (463880794, made["id"]) == (row["prospect"], row["id"])
    assert "company_info" not in row
    assert "company_info" in vainu.get(f"/api/v2/customer_data/{made['id']}/").json()


@pytest.mark.parametrize(
    ("match", "vid"),
    [
        ({"vid": 253870, "business_id": "2822996-6"}, 253870),
        ({"business_id": "09704098", "exact_name": "Vainu Finland Oy"}, 253870),
        ({"business_id": "FI09704098", "country": "FI"}, 253870),
        ({"exact_name": "vainu finland oy"}, 463880794),
        ({"normalize_name": "vainu", "country": "fi"}, 463880794),
        ({"exact_name": "Oy Samlink Ab", "city": "Espoo"}, 253870),
    ],
)
def test_v1_matches_by_the_first_parameter_given(vainu: httpx.Client, match: dict[str, Any], vid: int) -> None:
    """S001's order: vid, business_id, exact_name, normalize_name; country and city narrow."""
    assert vid == vainu.post("/api/v1/customer_data/", json=match).json()["prospect"]


@pytest.mark.parametrize(
    ("match", "error"),
    [
        ({"unique_id": "x"}, "MATCH_PARAMETER_MISSING"),
        ({"exact_name": "Nobody Oy"}, "MATCH_NOT_FOUND"),
        ({"business_id": "324-123"}, "INVALID_BUSINESSID"),
        ({"business_id": "2822996-6", "country": "SE"}, "MATCH_NOT_FOUND"),
        ({"exact_name": "VAINU INC."}, "MULTIPLE_POSSIBLE_MATCHES"),
        ({"exact_name": "Oy Samlink Ab", "city": "Oulu"}, "MATCH_NOT_FOUND"),
    ],
)
def test_v1_refuses_what_does_not_match_one_company(vainu: httpx.Client, match: dict[str, Any], error: str) -> None:
    """400, and nothing is kept."""
    reply = vainu.post("/api/v1/customer_data/", json=match)
    assert (400, error) == (reply.status_code, reply.json()["error"])
    assert vainu.get("/api/v1/customer_data/").json()["total_results"] == 0


def test_several_possible_matches_are_listed(vainu: httpx.Client) -> None:
    """S001's sample: "vainu" is three companies."""
    body = vainu.post("/api/v1/customer_data/", json={"normalize_name": "vainu"}).json()
    assert (body["number_of_matches"], body["max_number_of_matches_shown"]) == (3, 100)
    assert {605731521, 463880794, 339608722} == {match["vid"] for match in body["possible_matches"]}


def test_one_object_per_company(vainu: httpx.Client) -> None:
    """The second create is a 409 in both versions and names the first."""
    first = vainu.post("/api/v2/customer_data/", json=VAINU_V2).json()["id"]
    for version, body in ((1, {"vid": 463880794}), (2, VAINU_V2)):
        reply = vainu.post(f"/api/v{version}/customer_data/", json=body)
        assert (reply.status_code, reply.json()["error"]) == (409, "MATCH_ALREADY_EXISTS")
        assert first == reply.json()["existing_id"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("won_deals_count=1", ["b"]),
        ("won_deals_count__gt=0", ["b", "c"]),
        ("won_deals_count__gte=1&won_deals_count__lt=2", ["b"]),
        ("won_deals_count__lte=1", ["a", "b"]),
        ("won_deals_count__ne=1", ["a", "c", "d"]),
        ("won=true", ["b", "c"]),
        ("won=false", ["a", "d"]),
        ("unique_id=c", ["c"]),
        ("owner_email=a@x.example", ["a"]),
        ("last_update__gte=2024-02-01", ["b", "c"]),
        ("last_update=2024-02-01", ["b"]),
        ("prospect=-1", ["a", "b", "c", "d"]),
        ("ordering=-won_deals_count", ["c", "b", "a", "d"]),
        ("ordering=won_deals_count", ["d", "a", "b", "c"]),
        ("ordering=unique_id&page_size=2&page=2", ["c", "d"]),
    ],
)
def test_filters_suffixes_ordering_and_paging(vainu: httpx.Client, query: str, expected: list[str]) -> None:
    """S001 "Query parameters" and S000 "Filtering"; an object without the value passes only `__ne`."""
    unmatched(vainu, unique_id="a", won_deals_count=0, owner_email="a@x.example", last_update="2024-01-01")
    unmatched(vainu, unique_id="b", won_deals_count=1, last_update="2024-02-01")
    unmatched(vainu, unique_id="c", won_deals_count=2, last_update="2024-03-01")
    unmatched(vainu, unique_id="d")
    assert expected == ids(vainu.get(f"/api/v2/customer_data/?{query}"))


@pytest.mark.parametrize(
    "query",
    [
        "foo=1",
        "won_deals_count=many",
        "won_deals_count__near=1",
        "won=maybe",
        "page=0",
        "page_size=x",
        "ordering=notes",
    ],
)
@pytest.mark.parametrize("method", ["GET", "PATCH"])
def test_an_invalid_query_is_refused(vainu: httpx.Client, query: str, method: str) -> None:
    """400 "Invalid query", before anything is touched."""
    unmatched(vainu, unique_id="a")
    reply = vainu.request(
        method, f"/api/v1/customer_data/?{query}", json={"unique_id": "z"} if method == "PATCH" else None
    )
    assert reply.status_code == 400
    assert ids(vainu.get("/api/v1/customer_data/")) == ["a"]


def test_pages_link_to_their_neighbours_without_the_filters(vainu: httpx.Client) -> None:
    """The documents' own sample link drops filters and page_size: a reader counts `page` up itself."""
    for name in "abc":
        unmatched(vainu, unique_id=name)
    page = vainu.get("/api/v2/customer_data/?prospect=-1&page_size=1&page=2").json()
    assert page["total_results"] == 3
    assert str(page["next_page"]).endswith("/api/v2/customer_data/?page=3")
    assert str(page["prev_page"]).endswith("/api/v2/customer_data/?page=1")
    last = vainu.get("/api/v2/customer_data/?page_size=1&page=3").json()
    assert last["next_page"] is None
    assert vainu.get("/api/v2/customer_data/?page_size=1&page=4").status_code == 404


def test_a_page_holds_100_by_default_and_500_at_most(vainu: httpx.Client) -> None:
    """S001 "Pagination"."""
    for _ in range(501):
        unmatched(vainu, unique_id="x")
    assert len(ids(vainu.get("/api/v1/customer_data/"))) == 100
    assert len(ids(vainu.get("/api/v1/customer_data/?page_size=1000"))) == 500


def test_a_patch_without_a_filter_really_modifies_everything(vainu: httpx.Client) -> None:
    """S001's warning is true here, so that a client which does it is caught."""
    for name in "ab":
        unmatched(vainu, unique_id=name)
    reply = vainu.patch("/api/v2/customer_data/", json={"unique_id": "z", **VAINU_V2})
    assert ids(reply) == ["z", "z"]
    assert {-1} == {row["prospect"] for row in reply.json()["results"]}


def test_a_bulk_patch_answers_what_the_query_finds_afterwards(vainu: httpx.Client) -> None:
    """S001: objects that no longer fit the query are changed, but not shown."""
    unmatched(vainu, unique_id="a", open_deals_count=1)
    unmatched(vainu, unique_id="b", open_deals_count=2)
    assert ids(vainu.patch("/api/v1/customer_data/?open_deals_count=1", json={"open_deals_count": 5})) == []
    assert ids(vainu.get("/api/v1/customer_data/?open_deals_count=5")) == ["a"]


def test_a_delete_takes_what_the_query_finds_and_without_one_everything(vainu: httpx.Client) -> None:
    """S001: `{"deleted": n}`, with the same warning."""
    for name in "abc":
        unmatched(vainu, unique_id=name)
    assert vainu.delete("/api/v1/customer_data/?unique_id=b").json() == {"deleted": 1}
    assert vainu.delete("/api/v2/customer_data/").json() == {"deleted": 2}


def test_one_object_is_patched_and_deleted_by_its_id(vainu: httpx.Client) -> None:
    """v1 answers a PATCH without a body, v2 with the object; a deleted object is not found."""
    one, other = unmatched(vainu, unique_id="a"), unmatched(vainu, unique_id="b")
    patched = vainu.patch(f"/api/v1/customer_data/{one}/", json={"won_deals_count": 3})
    assert (patched.status_code, patched.content) == (200, b"")
    assert vainu.patch(f"/api/v2/customer_data/{one}/", json={"notes": "n"}).json()["won"] is True
    assert vainu.delete(f"/api/v1/customer_data/{one}/").status_code == 200
    for method in ("GET", "PATCH", "DELETE"):
        reply = vainu.request(method, f"/api/v2/customer_data/{one}/", json={} if method == "PATCH" else None)
        assert (reply.status_code, reply.json()) == (404, {"detail": "Not found"})
    assert vainu.get(f"/api/v2/customer_data/{other}/").json()["unique_id"] == "b"


def test_a_patch_with_match_parameters_matches_anew(vainu: httpx.Client) -> None:
    """S001: to another company, with the same refusals as a create."""
    one = unmatched(vainu)
    assert vainu.patch(f"/api/v2/customer_data/{one}/", json=VAINU_V2).json()["company_vid"] == 463880794
    assert vainu.patch(f"/api/v1/customer_data/{one}/", json={"vid": 463880794}).status_code == 200
    assert vainu.patch(f"/api/v1/customer_data/{one}/", json={"exact_name": "Nobody Oy"}).status_code == 400
    assert vainu.patch(f"/api/v1/customer_data/{unmatched(vainu)}/", json={"vid": 463880794}).status_code == 409


@pytest.mark.parametrize(
    "body",
    ['{"won_deals_count": "two"}', '{"won_deals_count": true}', '{"notes": 1}', '{"last_update": "today"}', "[", "[]"],
)
def test_a_body_of_a_wrong_type_is_refused(vainu: httpx.Client, body: str) -> None:
    """400, and the object stays as it was."""
    one = unmatched(vainu, notes="kept")
    assert vainu.patch(f"/api/v2/customer_data/{one}/", content=body).status_code == 400
    assert vainu.get(f"/api/v2/customer_data/{one}/").json()["notes"] == "kept"


def test_credentials_are_a_key_or_the_login(vainu: httpx.Client) -> None:
    """Header API-Key or Basic; 401 otherwise, 403 where the API is not enabled."""
    login = b64encode(f"{FAKE_USERNAME}:{FAKE_PASSWORD}".encode()).decode()
    url = f"{str(vainu.base_url).rstrip('/')}/api/v2/customer_data/"
    given: list[tuple[dict[str, str], int]] = [
        ({"API-Key": FAKE_API_KEY}, 200),
        ({"Authorization": f"Basic {login}"}, 200),
        ({"API-Key": "0" * 64}, 401),
        ({"Authorization": "Basic !"}, 401),
        ({"Authorization": f"Bearer {FAKE_API_KEY}"}, 401),
        ({}, 401),
    ]
    assert [status for _, status in given] == [
        httpx.get(url, headers=headers, trust_env=False).status_code for headers, _ in given
    ]
    with serving(simulator(api_enabled=False)) as other:
        address = f"{other}/api/v1/customer_data/"
        assert httpx.get(address, headers={"API-Key": FAKE_API_KEY}, trust_env=False).status_code == 403


def test_a_batch_goes_on_with_every_look_and_tells_each_row(vainu: httpx.Client) -> None:
    """S001 async_result: process, then completed, one row each with its outcome; one job at a time."""
    rows = [
        {"vid": 463880794},
        {"exact_name": "Vainu Finland Oy"},
        {"business_id": "324-123"},
        {"normalize_name": "vainu"},
    ]
    started = vainu.post("/api/v1/customer_data/", json=rows).json()
    assert (started["state"], started["progress"]) == ("process", 0)
    assert vainu.post("/api/v1/customer_data/", json=rows).status_code == 409
    half = vainu.get(started["link"]).json()
    assert (half["state"], half["progress"], len(half["results"])) == ("process", 50, 2)
    done = vainu.get(started["link"]).json()
    assert (done["state"], done["progress"]) == ("completed", 100)
    assert isinstance(done["duration"], str)
    outcomes = [None, "MATCH_ALREADY_EXISTS", "INVALID_BUSINESSID", "MULTIPLE_POSSIBLE_MATCHES"]
    assert outcomes == [row["error"] for row in done["results"]]
    assert done["results"][0]["id"] == done["results"][1]["existing_id"]
    assert done["results"][0]["matched_prospect"]["vid"] == 463880794


def test_a_batch_is_stopped(vainu: httpx.Client) -> None:
    """S001: DELETE gives the state "stopped"; then another may start; an unknown job is 404."""
    rows = [{"vid": 463880794}, {"vid": 253870}, {"vid": 1}, "no object"]
    link = vainu.post("/api/v1/customer_data/", json=rows).json()["link"]
    vainu.get(link)
    stopped = vainu.delete(link).json()
    assert (stopped["state"], stopped["progress"], "duration" in stopped) == ("stopped", 50, False)
    assert stopped == vainu.get(link).json()
    assert vainu.post("/api/v1/customer_data/", json=[]).status_code == 200
    for method in ("GET", "DELETE"):
        assert vainu.request(method, "/api/v1/async_result/batch-import/none/").status_code == 404


def test_prospects_are_shown_as_in_the_document(vainu: httpx.Client) -> None:
    """S001's sample company, with and without the country's prefix, whole and in parts."""
    whole = vainu.get("/api/v1/prospect/FI09704098/all/").json()
    assert (whole["company_name"], whole["turn_over"], whole["staff_number"]) == ("Oy Samlink Ab", "93116557.0", "399")
    basic = vainu.get("/api/v1/prospect/09704098/").json()
    assert basic["registration_date"] == "1994-6-8"
    assert "contacts" not in basic
    assert vainu.get("/api/v1/prospect/FI09704098/contacts/").json()[0]["title"] == "CTO"
    assert vainu.get("/api/v1/prospect/FI09704098/financial_statements/").json()[0]["staff_number"] == 111
    assert "title" in vainu.get("/api/v1/prospect/FI09704098/leads/").json()[0]


@pytest.mark.parametrize("path", ["prospect/FI1/", "prospect/SE09704098/all/", "prospect/FI09704098/cousins/"])
def test_unknown_prospects_and_parts_are_not_found(vainu: httpx.Client, path: str) -> None:
    """404 with S001's body."""
    reply = vainu.get(f"/api/v1/{path}")
    assert (reply.status_code, reply.json()) == (404, {"detail": "Not found"})


def test_a_version_has_only_its_own_paths(vainu: httpx.Client) -> None:
    """There is no v3 of customer data, and prospects are v1's."""
    assert vainu.get("/api/v3/customer_data/").status_code == 404
    assert vainu.get("/api/v2/prospect/FI09704098/").status_code == 404


def test_reset_forgets_and_records_show_everything(vainu: httpx.Client) -> None:
    """The control paths of every simulator."""
    unmatched(vainu, unique_id="a")
    assert [row["unique_id"] for row in vainu.get("/_records").json()["customer_data"]] == ["a"]
    vainu.post("/_reset")
    records = vainu.get("/_records").json()
    assert records["customer_data"] == []
    assert len(samples()) == len(records["companies"])


def test_links_lead_back_through_the_prefix_it_is_mounted_under() -> None:
    """`gateway simulate` mounts it under /vainu."""
    with (
        serving(Starlette(routes=[Mount("/vainu", app=simulator())])) as url,
        httpx.Client(base_url=url, headers={"API-Key": FAKE_API_KEY}, trust_env=False) as client,
    ):
        for vid in (253870, 463880794):
            client.post("/vainu/api/v1/customer_data/", json={"vid": vid})
        page = client.get("/vainu/api/v1/customer_data/?page_size=1").json()
        assert len(client.get(page["next_page"] + "&page_size=1").json()["results"]) == 1
        link = client.post("/vainu/api/v1/customer_data/", json=[{"vid": 605731521}]).json()["link"]
        assert client.get(link).json()["state"] == "completed"
