"""The Vainu client against the simulator, over real HTTP."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

from adapters.contract import (
    BadCredentials,
    CallRecord,
    ConnectionCut,
    NotFound,
    Refused,
    RemoteError,
    ServerFault,
    Throttled,
    TimedOut,
    UnexpectedReply,
    Unreachable,
)
from adapters.deadline import Deadline
from adapters.serving import serving
from adapters.simulation import FaultRule, Simulator
from adapters.vainu import CustomerData, MatchData, VainuClient, VainuSettings
from adapters.vainu.simulator import FAKE_API_KEY, FAKE_PASSWORD, FAKE_USERNAME, VainuState, simulator

NO_IDS = [
    "", " ", ".", "..", "/", "a/b", "a/../", "%2e%2e", "?x=1", "#", "a b", "ä", "a\n", "\n", "\x00", "x" * 129, None, 7,
]  # fmt: skip
VAINU = MatchData("Vainu Finland Oy", "2822996-6", "FI")
BASIC = {"username": FAKE_USERNAME, "password": FAKE_PASSWORD}


@pytest.fixture(params=[1, 2], ids=["v1", "v2"])
def version(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[Simulator, str]]:
    sim = simulator()
    with serving(Starlette(routes=[Mount("/vainu", app=sim)])) as url:
        yield sim, f"{url}/vainu"


@pytest.fixture
def sim(served: tuple[Simulator, str]) -> Simulator:
    sim, _ = served
    sim.state.reset()
    sim.journal.rules.clear()
    sim.journal.calls.clear()
    return sim


@pytest.fixture
def address(served: tuple[Simulator, str], sim: Simulator) -> str:
    del sim  # asked for so that every test starts from nothing
    return served[1]


def use(address: str, act: Callable[[VainuClient], Coroutine[Any, Any, Any]], *records: Any, **given: Any) -> Any:
    """What `act` returns with a client; `records` may hold one list that hears of every call."""

    async def run() -> Any:
        credentials = {} if "api_key" in given or "username" in given else {"api_key": FAKE_API_KEY}
        settings = VainuSettings.model_validate({"base_url": address, **credentials, **given})
        client = VainuClient(settings, records[0].append if records else lambda _record: None)
        try:
            return await act(client)
        finally:
            await client.aclose()

    return asyncio.run(run())


def soon(seconds: float = 5) -> Deadline:
    return Deadline.after(seconds)


def make(client: VainuClient, match: MatchData = VAINU, **fields: Any) -> Coroutine[Any, Any, CustomerData]:
    return client.customer_data.create(match, fields, soon())


def state_of(sim: Simulator) -> VainuState:
    assert isinstance(sim.state, VainuState)
    return sim.state


def test_check_signs_in_and_only_reads(sim: Simulator, address: str, version: int) -> None:
    """One GET of one object; the summary tells version, host and how much is there."""
    account = use(address, lambda client: client.check(soon()), api_version=version)
    assert f"Vainu API v{version} at {address.split('/')[2]}: 0 customer data objects" == account.summary
    (call,) = sim.journal.calls
    assert ("GET", f"/api/v{version}/customer_data/", "page_size=1&page=1") == (
        call["method"],
        call["path"],
        call["query"],
    )


def test_basic_credentials_sign_in_too(address: str) -> None:
    """S001: the web login works as Basic."""
    assert "Vainu API v2" in use(address, lambda client: client.check(soon()), **BASIC).summary


def test_created_data_is_read_back_the_same(address: str, version: int) -> None:
    """Both versions' replies become one value, whose company is the matched one."""

    async def act(client: VainuClient) -> tuple[CustomerData, CustomerData]:
        made = await make(client, unique_id="f39a1a59", won_deals_count=2, last_update=datetime(2018, 6, 8, tzinfo=UTC))
        return made, await client.customer_data.get(made.id, soon())

    made, read = use(address, act, api_version=version)
    assert made == read
    assert (read.vid, read.unique_id, read.won, read.won_deals_count) == (463880794, "f39a1a59", True, 2)
    assert read.company is not None
    assert read.company.company_name == "Vainu Finland Oy"
    assert read.last_update.startswith("2018-06-08")


def test_patch_sets_fields_of_one_object_only(sim: Simulator, address: str, version: int) -> None:
    """The other object stays; v1's empty answer and v2's object both mean success."""

    async def act(client: VainuClient) -> None:
        one = await make(client, unique_id="one")
        await make(client, MatchData("Oy Samlink Ab", country="FI"), unique_id="two")
        await client.customer_data.patch(one.id, {"unique_id": "4711"}, soon())

    use(address, act, api_version=version)
    assert [record.fields["unique_id"] for record in state_of(sim).records.values()] == ["4711", "two"]


@pytest.mark.parametrize("customer_data_id", NO_IDS, ids=ascii)
def test_no_patch_ever_leaves_without_an_id(sim: Simulator, address: str, version: int, customer_data_id: Any) -> None:
    """Whatever is no plain id is refused before anything is sent: a PATCH of the list would touch everything."""
    with pytest.raises(Refused, match="nothing was sent"):
        use(
            address,
            lambda client: client.customer_data.patch(customer_data_id, {"notes": "x"}, soon()),
            api_version=version,
        )
    with pytest.raises(Refused, match="nothing was sent"):
        use(address, lambda client: client.customer_data.get(customer_data_id, soon()), api_version=version)
    assert list(sim.journal.calls) == []


def test_a_void_id_is_not_found(sim: Simulator, address: str, version: int) -> None:
    """Vainu voids the id of an export that it took for failed."""
    state_of(sim).create({"match_data": {"company_name": "Nobody Oy"}}, 2)
    with pytest.raises(NotFound, match="404"):
        use(
            address,
            lambda client: client.customer_data.patch("f" * 24, {"unique_id": "x"}, soon()),
            api_version=version,
        )
    assert [record.fields for record in state_of(sim).records.values()] == [{}]


def test_a_void_id_is_not_found_by_get(address: str, version: int) -> None:
    """The same for reading."""
    with pytest.raises(NotFound):
        use(address, lambda client: client.customer_data.get("void", soon()), api_version=version)


def test_v2_keeps_what_matches_no_company_and_v1_refuses_it(address: str) -> None:
    """S000: created with company_vid -1; S001: 400 "Match not found"."""
    nobody = MatchData("Nobody Oy", country="FI")
    made = use(address, lambda client: make(client, nobody), api_version=2)
    assert (made.vid, made.company) == (None, None)
    with pytest.raises(Refused, match=r"400.*MATCH_NOT_FOUND"):
        use(address, lambda client: make(client, nobody), api_version=1)


def test_a_second_object_of_a_company_is_refused_and_names_the_first(address: str, version: int) -> None:
    """409, with the id to PATCH instead."""

    async def act(client: VainuClient) -> str:
        made = await make(client)
        with pytest.raises(Refused, match=f"409.*{made.id}"):
            await make(client)
        return made.id

    assert use(address, act, api_version=version)


def test_nothing_to_match_by_is_refused_unsent(sim: Simulator, address: str) -> None:
    """v2 takes no vid: a vid alone would match nothing there."""
    with pytest.raises(Refused, match="nothing sent"):
        use(address, lambda client: make(client, MatchData(vid=463880794)), api_version=2)
    assert list(sim.journal.calls) == []


def test_v1_matches_by_vid(address: str) -> None:
    """S001: the vid comes first."""
    assert use(address, lambda client: make(client, MatchData(vid=253870)), api_version=1).vid == 253870


@pytest.mark.parametrize(
    "given",
    [{"api_key": "secret-key-of-nobody"}, {"username": "nobody", "password": "secret-key-of-nobody"}],
    ids=["key", "basic"],
)
def test_wrong_credentials_are_named_but_not_shown(address: str, given: dict[str, str]) -> None:
    """401 tells what to check; no secret is in it."""
    with pytest.raises(BadCredentials, match="check the credentials") as caught:
        use(address, lambda client: client.check(soon()), **given)
    assert "secret" not in str(caught.value)


def test_an_account_without_the_api_is_told_so() -> None:
    """403: the API is not enabled for the account (S001)."""
    with serving(simulator(api_enabled=False)) as url, pytest.raises(BadCredentials, match=r"403.*enabled the API"):
        use(url, lambda client: client.check(soon()))


@pytest.mark.parametrize("given", [{"api_key": FAKE_API_KEY}, BASIC], ids=["key", "basic"])
@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 429, 500])
def test_an_echoed_secret_is_redacted(given: dict[str, str], status: int) -> None:
    """Whatever Vainu repeats of our request, key, password and their Basic spelling do not come through."""

    async def echo(request: Request) -> Response:
        return JSONResponse({"detail": [*request.headers.values(), FAKE_PASSWORD]}, status)

    async def act(client: VainuClient) -> None:
        await client.customer_data.patch("abc", {"notes": "x"}, soon())

    with serving(Starlette(routes=[Route("/{path:path}", echo, methods=["PATCH"])])) as url:
        with pytest.raises(RemoteError) as caught:
            use(url, act, **given)
        (hidden,) = (value for name, value in given.items() if name != "username")
    assert "[redacted]" in str(caught.value)
    assert hidden not in repr(caught.value)
    assert "Basic c2l" not in str(caught.value)


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_too_many_requests_carries_the_wait(form: str) -> None:
    """429 with Retry-After as a number and as an HTTP date; nothing is repeated at once."""
    calls = []

    async def refuse(request: Request) -> Response:
        calls.append(request.method)
        later = format_datetime(datetime.now(UTC) + timedelta(seconds=120), usegmt=True)
        return Response(status_code=429, headers={"Retry-After": "120" if form == "seconds" else later})

    app = Starlette(routes=[Route("/{path:path}", refuse, methods=["PATCH"])])
    with serving(app) as url, pytest.raises(Throttled) as caught:
        use(url, lambda client: client.customer_data.patch("abc", {}, soon()))
    assert caught.value.retry_after == pytest.approx(120, abs=5)
    assert calls == ["PATCH"]


@pytest.mark.parametrize(
    ("fault", "error", "tries"),
    [
        ("429", Throttled, 1),
        ("500", ServerFault, 2),
        ("503", ServerFault, 2),
        ("cut", ConnectionCut, 2),
        ("lost_reply", ConnectionCut, 2),
        ("drop", ConnectionCut, 2),
        ("html", UnexpectedReply, 2),
        ("nonsense", UnexpectedReply, 2),
    ],
)
def test_a_faulty_answer_to_a_patch_is_never_success(
    sim: Simulator, address: str, fault: Any, error: type[RemoteError], tries: int
) -> None:
    """Each fault has its error; a PATCH by id is safe to repeat, so a break is tried once more."""
    record = state_of(sim).create({"match_data": {"company_name": "Nobody Oy"}}, 2)
    sim.journal.rules.append(FaultRule(fault))
    with pytest.raises(error):
        use(address, lambda client: client.customer_data.patch(record.id, {"notes": "x"}, soon()))
    assert len(sim.journal.calls) == tries


def test_every_try_is_observed(sim: Simulator, address: str) -> None:
    """Metrics hear of each call under the vendor's name and the action."""
    sim.journal.rules.append(FaultRule("500", times=1))
    calls: list[CallRecord] = []
    use(address, lambda client: client.check(soon()), calls)
    assert [(call.system, call.action, call.outcome) for call in calls] == [
        ("vainu", "check", "server_fault"),
        ("vainu", "check", "ok"),
    ]


def test_one_broken_answer_to_a_patch_is_made_good(sim: Simulator, address: str) -> None:
    """After one lost reply the repeat succeeds."""
    record = state_of(sim).create({"match_data": {"company_name": "Nobody Oy"}}, 2)
    sim.journal.rules.append(FaultRule("lost_reply", times=1))
    use(address, lambda client: client.customer_data.patch(record.id, {"notes": "x"}, soon()))
    assert record.fields["notes"] == "x"


@pytest.mark.parametrize("fault", ["500", "cut", "lost_reply", "drop"])
def test_a_create_is_sent_once_only(sim: Simulator, address: str, fault: Any) -> None:
    """A create may have happened although its answer was lost: the client never repeats it."""
    sim.journal.rules.append(FaultRule(fault))
    with pytest.raises((ServerFault, ConnectionCut)):
        use(address, make)
    assert len(sim.journal.calls) == 1


@pytest.mark.parametrize("fault", ["html", "nonsense", "empty"])
@pytest.mark.parametrize("method", ["check", "get", "create"])
def test_an_unknown_shape_is_never_read_as_empty(sim: Simulator, address: str, fault: Any, method: str) -> None:
    """200 with something else is an unexpected reply."""
    sim.journal.rules.append(FaultRule(fault))
    acts: dict[str, Callable[[VainuClient], Coroutine[Any, Any, Any]]] = {
        "check": lambda client: client.check(soon()),
        "get": lambda client: client.customer_data.get("abc", soon()),
        "create": make,
    }
    with pytest.raises(UnexpectedReply):
        use(address, acts[method])


def test_an_answer_about_another_object_is_unexpected() -> None:
    """What was patched must be what was asked for."""

    async def other(_request: Request) -> Response:
        return JSONResponse({"id": "other"})

    app = Starlette(routes=[Route("/{path:path}", other, methods=["PATCH"])])
    with serving(app) as url, pytest.raises(UnexpectedReply, match="another id"):
        use(url, lambda client: client.customer_data.patch("abc", {}, soon()))


def test_a_slow_answer_ends_at_the_deadline(sim: Simulator, address: str) -> None:
    """The deadline travels to the socket."""
    sim.journal.rules.append(FaultRule("delay", seconds=0.5))
    with pytest.raises(TimedOut):
        use(address, lambda client: client.check(soon(0.2)))


def test_no_server_is_unreachable() -> None:
    """A closed port: nothing was sent."""
    with pytest.raises(Unreachable):
        use("http://127.0.0.1:1", lambda client: client.check(soon()))
