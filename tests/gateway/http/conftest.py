"""One gateway with every kind of credential for the tests of a module, on real simulators and a real token issuer."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from adapters.serving import serving
from tests.harness import KEY, Gateway, Upstream, configuration, running_gateway, running_upstream

ISSUER = "https://idp.example.com/"
SIGNING_KEY = RSAKey.generate_key(2048, {"kid": "one"})
PASSWORD = "basic-password-for-tests-0123"
URL_TOKEN = "url-token-for-tests-0123456789"
MAX_BODY = 8_192
BODY_SECONDS = 0.4


@dataclass(frozen=True)
class World:
    """What the tests of a module share."""

    upstream: Upstream
    gateway: Gateway
    folder: Path


def _jwks() -> Starlette:
    async def keys(_request: Request) -> JSONResponse:
        return JSONResponse({"keys": [SIGNING_KEY.as_dict(private=False)]})

    return Starlette(routes=[Route("/jwks.json", keys)])


def auth_of(issuer: str) -> dict[str, Any]:
    return {
        "api_keys": [KEY],
        "basic": [{"username": "vainu", "password": PASSWORD}],
        "url_tokens": [URL_TOKEN],
        "jwt": {"issuer": ISSUER, "audience": "gateway", "jwks_url": f"{issuer}/jwks.json"},
    }


@pytest.fixture(scope="session")
def issuer() -> Iterator[str]:
    """The address of a token issuer that publishes its keys."""
    with serving(_jwks()) as url:
        yield url


@pytest.fixture(scope="module")
def world(issuer: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A gateway with small limits for bodies, and generous ones for how often it may be called."""
    folder = tmp_path_factory.mktemp("world")
    with running_upstream() as upstream:
        document = configuration(
            upstream.url,
            folder,
            server={
                "max_body_bytes": MAX_BODY,
                "body_timeout_seconds": BODY_SECONDS,
                "requests_per_second": 100_000,
                "failed_signins_per_minute": 100_000,
            },
            connections={"acme": {"auth": auth_of(issuer)}},
        )
        with running_gateway(document) as gateway:
            yield World(upstream, gateway, folder)


@pytest.fixture(scope="session")
def token() -> Callable[..., str]:
    def signed(key: RSAKey = SIGNING_KEY, **changes: Any) -> str:
        """A signed JWT with valid claims, changed as told; None leaves a claim out."""
        claims = {
            "iss": ISSUER,
            "aud": "gateway",
            "sub": "vainu",
            "exp": int(time.time()) + 600,
            "scope": "gateway:feed",
        }
        claims = {name: value for name, value in (claims | changes).items() if value is not None}
        return jwt.encode({"alg": "RS256", "kid": "one"}, claims, key)

    return signed
