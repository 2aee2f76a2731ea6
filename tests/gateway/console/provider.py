"""A small OpenID provider over real HTTP: it signs in whoever it is told to, and can be told to misbehave."""

import base64
import contextlib
import hashlib
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlencode

from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from adapters.serving import serving

CLIENT_ID = "gateway-console"
CLIENT_SECRET = "oidc client secret: of the tests/+"
EMAIL = "ann@example.com"
SIGNING_KEY = RSAKey.generate_key(2048, {"kid": "provider"})


@dataclass
class Provider:
    """The provider's state; a test changes it, and `forget` takes the changes back."""

    url: str = ""
    claims: dict[str, Any] = field(default_factory=dict)
    """Laid over the claims of every ID token; None takes one away."""
    key: RSAKey = field(default_factory=lambda: SIGNING_KEY)
    metadata: dict[str, Any] = field(default_factory=dict)
    answer: dict[str, str] = field(default_factory=dict)
    """Laid over the parameters of the way back."""
    asks: bool = False
    """Whether a person has to press a button, or is signed in already."""
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    seen: list[dict[str, str]] = field(default_factory=list)
    """Every request to sign in."""

    def forget(self) -> None:
        """As at the start."""
        fresh = Provider(self.url)
        self.claims, self.key, self.metadata, self.answer = fresh.claims, fresh.key, fresh.metadata, fresh.answer
        self.asks, self.seen = False, []

    async def discovery(self, _request: Request) -> Response:
        return JSONResponse(
            {
                "issuer": self.url,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                "jwks_uri": f"{self.url}/jwks",
                "response_types_supported": ["code"],
                **self.metadata,
            }
        )

    async def jwks(self, _request: Request) -> Response:
        return JSONResponse({"keys": [SIGNING_KEY.as_dict(private=False)]})

    async def authorize(self, request: Request) -> Response:
        asked = dict(request.query_params)
        self.seen.append(asked)
        if self.asks and "pressed" not in asked:
            fields = "".join(f'<input type="hidden" name="{name}" value="{value}">' for name, value in asked.items())
            button = '<button name="pressed" value="yes">I am Ann</button>'
            return HTMLResponse(f"<!doctype html><title>Provider</title><form>{fields}{button}</form>")
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        back = {"code": code, "state": asked["state"], "iss": self.url, **self.answer}
        return RedirectResponse(f"{asked['redirect_uri']}?{urlencode(back)}", 302)

    async def token(self, request: Request) -> Response:
        form = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
        asked = self.codes.pop(form.get("code", ""), None)
        if not self._is_our_client(request):
            return JSONResponse({"error": "invalid_client"}, 401)
        if asked is None or asked["redirect_uri"] != form["redirect_uri"] or not _proves(form, asked):
            return JSONResponse({"error": "invalid_grant"}, 400)
        now = int(time.time())
        claims = {
            "iss": self.url, "aud": CLIENT_ID, "sub": "42", "iat": now, "exp": now + 300,
            "nonce": asked["nonce"], "email": EMAIL, "email_verified": True, **self.claims,
        }  # fmt: skip
        claims = {name: value for name, value in claims.items() if value is not None}
        token = jwt.encode({"alg": "RS256", "kid": "provider"}, claims, self.key)
        return JSONResponse({"access_token": "unused", "token_type": "Bearer", "id_token": token})

    def _is_our_client(self, request: Request) -> bool:
        kind, _, pair = request.headers.get("authorization", "").partition(" ")
        client, _, secret = base64.b64decode(pair).decode().partition(":")
        return kind == "Basic" and (unquote_plus(client), unquote_plus(secret)) == (CLIENT_ID, CLIENT_SECRET)


def _proves(form: dict[str, str], asked: dict[str, str]) -> bool:
    """PKCE, S256 only (RFC 7636 section 4.6)."""
    digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
    challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    return asked.get("code_challenge_method") == "S256" and asked.get("code_challenge") == challenge


@contextlib.contextmanager
def running_provider() -> Iterator[Provider]:
    """The provider, on a free port."""
    provider = Provider()
    routes = [
        Route("/.well-known/openid-configuration", provider.discovery),
        Route("/jwks", provider.jwks),
        Route("/authorize", provider.authorize),
        Route("/token", provider.token, methods=["POST"]),
    ]
    with serving(Starlette(routes=routes)) as url:
        provider.url = url
        yield provider
