"""The refusal table of CONTRACT section 4, row by row, over real HTTP."""

import json
from typing import Any

import httpx
import pytest

from adapters.vainu.samples import samples
from tests.gateway.http.conftest import MAX_BODY, World
from tests.gateway.http.problems import problem
from tests.harness import KEY, client

EXPORTS = "/vainu/acme/exports"
FEED = "/vainu/acme/activities/nobody"
COMPANY = json.dumps(samples()["samlink"].push_body()).encode()


def post(world: World, body: bytes, **options: Any) -> httpx.Response:
    return world.gateway.http.post(EXPORTS, content=body, **options)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"  \r\n",
        b"not json",
        b'{"company_name": "A"',
        b'{"company_name": "A"} trailing',
        b'{"company_name": NaN}',
        b'{"company_name": "\xe4"}',
        '{"company_name": "A"}'.encode("utf-16"),
        b'{"a":' * 200 + b"1" + b"}" * 200,
        b"[" * 4_000,
    ],
)
def test_a_body_that_is_no_json_is_400(world: World, body: bytes) -> None:
    """An empty body, no JSON, no UTF-8 and deep nesting are 400 problems."""
    problem(post(world, body), 400)


@pytest.mark.parametrize(
    "headers",
    [
        [("API-Key", KEY), ("API-Key", KEY)],
        [("API-Key", KEY), ("api-key", "other")],
        [("Authorization", "Bearer a"), ("Authorization", "Bearer a")],
    ],
)
def test_a_proof_that_comes_twice_is_400(world: World, headers: list[tuple[str, str]]) -> None:
    """A header of the proof that comes twice is 400, even if both are right."""
    with client(world.gateway.url, headers=headers) as http:
        problem(http.get(FEED), 400)


def test_a_customer_whom_nobody_knows_is_404(world: World) -> None:
    """After authentication: a customer that the CRM does not have, and an export that was never made."""
    problem(world.gateway.feed("acme", "nobody"), 404)
    problem(world.gateway.http.get(f"{EXPORTS}/exp_nobody"), 404)


@pytest.mark.parametrize("path", ["/", "/vainu", "/vainu/acme", "/vainu/acme/exports/", "/health", "/nothing/here"])
def test_an_unknown_path_is_404(world: World, path: str) -> None:
    """There is nothing at other paths; a last slash too many is no redirect to wherever the Host header says."""
    problem(world.gateway.http.get(path, headers={"Host": "evil.example.com"}), 404)


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("GET", EXPORTS, {"POST"}),
        ("PUT", EXPORTS, {"POST"}),
        ("DELETE", FEED, {"GET", "HEAD"}),
        ("POST", FEED, {"GET", "HEAD"}),
        ("OPTIONS", EXPORTS, {"POST"}),
        ("PATCH", "/health/live", {"GET", "HEAD"}),
        ("PROPFIND", "/vainu/acme/webhooks", {"POST"}),
        ("GET", "/crm/acme/webhooks", {"POST"}),
        ("PUT", "/api/deliveries/replay", {"POST"}),
    ],
)
def test_a_wrong_method_is_405(world: World, method: str, path: str, allow: set[str]) -> None:
    """A wrong method is 405, and Allow names the right ones."""
    answer = world.gateway.http.request(method, path)
    problem(answer, 405)
    assert set(answer.headers["allow"].replace(",", " ").split()) == allow


def test_a_page_with_two_methods_names_both(world: World) -> None:
    """The sign-in page is shown and sent: Allow has each, though each is a route of its own."""
    answer = world.gateway.http.put("/console/sign-in")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD, POST")


@pytest.mark.parametrize("chunked", [False, True])
def test_a_large_body_is_413(world: World, chunked: bool) -> None:
    """A body over the limit is 413, declared or chunked, however much larger; the connection's next request works."""
    for size in (MAX_BODY + 1, 3_000_000):
        body = b'"' + b"a" * (size - 2) + b'"'
        content: Any = (body[at : at + 50_000] for at in range(0, size, 50_000)) if chunked else body
        problem(post(world, content), 413)
    assert world.gateway.http.get("/health/live").status_code == 200


def test_a_body_of_the_largest_size_is_read(world: World) -> None:
    """A body of exactly the limit is judged by what is in it."""
    problem(post(world, b'"' + b"a" * (MAX_BODY - 2) + b'"'), 422)


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("multipart/form-data; boundary=a", 415),
        ("application/jsonp", 415),
        ("text/json; application/json", 415),
        ("nonsense", 415),
        ("application/json", 422),
        ("application/json; charset=utf-8", 422),
        ("APPLICATION/JSON;charset=UTF-8", 422),
        ("application/vnd.api+json", 422),
        ("application/problem+json; charset=utf-8", 422),
        (None, 422),
    ],
)
def test_what_counts_as_json(world: World, content_type: str | None, status: int) -> None:
    """JSON types with or without parameters, and no type at all, are read as JSON; others are 415."""
    problem(post(world, b"[]", headers={"Content-Type": content_type} if content_type else {}), status)


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (b"[]", "$"),
        (b"17", "$"),
        (b"{}", "company_name"),
        (b'{"company_name": 17}', "company_name"),
        (b'{"company_name": "A", "vid": "x"}', "vid"),
        (b'{"company_name": "A", "contacts": "Ada"}', "contacts"),
        (b'{"company_name": "A", "contacts": [{"first_name": "Ada"}, 3]}', "contacts[1]"),
        (b'{"company_name": "A", "contacts": [{"email": ["a"]}]}', "contacts[0].email"),
        (b'{"prospect": {"company_name": "A", "vid": "x"}}', "prospect.vid"),
    ],
)
def test_what_is_no_company_is_422_with_the_path(world: World, body: bytes, path: str) -> None:
    """JSON that is no company is 422, and the path says what is wrong."""
    assert path in [fault["path"] for fault in problem(post(world, body), 422)["errors"]]


def test_a_422_names_every_fault(world: World) -> None:
    """All faults are told at once."""
    body = b'{"company_name": "A", "vid": "x", "contacts": [3, {"phone": {}}], "leads": 4}'
    paths = {fault["path"] for fault in problem(post(world, body), 422)["errors"]}
    assert paths == {"vid", "contacts[0]", "contacts[1].phone", "leads"}


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ("limit=0", "limit"),
        ("limit=-1", "limit"),
        ("limit=ten", "limit"),
        ("limit=%C2%B2", "limit"),
        ("limit=", "limit"),
        ("since=yesterday", "since"),
        ("since=", "since"),
        ("type=phonecall", "type"),
        ("type=note&type=x", "type"),
    ],
)
def test_a_bad_query_is_422(world: World, query: str, path: str) -> None:
    """A bad query parameter is 422 with its name as the path."""
    answer = world.gateway.http.get(f"{FEED}?{query}")
    assert [fault["path"] for fault in problem(answer, 422)["errors"]] == [path]


def test_a_bad_customer_data_id_is_422(world: World) -> None:
    """The query parameter `id` of an export is checked as well."""
    answer = world.gateway.http.post(EXPORTS, content=COMPANY, params={"id": "../../etc"})
    assert [fault["path"] for fault in problem(answer, 422)["errors"]] == ["id"]


@pytest.mark.parametrize("given", ["abc", "0f8fad5b-d9cb-469f-a165-70867728950e", "a.b_c-D9", "x" * 128])
def test_a_well_formed_request_id_is_kept(world: World, given: str) -> None:
    """A well-formed X-Request-ID comes back, from answers and refusals alike."""
    for path in ("/health/live", "/health/ready", FEED, "/nothing"):
        answer = world.gateway.http.get(path, headers={"X-Request-ID": given})
        assert answer.headers.get_list("x-request-id") == [given]


@pytest.mark.parametrize("given", ["", "x" * 129, "a b", "a;b", '"a"', "<script>", "ä".encode("latin-1")])
def test_a_malformed_request_id_is_replaced(world: World, given: str | bytes) -> None:
    """A malformed X-Request-ID is replaced by one of ours, a new one each time."""
    answers = [world.gateway.http.get("/health/live", headers={b"X-Request-ID": given}) for _ in range(2)]
    ids = [answer.headers.get_list("x-request-id") for answer in answers]
    assert [len(each) for each in ids] == [1, 1]
    assert ids[0][0].startswith("req_")
    assert ids[0] != ids[1]


def test_a_request_id_that_comes_twice_is_replaced(world: World) -> None:
    """Two X-Request-IDs are none."""
    answer = world.gateway.http.get("/health/live", headers=[("X-Request-ID", "one"), ("X-Request-ID", "one")])
    assert answer.headers["x-request-id"].startswith("req_")
