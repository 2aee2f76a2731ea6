"""The Aixon simulator as S002 describes csv-upload, called over real HTTP."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import httpx
import pytest

from adapters.aixon.simulator import FAKE_API_KEY, simulator
from adapters.serving import serving

PATH = "/api_upload/v1/csv-upload"
HEADER = [
    "customuid",
    "emailsha256",
    "txt_region",
    "num_spending",
    "attr_interest",
    "goal_conversion_vip",
    "goal_purchase_x_timestamp",
]
ONE = ["crm001", "f6" * 32, "north", 2135, "cooking, writing", 1, 1514254499]
TWO = ["crm002", "", "south", "", "reading, biking", "", None]


@pytest.fixture(scope="module")
def served() -> Iterator[httpx.Client]:
    with (
        serving(simulator(max_body_bytes=100_000)) as url,
        httpx.Client(base_url=url, headers={"x-api-key": FAKE_API_KEY}, trust_env=False) as client,
    ):
        yield client


@pytest.fixture
def aixon(served: httpx.Client) -> httpx.Client:
    served.post("/_reset")
    return served


def table(*rows: Sequence[object], header: Sequence[str] = HEADER) -> dict[str, Any]:
    return {"header": list(header), "data": [list(row) for row in rows]}


def create(aixon: httpx.Client, *rows: Sequence[object], **given: Any) -> str:
    reply = aixon.put(PATH, json=table(*rows, **given), headers={"x-node-description": "acme customers"})
    assert reply.status_code == 200
    answer = reply.json()
    assert (answer["status"], answer["message"]["STATUS"]) == ("success", "CREATED")
    return str(answer["message"]["RESOURCE_ID"])


def held(aixon: httpx.Client, cell: str) -> Any:
    return aixon.get("/_records").json()[cell]


def test_a_cell_is_created_by_put_with_its_description(aixon: httpx.Client) -> None:
    """S002: PUT without an id, x-node-description; the rows are kept by customuid, null as empty."""
    cell = create(aixon, ONE, TWO)
    kept = held(aixon, cell)
    assert (kept["description"], kept["header"]) == ("acme customers", HEADER)
    assert kept["rows"]["crm001"] == dict(zip(HEADER, ONE, strict=True))
    assert kept["rows"]["crm002"]["goal_purchase_x_timestamp"] == ""


def test_creating_by_post_is_not_allowed(aixon: httpx.Client) -> None:
    """S002 names PUT; a client that lets curl choose POST is caught."""
    reply = aixon.post(PATH, json=table(ONE))
    assert (reply.status_code, aixon.get("/_records").json()) == (405, {})


def test_the_list_names_every_resource(aixon: httpx.Client) -> None:
    """S002's sample: two fixed entries, then one for each cell."""
    cell = create(aixon, ONE)
    listed, make, upload = aixon.get(PATH).json()["message"]
    assert (listed["SUPPORT_METHODS"], make["SUPPORT_METHODS"]) == (["GET"], ["PUT"])
    assert upload == {
        "DESCRIPTION": f"Upload csv data {cell}: acme customers",
        "SUPPORT_METHODS": ["PUT", "PATCH"],
        "URL": f"{PATH}/{cell}",
    }


def test_patch_updates_known_customers_and_appends_new_ones(aixon: httpx.Client) -> None:
    """S002 "Update": the others stay; the answer is RECEIVED."""
    cell = create(aixon, ONE, TWO)
    changed, new = ["crm001", *ONE[1:3], 5321, *ONE[4:]], ["crm007", *TWO[1:]]
    answer = aixon.patch(f"{PATH}/{cell}", json=table(changed, new)).json()
    assert answer == {"message": {"RESOURCE_ID": cell, "STATUS": "RECEIVED"}, "status": "success"}
    rows = held(aixon, cell)["rows"]
    assert list(rows) == ["crm001", "crm002", "crm007"]
    assert rows["crm001"]["num_spending"] == 5321


@pytest.mark.parametrize(
    "header",
    [
        HEADER[:-1],
        [*HEADER, "txt_new"],
        [HEADER[0], HEADER[2], HEADER[1], *HEADER[3:]],
        [*HEADER[:2], "txt_city", *HEADER[3:]],
    ],
    ids=["fewer", "more", "other order", "other name"],
)
def test_patch_wants_exactly_the_same_columns(aixon: httpx.Client, header: list[str]) -> None:
    """S002: column counts, names and orders."""
    cell = create(aixon, ONE)
    reply = aixon.patch(f"{PATH}/{cell}", json=table(header=header))
    assert (reply.status_code, reply.json()["status"]) == (400, "fail")
    assert held(aixon, cell)["header"] == HEADER


def test_put_on_a_cell_adds_columns(aixon: httpx.Client) -> None:
    """S002 "Overwrite": a new column is empty for the rows that the upload does not name."""
    cell = create(aixon, ONE, TWO)
    answer = aixon.put(f"{PATH}/{cell}", json=table([*ONE, "Turku"], header=[*HEADER, "txt_city"])).json()
    assert answer["message"] == {"RESOURCE_ID": cell, "STATUS": "RECEIVED"}
    rows = held(aixon, cell)["rows"]
    assert (rows["crm001"]["txt_city"], rows["crm002"]["txt_city"]) == ("Turku", "")


@pytest.mark.parametrize("header", [HEADER[:-1], [*HEADER[:2], "txt_city", *HEADER[3:]]], ids=["removed", "renamed"])
def test_put_keeps_every_original_column(aixon: httpx.Client, header: list[str]) -> None:
    """S002: neither removed nor renamed."""
    cell = create(aixon, ONE)
    assert aixon.put(f"{PATH}/{cell}", json=table(header=header)).status_code == 400


def test_put_can_be_played_as_dropping_the_rest() -> None:
    """S002 leaves it open: `put_drops_missing` plays the other reading."""
    with (
        serving(simulator(put_drops_missing=True)) as url,
        httpx.Client(base_url=url, headers={"x-api-key": FAKE_API_KEY}, trust_env=False) as aixon,
    ):
        cell = create(aixon, ONE, TWO)
        aixon.put(f"{PATH}/{cell}", json=table(TWO))
        assert list(held(aixon, cell)["rows"]) == ["crm002"]


def test_csv_is_read_like_s002s_sample(aixon: httpx.Client) -> None:
    """Spaces after the header's commas, quoted multi-values, empty cells."""
    text = (
        "customuid, emailsha256, txt_region, attr_interest, goal_conversion_vip\r\n"
        f'crm001,"{"aa" * 32}, {"bb" * 32}",north,"cooking,writing",1\r\ncrm002,,south,,\r\n'
    )
    reply = aixon.put(PATH, content=text.encode(), headers={"Content-Type": "text/csv; charset=utf-8"})
    rows = held(aixon, reply.json()["message"]["RESOURCE_ID"])["rows"]
    assert rows["crm001"]["emailsha256"] == f"{'aa' * 32}, {'bb' * 32}"
    assert rows["crm001"]["attr_interest"] == "cooking,writing"
    assert rows["crm002"]["goal_conversion_vip"] == ""


@pytest.mark.parametrize(
    "name",
    [
        "email",
        "region",
        "txt_",
        "txt_a b",
        "txt_ä",
        "num_\n",
        "goal_sale_x",
        "goal_purchase",
        "goal_purchase_",
        "goal_purchase_timestamp",
        "goal_churn_x_timestamp",
        "goal_no_visit_x_timestamp",
        "customuid",
        "",
        7,
    ],
)
def test_a_column_of_an_unknown_kind_is_refused(aixon: httpx.Client, name: object) -> None:
    """Names follow S002's prefixes; a timestamp goal is for conversion and purchase; none comes twice."""
    reply = aixon.put(PATH, json={"header": ["customuid", name], "data": []})
    assert (reply.status_code, aixon.get("/_records").json()) == (400, {})
    assert reply.json()["message"].startswith("header: ")


@pytest.mark.parametrize(
    "goal", ["no_visit", "churn", "loyal", "action", "click", "pageview", "conversion", "purchase"]
)
def test_every_kind_of_goal_is_known(aixon: httpx.Client, goal: str) -> None:
    """S002's list of goal prefixes; the values are 1, 0 or empty."""
    create(aixon, ["a", 1], ["b", "0"], ["c", ""], header=["customuid", f"goal_{goal}_x"])


def test_customuid_is_mandatory(aixon: httpx.Client) -> None:
    """S002: the one mandatory column."""
    reply = aixon.put(PATH, json=table(header=["txt_region"]))
    assert (reply.status_code, reply.json()["message"]) == (400, "header: customuid is mandatory")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("customuid", ""),
        ("customuid", None),
        ("emailsha256", "someone@example.com"),
        ("emailsha256", "F6" * 32),
        ("emailsha256", "f6" * 31),
        ("num_spending", "much"),
        ("num_spending", "nan"),
        ("num_spending", True),
        ("num_spending", "1_000"),
        ("txt_region", ["north"]),
        ("goal_conversion_vip", 2),
        ("goal_conversion_vip", "yes"),
        ("goal_conversion_vip", 1.5),
        ("goal_purchase_x_timestamp", 1514254499.0),
        ("goal_purchase_x_timestamp", "2017-12-26"),
        ("goal_purchase_x_timestamp", -1),
        ("goal_purchase_x_timestamp", 1514254499000),
    ],
)
def test_a_value_that_breaks_its_columns_rule_is_refused(aixon: httpx.Client, name: str, value: object) -> None:
    """The fault names the row and the column, never the value; nothing is kept."""
    row = [value if column == name else given for column, given in zip(HEADER, ONE, strict=True)]
    reply = aixon.put(PATH, json=table(TWO, row))
    assert (reply.status_code, aixon.get("/_records").json()) == (400, {})
    assert reply.json()["message"].startswith(f"data[1].{name}: ")
    assert "@" not in reply.text


def test_a_row_of_another_length_and_a_repeated_customer_are_refused(aixon: httpx.Client) -> None:
    """S002's own PUT sample has nine values under twelve columns: a slip, not a format."""
    message = aixon.put(PATH, json=table(ONE, ONE[:-1], ONE)).json()["message"]
    assert message == "data[1]: expected 7 values; data[2].customuid: not unique in this upload"


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{}", b'{"header": 1, "data": []}', b'{"header": ["customuid"], "data": [["crm001", ,]]}', b"\xff"],
)
def test_a_body_that_is_no_table_is_refused(aixon: httpx.Client, body: bytes) -> None:
    """S002's JSON samples hold `, ,]`, which is no JSON."""
    reply = aixon.put(PATH, content=body, headers={"Content-Type": "application/json; charset=utf-8"})
    assert (reply.status_code, reply.json()["status"]) == (400, "fail")


def test_a_body_of_another_kind_is_refused(aixon: httpx.Client) -> None:
    """S002's samples say application/json; a curl that says nothing would send a form."""
    reply = aixon.put(PATH, data={"header": "customuid"})
    assert (reply.status_code, aixon.get("/_records").json()) == (415, {})


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b'customuid\n"crm'])
def test_a_body_that_is_no_csv_is_refused(aixon: httpx.Client, body: bytes) -> None:
    """Empty, not UTF-8, or an open quote."""
    assert aixon.put(PATH, content=body, headers={"Content-Type": "text/csv"}).status_code == 400


def test_a_body_over_the_limit_is_refused(aixon: httpx.Client) -> None:
    """S002: 32mb a request; here the simulator was started with less."""
    rows = [[f"crm{number}", "x" * 50] for number in range(2_000)]
    body = json.dumps(table(*rows, header=["customuid", "txt_x"])).encode()
    assert len(body) > 100_000
    assert aixon.put(PATH, content=body).status_code == 413


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_an_unknown_cell_is_not_found(aixon: httpx.Client, method: str) -> None:
    """404, and no cell comes of it."""
    assert aixon.request(method, f"{PATH}/none", json=table(ONE)).status_code == 404
    assert aixon.get("/_records").json() == {}


@pytest.mark.parametrize("key", ["wrong", "", None])
def test_a_wrong_key_is_forbidden(aixon: httpx.Client, key: str | None) -> None:
    """Header x-api-key; the answer does not repeat it."""
    url = f"{str(aixon.base_url).rstrip('/')}{PATH}"
    reply = httpx.get(url, headers={} if key is None else {"x-api-key": key}, trust_env=False)
    assert (reply.status_code, reply.json()) == (403, {"message": "Forbidden", "status": "fail"})


def test_faults_hit_aixon_as_every_simulator(aixon: httpx.Client) -> None:
    """429 with Retry-After, before anything is done."""
    aixon.post("/_faults", json={"fault": "429", "seconds": 7, "times": 1})
    reply = aixon.put(PATH, json=table(ONE))
    assert (reply.status_code, reply.headers["retry-after"]) == (429, "7")
    create(aixon, ONE)
