"""A simulated Apptivo over real HTTP, and an adapter opened on it."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import pytest

from adapters.apptivo import SPEC
from adapters.apptivo.simulator import DEMO_ACCESS_KEY, DEMO_API_KEY, ApptivoState, simulator
from adapters.contract import Adapter, CallRecord, Company, Opening
from adapters.deadline import Deadline
from adapters.serving import serving
from adapters.simulation import FaultRule, Simulator

NOW = datetime(2026, 3, 2, 12, 0, 0, tzinfo=UTC)
T = TypeVar("T")


@dataclass
class Bench:
    """One server, and adapters opened on it."""

    url: str
    app: Any
    calls: list[CallRecord] = field(default_factory=list)

    @property
    def state(self) -> ApptivoState:
        """What the simulated firm holds."""
        return self.app.state

    def fault(self, fault: Any, match: str = "", **rest: Any) -> None:
        """Put one fault in force."""
        self.app.journal.rules.append(FaultRule(fault, match, **rest))

    def lines(self, match: str = "") -> list[str]:
        """The calls seen that contain `match`, as the journal writes them."""
        return [call["line"] for call in self.app.journal.calls if match in call["line"]]

    def opened(self, fields: dict[str, str] | None = None, zone: str = "Europe/Helsinki", **settings: Any) -> Adapter:
        """An adapter on this server, with the demo's keys and any other settings."""
        given = {"base_url": self.url, "api_key": DEMO_API_KEY, "access_key": DEMO_ACCESS_KEY, **settings}
        return SPEC.open(
            Opening(
                settings=SPEC.settings.model_validate(given),
                zone=ZoneInfo(zone),
                fields=fields or {},
                observe=self.calls.append,
            )
        )

    def run(self, act: Callable[[Adapter, Deadline], Awaitable[T]], seconds: float = 5, **opening: Any) -> T:
        """What `act` returns or raises, on an adapter of its own and a loop of its own."""

        async def whole() -> T:
            adapter = self.opened(**opening)
            try:
                return await act(adapter, Deadline.after(seconds))
            finally:
                await adapter.aclose()

        return asyncio.run(whole())


def company(name: str = "Oy Samlink Ab", **parts: Any) -> Company:
    """A company as Vainu pushes one (S001's sample)."""
    document: dict[str, Any] = {
        "company_name": name,
        "business_id": "09704098",
        "link": "www.samlink.fi",
        "phone": "09548050",
        "email": None,
        "address": "Linnoitustie 9",
        "postal": "02600",
        "city": "ESPOO",
        "country": "FI",
        "turn_over": "93116557.0",
        "staff_number": "399",
        "industry": "Computer software",
        "vainu_link": "https://app.vainu.io/vainu/prospect/253870/",
        **parts.pop("document", {}),
    }
    given = {"business_id": "09704098", "country": "FI", "domain": "samlink.fi", "vid": 253870, **parts}
    return Company(name=name, document=document, **given)


@pytest.fixture(scope="module")
def _served() -> Iterator[tuple[Simulator, str]]:
    app = simulator(now=lambda: NOW)
    with serving(app) as url:
        yield app, url


@pytest.fixture
def bench(_served: tuple[Simulator, str]) -> Bench:
    app, url = _served
    app.state.reset()
    app.journal.rules.clear()
    app.journal.calls.clear()
    return Bench(url, app)


@pytest.fixture
def pushed() -> Callable[..., Company]:
    return company


@pytest.fixture
def bench_on() -> Callable[[str], Bench]:
    """A bench on any other server that acts as an Apptivo."""
    return lambda url: Bench(url, None)
