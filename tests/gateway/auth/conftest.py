"""A token issuer of the tests: it signs, publishes its keys over real HTTP, and breaks on demand."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey, RSAKey
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from adapters.serving import serving
from adapters.simulation import FaultRule, Simulator, build
from gateway.auth.settings import JwtSettings

ISSUER = "https://idp.example.com/"
SigningKey = RSAKey | ECKey | OKPKey
RSA = RSAKey.generate_key(2048, {"kid": "rsa-1"})
EC = ECKey.generate_key("P-256", {"kid": "ec-1"})


@dataclass
class Issuer:
    """What an identity provider does, as far as the gateway sees it."""

    keys: list[Any] = field(default_factory=list)
    url: str = ""
    simulator: Simulator = field(init=False)

    def __post_init__(self) -> None:
        self.simulator = build(self, [Route("/jwks.json", self.publish)])

    async def publish(self, _request: Request) -> Response:
        """The JWK set."""
        return JSONResponse({"keys": self.keys})

    def dump(self) -> Any:
        """The simulator's records."""
        return self.keys

    def reset(self) -> None:
        """The keys at start."""
        self.keys = [RSA.as_dict(private=False), EC.as_dict(private=False)]

    def start_anew(self) -> None:
        """The keys at start, no faults, no calls."""
        self.reset()
        self.recover()
        self.simulator.journal.calls.clear()

    @property
    def fetches(self) -> int:
        """How often the keys were asked for."""
        return len(self.simulator.journal.calls)

    def fail(self, rule: FaultRule) -> None:
        """Break from now on."""
        self.simulator.journal.rules.append(rule)

    def recover(self) -> None:
        """Work again."""
        self.simulator.journal.rules.clear()

    @property
    def settings(self) -> JwtSettings:
        """How a connection trusts this issuer."""
        return JwtSettings(issuer=ISSUER, audience="gateway", jwks_url=f"{self.url}/jwks.json")


@pytest.fixture(scope="session")
def serving_issuer() -> Iterator[Issuer]:
    made = Issuer()
    with serving(made.simulator) as url:
        made.url = url
        yield made


@pytest.fixture
def issuer(serving_issuer: Issuer) -> Issuer:
    serving_issuer.start_anew()
    return serving_issuer


@pytest.fixture
def claims() -> Callable[..., dict[str, Any]]:
    def of(**changes: Any) -> dict[str, Any]:
        """Valid claims with changes; a change to None leaves the claim out."""
        now = int(time.time())
        valid = {"iss": ISSUER, "aud": "gateway", "sub": "vainu", "exp": now + 600, "scope": "gateway:feed"}
        return {name: value for name, value in {**valid, **changes}.items() if value is not None}

    return of


@pytest.fixture
def sign(claims: Callable[..., dict[str, Any]]) -> Callable[..., bytes]:
    def token(key: SigningKey = RSA, alg: str = "RS256", header: dict[str, Any] | None = None, **changes: Any) -> bytes:
        """A signed token with valid claims, changed as told."""
        spoken = {"alg": alg, "kid": key.kid, **(header or {})}
        spoken = {name: value for name, value in spoken.items() if value is not None}
        return jwt.encode(spoken, claims(**changes), key, algorithms=[alg]).encode()

    return token
