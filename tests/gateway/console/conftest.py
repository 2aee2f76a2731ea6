"""A gateway for the tests of a module, with a clock that they may set, and an OpenID provider beside it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gateway.clock import now_ms
from tests.gateway.console.provider import CLIENT_ID, CLIENT_SECRET, EMAIL, Provider, running_provider
from tests.gateway.console.visitor import Visitor, signed_in
from tests.harness import Gateway, Upstream, configuration, running_gateway, running_upstream


@dataclass
class Hands:
    """A clock ahead of the system's by as much as a test says."""

    ahead_ms: int = 0

    def __call__(self) -> int:
        return now_ms() + self.ahead_ms


@dataclass(frozen=True)
class World:
    """What the tests of a module share."""

    upstream: Upstream
    gateway: Gateway
    provider: Provider
    folder: Path
    hands: Hands = field(default_factory=Hands)


def oidc(provider: Provider) -> dict[str, object]:
    return {
        "issuer": provider.url,
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "allowed_emails": [EMAIL.title()],
    }


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A gateway that takes tokens and the provider's word, with generous limits."""
    folder, hands = tmp_path_factory.mktemp("console"), Hands()
    limits = {"failed_signins_per_minute": 100_000, "requests_per_second": 100_000, "drain_seconds": 0}
    with running_upstream() as upstream, running_provider() as provider:

        def document(url: str) -> dict[str, object]:
            return configuration(
                upstream.url, folder, server={**limits, "public_url": url}, operator={"oidc": oidc(provider)}
            )

        with running_gateway(document, hands) as gateway:
            yield World(upstream, gateway, provider, folder, hands)


@pytest.fixture
def visitor(world: World) -> Visitor:
    """Somebody new."""
    world.provider.forget()
    return Visitor(world.gateway.url)


@pytest.fixture
def operator(world: World) -> Visitor:
    """Somebody who is signed in, with a page open."""
    return signed_in(world.gateway.url)
