"""Customer data that is there already: found by its unique_id, or told by Vainu when a second one is made."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypeVar

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from adapters.contract import Refused, UnexpectedReply
from adapters.deadline import Deadline
from adapters.serving import serving
from adapters.simulation import Simulator
from adapters.vainu import CustomerDataExists, MatchData, VainuClient, VainuSettings
from adapters.vainu.simulator import FAKE_API_KEY, simulator

T = TypeVar("T")
VAINU = MatchData("Vainu Finland Oy", "2822996-6", "FI")


@pytest.fixture(params=[1, 2], ids=["v1", "v2"])
def version(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture(scope="module")
def _served() -> Iterator[tuple[Simulator, str]]:
    app = simulator()
    with serving(app) as url:
        yield app, url


@pytest.fixture
def vainu(_served: tuple[Simulator, str]) -> tuple[Simulator, str]:
    app, _url = _served
    app.state.reset()
    app.journal.calls.clear()
    return _served


def use(url: str, act: Callable[[VainuClient], Awaitable[T]], version: int = 2) -> T:
    async def whole() -> T:
        given = {"base_url": url, "api_version": version, "api_key": FAKE_API_KEY}
        client = VainuClient(VainuSettings.model_validate(given))
        try:
            return await act(client)
        finally:
            await client.aclose()

    return asyncio.run(whole())


def soon() -> Deadline:
    return Deadline.after(5)


def find(url: str, unique_id: str, version: int = 2) -> str | None:
    found = use(url, lambda client: client.customer_data.find(unique_id, soon()), version)
    return found.id if found else None


def answering(*pages: Any) -> Starlette:
    """A server that gives these pages by their number, whatever the filter."""

    async def listed(request: Request) -> Response:
        return JSONResponse(pages[min(int(request.query_params["page"]), len(pages)) - 1])

    return Starlette(routes=[Route("/api/v2/customer_data/", listed)])


def page(*rows: Any, more: bool = False) -> dict[str, Any]:
    return {"total_results": 9, "next_page": "https://api.vainu.io/?page=2" if more else None, "results": list(rows)}


def row(identity: str, unique_id: str = "4711", created: str = "2018-06-09T12:20:21.341Z") -> dict[str, Any]:
    return {"id": identity, "unique_id": unique_id, "created": created, "prospect": 1, "prospect_info": None}


def test_customer_data_is_found_by_its_unique_id(vainu: tuple[Simulator, str], version: int) -> None:
    """By the documented filter, in one call; what is found is the whole object."""
    app, url = vainu
    made = use(url, lambda client: client.customer_data.create(VAINU, {"unique_id": "4711"}, soon()), version)
    other = MatchData("Oy Samlink Ab", country="FI")
    use(url, lambda client: client.customer_data.create(other, {"unique_id": "47"}, soon()), version)
    app.journal.calls.clear()
    assert find(url, "4711", version) == made.id
    (call,) = app.journal.calls
    assert call["query"] == "unique_id=4711&page_size=500&page=1"


def test_what_nobody_carries_is_none(vainu: tuple[Simulator, str], version: int) -> None:
    """No match is no error."""
    assert find(vainu[1], "4711", version) is None


@pytest.mark.parametrize("unique_id", ["", "  "])
def test_nothing_to_look_for_is_refused_unsent(vainu: tuple[Simulator, str], unique_id: str) -> None:
    """An empty filter would list everything."""
    with pytest.raises(Refused, match="nothing was sent"):
        find(vainu[1], unique_id)
    assert list(vainu[0].journal.calls) == []


def test_of_several_the_newest_is_taken() -> None:
    """By `created`, in whichever spelling."""
    rows = [row("old"), row("new", created="2020-08-06T12:08:03.220"), row("unknown", created="")]
    with serving(answering(page(*rows))) as url:
        assert find(url, "4711") == "new"


def test_a_list_that_does_not_heed_the_filter_is_read_on() -> None:
    """Equality is checked here: "47" is not "4711", and the object may be on a later page."""
    with serving(answering(page(row("a", "47"), more=True), page(row("b"), row("c", "47")))) as url:
        assert find(url, "4711") == "b"


def test_an_endless_list_is_left() -> None:
    """After twenty pages the answer is unknown, which is not "none"."""
    with serving(answering(page(row("a", "47"), more=True))) as url, pytest.raises(UnexpectedReply, match="filter"):
        find(url, "4711")


def test_a_second_object_tells_the_id_of_the_first(vainu: tuple[Simulator, str], version: int) -> None:
    """409 MATCH_ALREADY_EXISTS becomes an error with the id, so that it can be changed instead."""

    async def act(client: VainuClient) -> tuple[str, CustomerDataExists]:
        made = await client.customer_data.create(VAINU, {}, soon())
        with pytest.raises(CustomerDataExists, match="MATCH_ALREADY_EXISTS") as caught:
            await client.customer_data.create(VAINU, {}, soon())
        return made.id, caught.value

    first, error = use(vainu[1], act, version)
    assert (error.existing_id, error.status, error.retryable) == (first, 409, False)


EXISTS = {"success": False, "error": "MATCH_ALREADY_EXISTS", "existing_id": "5b237d31d3fee90010d1b1d4", "id": None}
"""A row of S001's sample of an async result."""


def refusing(status: int, body: Any) -> Starlette:
    async def refuse(_request: Request) -> Response:
        return JSONResponse(body, status)

    return Starlette(routes=[Route("/{path:path}", refuse, methods=["POST"])])


@pytest.mark.parametrize(("status", "body"), [(400, EXISTS), (409, EXISTS), (409, [EXISTS])])
def test_the_id_is_read_wherever_it_may_stand(status: int, body: Any) -> None:
    """S001 has no sample of the answer to a single POST: the keys of its async rows, with either status."""
    with serving(refusing(status, body)) as url, pytest.raises(CustomerDataExists) as caught:
        use(url, lambda client: client.customer_data.create(VAINU, {}, soon()))
    assert caught.value.existing_id == EXISTS["existing_id"]


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, {"error": "INVALID_BUSINESSID"}),
        (409, {"detail": "Link already exists"}),
        (409, {**EXISTS, "existing_id": None}),
        (409, {**EXISTS, "existing_id": "../"}),
        (409, "MATCH_ALREADY_EXISTS"),
        (422, EXISTS),
    ],
)
def test_any_other_refusal_stays_one(status: int, body: Any) -> None:
    """Without an id that can be one there is nothing to change instead."""
    with serving(refusing(status, body)) as url, pytest.raises(Refused) as caught:
        use(url, lambda client: client.customer_data.create(VAINU, {}, soon()))
    assert not isinstance(caught.value, CustomerDataExists)
