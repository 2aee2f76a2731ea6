"""What the tests of the contract stand on: the simulator of one class, adapters opened on it, the author's hooks."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar
from zoneinfo import ZoneInfo

import pytest
from pydantic import BaseModel, SecretStr
from starlette.types import ASGIApp, Receive, Scope, Send

from adapters.contract import Adapter, AdapterSpec, Company, Contact, Lead, Opening
from adapters.deadline import Deadline
from adapters.serving import serving
from adapters.simulation import Fault, FaultRule, Simulator

ENOUGH_SECONDS = 10.0

T = TypeVar("T")


class Wire:
    """A simulator over HTTP that can be made to answer every call with one odd answer."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self.answer: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        await (self.answer or self.simulator)(scope, receive, send)

    def reset(self) -> None:
        """Back to the state at start, whole and without a fault."""
        self.answer = None
        self.simulator.state.reset()
        self.simulator.journal.rules.clear()


@dataclass(frozen=True, slots=True)
class Remote:
    """The simulated CRM of one test."""

    url: str
    wire: Wire

    def size(self) -> int:
        """How many objects the simulator holds, on all levels: what doubles shows here."""
        return _objects_in(self.wire.simulator.state.dump())

    def fault(self, fault: Fault, seconds: float) -> None:
        """Break every call from now on."""
        self.wire.simulator.journal.rules.append(FaultRule(fault, seconds=seconds))

    def answer_all(self, answer: ASGIApp) -> None:
        """Give this answer to every call from now on."""
        self.wire.answer = answer


class Hooks:
    """What the author of an adapter gives, and what the tests make of it."""

    spec: ClassVar[AdapterSpec]
    zone: ClassVar[str] = "Europe/Helsinki"
    unknown_id: ClassVar[str] = "999999999"
    """A well-formed id that the simulator has not given out."""

    def simulator(self) -> Simulator:
        """A fresh simulator of the CRM."""
        raise NotImplementedError

    def settings(self, url: str) -> dict[str, Any]:
        """The adapter's table for a simulator at `url`, as TOML would give it."""
        raise NotImplementedError

    def wrong_credentials(self) -> dict[str, Any]:
        """Settings, laid over the others, that the simulator does not accept."""
        raise NotImplementedError

    def webhook(self, record_id: str) -> object:
        """The JSON body of a webhook of the CRM about this customer; None where the adapter reads no webhooks."""
        del record_id
        return None

    def company(self, **changes: Any) -> Company:
        """A made-up company with all its parts."""
        name, business_id = changes.get("name", "Kontrakti & Söhne Oy"), changes.get("business_id", "28229966")
        given: dict[str, Any] = {
            "name": name,
            "business_id": business_id,
            "country": "FI",
            "domain": "kontrakti.example",
            "vid": 253870,
            "document": {"company_name": name, "business_id": business_id, "country": "FI", "city": "Helsinki"},
            "contacts": (
                Contact("Anna", "Åkesson", "anna@kontrakti.example", "+358 40 123 4567", "CEO"),
                Contact("Bo", "Berg", "bo@kontrakti.example"),
            ),
            "leads": (Lead("Opens a shop", "https://news.example/1", "2026-05-04T07:11:26", ("growth",)),),
        }
        return Company(**{**given, **changes})

    @pytest.fixture(scope="class")
    @classmethod
    def served(cls) -> Iterator[Remote]:
        """The simulator, served over HTTP on loopback."""
        wire = Wire(cls().simulator())
        with serving(wire) as url:
            yield Remote(url, wire)

    @pytest.fixture
    def remote(self, served: Remote) -> Remote:
        """The simulator as it was at its start."""
        served.wire.reset()
        return served

    def open(self, url: str, **changes: Any) -> Adapter:
        """The adapter on a simulator, as the gateway opens it."""
        settings = self.spec.settings.model_validate({**self.settings(url), **changes}, context={"environ": {}})
        return self.spec.open(Opening(settings, ZoneInfo(self.zone)))

    def run(self, remote: Remote, act: Callable[[Adapter], Awaitable[T]], **changes: Any) -> T:
        """What `act` returns or raises, on an adapter and an event loop of its own."""

        async def whole() -> T:
            adapter = self.open(remote.url, **changes)
            try:
                return await act(adapter)
            finally:
                await adapter.aclose()

        return asyncio.run(whole())

    def created(self, remote: Remote, **changes: Any) -> str:
        """The id of a company that was just made."""
        return self.run(remote, lambda adapter: adapter.create(self.company(**changes), enough()))

    def found(self, remote: Remote, **changes: Any) -> list[tuple[str, str]]:
        """What `find` says of a company: (id, by)."""
        matches = self.run(remote, lambda adapter: adapter.find(self.company(**changes), enough()))
        return [(match.record_id, match.by) for match in matches]


def enough() -> Deadline:
    """A deadline that a simulator keeps easily."""
    return Deadline.after(ENOUGH_SECONDS)


def _objects_in(value: object) -> int:
    if isinstance(value, Mapping):
        return 1 + sum(map(_objects_in, value.values()))
    return sum(map(_objects_in, value)) if isinstance(value, list | tuple) else 0


def secrets_in(settings: BaseModel) -> list[str]:
    """Every secret of the settings, in plain."""
    values = (getattr(settings, name) for name in type(settings).model_fields)
    return [value.get_secret_value() for value in values if isinstance(value, SecretStr)]


def leaks(text: str, settings: BaseModel) -> bool:
    """Whether a secret of the settings shows in a text."""
    return any(secret in text for secret in secrets_in(settings))
