"""What the client makes of Aixon's answers, in S002's shapes and in others."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import httpx
import msgspec
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from adapters.aixon.cells import Cell, Creation, Listed
from adapters.aixon.client import AixonClient
from adapters.aixon.models import AixonSettings
from adapters.aixon.spool import Body, Spool
from adapters.contract import NotFound, Refused, RemoteError, UnexpectedReply
from adapters.deadline import Deadline
from adapters.serving import serving
from tests.adapters.aixon.conftest import Aixon

SAMPLE = {
    "message": [
        {"DESCRIPTION": "GET all csv-upload resources", "SUPPORT_METHODS": ["GET"], "URL": "/api_upload/v1/csv-upload"},
        {"DESCRIPTION": "Create a new CSV Upload node", "SUPPORT_METHODS": ["PUT"], "URL": "/api_upload/v1/csv-upload"},
        {
            "DESCRIPTION": "Upload csv data data_id_1: test_data_one",
            "SUPPORT_METHODS": ["PUT", "PATCH"],
            "URL": "/api_upload/v1/csv-upload/data_id_1",
        },
        {
            "DESCRIPTION": "Upload csv data data_id_2: a: b",
            "SUPPORT_METHODS": ["PUT", "PATCH"],
            "URL": "/api_upload/v1/csv-upload/data_id_2",
        },
    ],
    "status": "success",
}


class Answering:
    """An endpoint that gives the answer it was told to give, and keeps what it was asked."""

    def __init__(self) -> None:
        self.status, self.content, self.type = 200, b"", "application/json"
        self.asked: list[tuple[str, str, dict[str, str], bytes]] = []

    async def __call__(self, request: Request) -> Response:
        """Keep and answer."""
        self.asked.append((request.method, request.url.path, dict(request.headers), await request.body()))
        return Response(self.content, self.status, media_type=self.type)


@pytest.fixture(scope="module")
def _endpoint() -> Iterator[tuple[Answering, str]]:
    answering = Answering()
    app = Starlette(routes=[Route("/{path:path}", answering.__call__, methods=["GET", "PUT", "PATCH"])])
    with serving(app) as url:
        yield answering, url


@pytest.fixture
def far_end(_endpoint: tuple[Answering, str]) -> Answering:
    _endpoint[0].__init__()  # type: ignore[misc]  # as new
    return _endpoint[0]


def settings(url: str) -> AixonSettings:
    return AixonSettings.model_validate({"base_url": url, "api_key": "key-of-the-test"})


async def _call(url: str, name: str, *given: Any) -> Any:
    client = AixonClient(settings(url))
    try:
        return await getattr(client, name)(*given, Deadline.after(5))
    finally:
        await client.aclose()


@pytest.fixture
def call(far_end: Answering, _endpoint: tuple[Answering, str]) -> Any:
    """One call of the client, answered with this status and JSON."""

    def run(name: str, *given: Any, answer: Any, status: int = 200) -> Any:
        far_end.status, far_end.content = status, json.dumps(answer).encode()
        return asyncio.run(_call(_endpoint[1], name, *given))

    return run


@pytest.fixture
def body() -> Iterator[Body]:
    spool = Spool()
    spool.keep(1, "crm001", bytes(16), b'["crm001"],')
    yield next(spool.bodies(b'{"header":["customuid"],"data":[', b"]}", 1, 1_000))
    spool.close()


def test_the_list_of_s002_is_read(call: Any) -> None:
    """Its fixed entries are no cells; a description may hold a colon."""
    found = [Listed("data_id_1", "test_data_one"), Listed("data_id_2", "a: b")]
    assert call("list", answer=SAMPLE) == found
    assert call("check", answer=SAMPLE).summary.startswith("Appier Aixon: 2 customer data cells; ")


@pytest.mark.parametrize("answer", [[], {}, {"message": []}, {"message": {}, "status": "success"},
                                    {"message": "", "status": "success"}, {"message": [1], "status": "success"},
                                    {"message": [{"NAME": "x"}], "status": "success"}])  # fmt: skip
def test_an_unknown_list_is_not_an_empty_one(call: Any, answer: object) -> None:
    """A cell that is there but not read would be made a second time."""
    with pytest.raises(UnexpectedReply):
        call("list", answer=answer)


def test_an_upload_is_one_call_of_known_length(call: Any, far_end: Answering, body: Body) -> None:
    """S002's method, path and headers; the body streamed, but not in chunks."""
    created = {"message": {"RESOURCE_ID": "cell1", "STATUS": "CREATED"}, "status": "success"}
    received = {"message": {"RESOURCE_ID": "cell1", "STATUS": "RECEIVED"}, "status": "success"}
    assert call("create", "acme customers", body, "application/json; charset=utf-8", answer=created) == "cell1"
    call("update", "cell1", body, "text/csv", answer=received)
    call("overwrite", "cell1", body, "text/csv", answer=received)
    base = "/api_upload/v1/csv-upload"
    assert [asked[:2] for asked in far_end.asked] == [
        ("PUT", base),
        ("PATCH", f"{base}/cell1"),
        ("PUT", f"{base}/cell1"),
    ]
    for _method, _path, headers, content in far_end.asked:
        assert json.loads(content) == {"header": ["customuid"], "data": [["crm001"]]}
        assert (headers["content-length"], headers["x-api-key"]) == (str(len(content)), "key-of-the-test")
        assert "transfer-encoding" not in headers
    first, second, _ = (asked[2] for asked in far_end.asked)
    assert (first["x-node-description"], first["content-type"]) == ("acme customers", "application/json; charset=utf-8")
    assert ("x-node-description" in second, second["content-type"]) == (False, "text/csv")


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ({"message": "no such column", "status": "fail"}, Refused),
        ({"message": {"RESOURCE_ID": "other", "STATUS": "RECEIVED"}, "status": "success"}, UnexpectedReply),
        ({"message": {"RESOURCE_ID": "cell1", "STATUS": "CREATED"}, "status": "success"}, UnexpectedReply),
        ({"message": {"STATUS": "RECEIVED"}, "status": "success"}, UnexpectedReply),
        ({"message": {"RESOURCE_ID": "cell1", "STATUS": "RECEIVED"}}, UnexpectedReply),
        ({"status": "success"}, UnexpectedReply),
        ("success", UnexpectedReply),
        (None, UnexpectedReply),
    ],
)
def test_only_s002s_answer_is_success(call: Any, body: Body, answer: object, error: type[RemoteError]) -> None:
    """A failure in the body of a good status is Aixon's refusal; anything else is understood by nobody."""
    with pytest.raises(error):
        call("update", "cell1", body, "text/csv", answer=answer)


def test_an_id_cannot_leave_its_place_in_the_path(call: Any, far_end: Answering, body: Body) -> None:
    """Whatever Aixon once called the cell."""
    with pytest.raises(NotFound):
        call("update", "../x?y", body, "text/csv", answer={}, status=404)
    assert far_end.asked[0][1].startswith("/api_upload/v1/csv-upload/")


def test_what_aixon_says_is_told_without_the_key(call: Any, body: Body) -> None:
    """Its own words, redacted."""
    with pytest.raises(Refused) as told:
        call("update", "c", body, "text/csv", answer={"message": "key-of-the-test is odd", "status": "fail"})
    assert told.value.detail == "aixon answered fail: [redacted] is odd"


def test_the_state_survives_being_written_down() -> None:
    """As JSON, told apart by its tag."""
    for state in (Cell("c", ("customuid", "txt_x")), Creation("acme", ("customuid",), ("a", "b"))):
        assert msgspec.json.decode(msgspec.json.encode(state), type=Cell | Creation) == state


def test_the_simulators_list_is_read(account: Aixon) -> None:
    """Cells made by an upload, with their descriptions."""
    made = account.http.put(
        "/api_upload/v1/csv-upload",
        json={"header": ["customuid"], "data": [["1"]]},
        headers={"x-node-description": "acme customers"},
    )
    assert isinstance(made, httpx.Response)
    resource = made.json()["message"]["RESOURCE_ID"]
    assert asyncio.run(_call_with_key(account.url)) == [Listed(resource, "acme customers")]


async def _call_with_key(url: str) -> list[Listed]:
    client = AixonClient(AixonSettings.model_validate({"base_url": url, "api_key": "not-a-real-aixon-key"}))
    try:
        return await client.list(Deadline.after(5))
    finally:
        await client.aclose()
