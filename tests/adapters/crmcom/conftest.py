"""A simulated CRM.COM over real HTTP, and an adapter that is signed in to it."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from adapters.contract import CallRecord, Company, Contact, Lead, Opening
from adapters.crmcom.adapter import CrmcomAdapter, open_adapter
from adapters.crmcom.models import CrmcomSettings
from adapters.crmcom.simulator import ORGANISATION, PASSWORD, PREFIX, USERNAME, CrmcomState, simulator
from adapters.serving import serving

PROSPECT: dict[str, Any] = {
    "business_id": "2822996-6",
    "company_name": "Vainu Oy",
    "link": "www.vainu.example",
    "phone": "+358 9 548 050",
    "email": "info@vainu.example",
    "visiting_address": "Linnoitustie 9",
    "visiting_postal": "02600",
    "visiting_city": "ESPOO",
    "country": "FI",
    "turn_over": "93116557.0",
    "staff_number": "399",
    "description": "Sales intelligence",
    "vainu_link": None,
}


def _company(**changes: Any) -> Company:
    given: dict[str, Any] = {
        "name": "Vainu Oy",
        "document": PROSPECT,
        "vid": 253870,
        "business_id": "28229966",
        "country": "FI",
    }
    return Company(**{**given, **changes})


@dataclass
class Server:
    """A simulator being served."""

    url: str
    state: CrmcomState
    calls: list[CallRecord]

    def control(self, method: str, path: str, **content: Any) -> Any:
        """Use one of the simulator's control paths."""
        reply = httpx.request(method, self.url + path, json=content or None)
        assert reply.is_success, reply.text
        return reply.json() if reply.content else None

    def fault(self, fault: str, match: str = "", **more: Any) -> None:
        """Break the calls that match."""
        self.control("POST", "/_faults", fault=fault, match=match, **more)

    def settings(self, **changes: Any) -> CrmcomSettings:
        """Settings that fit this server, with changes."""
        given: dict[str, Any] = {
            "base_url": self.url + PREFIX,
            "username": USERNAME,
            "password": PASSWORD,
            "organisation": ORGANISATION,
            "unit": "Admin Unit",
        }
        return CrmcomSettings.model_validate({**given, **changes})

    def run(self, act: Callable[[CrmcomAdapter], Awaitable[Any]], **settings: Any) -> Any:
        """What `act` returns, with an adapter opened for it and closed after it."""

        async def whole() -> Any:
            zone = ZoneInfo("Europe/Helsinki")
            adapter = open_adapter(Opening(self.settings(**settings), zone, observe=self.calls.append))
            try:
                return await act(adapter)
            finally:
                await adapter.aclose()

        return asyncio.run(whole())

    def rows(self, table: str) -> list[dict[str, Any]]:
        """What one table of the server holds."""
        return self.control("GET", "/_records")[table]  # type: ignore[no-any-return]  # JSON

    def sent(self, part: str) -> list[dict[str, str]]:
        """The calls the server saw whose line has `part`."""
        return [call for call in self.control("GET", "/_calls") if part in call["line"]]


def _begin(servers: ExitStack, **options: Any) -> Server:
    app = simulator(**options)
    url = servers.enter_context(serving(app))
    assert isinstance(app.state, CrmcomState)
    return Server(url, app.state, [])


@pytest.fixture(scope="module")
def start() -> Iterator[Callable[..., Server]]:
    """Starts simulators with options; all end with the test file."""
    with ExitStack() as servers:
        yield lambda **options: _begin(servers, **options)


@pytest.fixture(scope="module")
def _quiet_server(start: Callable[..., Server]) -> Server:
    return start(demo_feed=False)


@pytest.fixture
def server(_quiet_server: Server) -> Server:
    """A simulator that makes no demo feed, empty at the start of each test."""
    _quiet_server.control("POST", "/_reset")
    _quiet_server.calls.clear()
    return _quiet_server


@pytest.fixture(scope="module")
def company() -> Callable[..., Company]:
    """Makes Vainu Oy as Vainu pushes it, with changes."""
    return _company


@pytest.fixture
def rich_company() -> Company:
    """Vainu Oy with two contacts and two leads."""
    contacts = (
        Contact("John", "Doe", "john@example.com", "", "CTO"),
        Contact("Jane", "Doe", "", "+123123123123", "CEO"),
    )
    leads = (
        Lead("New office", "https://news.example/1", "2018-06-15T11:47:39.479000", ("growth",)),
        Lead("New boss", "https://news.example/2", "2018-06-16"),
    )
    return _company(contacts=contacts, leads=leads)
