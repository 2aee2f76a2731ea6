"""Sign-in through an OpenID provider: authorization code with PKCE, `state` and `nonce`; the ID token verified.

OpenID Connect Core 1.0 section 3.1, Discovery 1.0 section 4, RFC 7636, RFC 9207. authlib does what needs no
transport, for its own clients want another fork of httpx; calls go through the adapters' client, with their limits.
"""

import base64
import hmac
import json
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote_plus

from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from authlib.oidc.discovery import get_well_known_url
from joserfc.errors import JoseError

from adapters.addresses import check_base_url
from adapters.contract import BadCredentials, Refused, RemoteError
from adapters.deadline import Deadline
from adapters.http import RemoteClient
from gateway.auth.errors import AuthUnavailable, Unauthorized
from gateway.auth.jwks_registry import JwksRegistry
from gateway.auth.jwt import genuine
from gateway.auth.settings import ALGORITHMS
from gateway.console.oidc_transaction import ProviderUnavailable, SignInRefused, Transaction
from gateway.settings.model import OidcSettings

_SECONDS = 8.0
_FRESH_SECONDS = 300.0
_LEEWAY_SECONDS = 30
_SCOPE = "openid email"
_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")


class Provider:
    """The OpenID provider of the settings. `now` gives Unix seconds."""

    def __init__(self, settings: OidcSettings, jwks: JwksRegistry, now: Callable[[], float]) -> None:
        self.settings = settings
        self._jwks = jwks
        self._now = now
        self._known: dict[str, Any] = {}
        self._known_until = 0.0
        self._secret = settings.client_secret.get_secret_value()

    async def authorization_url(self, transaction: Transaction, returns_to: str) -> str:
        """Where the browser signs in; `ProviderUnavailable`."""
        metadata = await self._metadata()
        url: str = prepare_grant_uri(
            metadata["authorization_endpoint"],
            self.settings.client_id,
            "code",
            redirect_uri=returns_to,
            scope=_SCOPE,
            state=transaction.state,
            nonce=transaction.nonce,
            code_challenge=create_s256_code_challenge(transaction.verifier),
            code_challenge_method="S256",
        )
        return url

    async def email_of(self, answer: Mapping[str, str], transaction: Transaction, returns_to: str) -> str:
        """The verified and allowed address behind the provider's answer; `SignInRefused`, `ProviderUnavailable`."""
        code = self._code_of(answer, transaction)
        metadata = await self._metadata()
        token = await self._id_token(metadata, code, transaction, returns_to)
        claims = await self._valid_claims(token, metadata, transaction)
        return self._allowed_email(claims)

    def _code_of(self, answer: Mapping[str, str], transaction: Transaction) -> str:
        if not hmac.compare_digest(answer.get("state", "").encode(), transaction.state.encode()):
            raise SignInRefused("oidc_state", "the answer belongs to another sign-in; begin again")
        if answer.get("iss", self.settings.issuer).rstrip("/") != self.settings.issuer.rstrip("/"):
            # RFC 9207: an answer of another provider
            raise SignInRefused("oidc_issuer", "the answer is another provider's; begin again")
        if "error" in answer or not answer.get("code"):
            raise SignInRefused("oidc_declined", "the identity provider did not sign you in")
        return answer["code"]

    async def _id_token(
        self, metadata: Mapping[str, Any], code: str, transaction: Transaction, returns_to: str
    ) -> bytes:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": returns_to,
            "code_verifier": transaction.verifier,
        }
        headers = {}
        if "client_secret_post" in (metadata.get("token_endpoint_auth_methods_supported") or ()):
            form |= {"client_id": self.settings.client_id, "client_secret": self._secret}
        else:
            headers["Authorization"] = self._basic()
        try:
            reply = await self._call("POST", metadata["token_endpoint"], form=form, headers=headers)
        except BadCredentials as refused:
            raise ProviderUnavailable(
                "the identity provider refuses operator.oidc.client_id or its secret"
            ) from refused
        except Refused as refused:
            raise SignInRefused("oidc_code", "the identity provider did not accept the code; begin again") from refused
        token = reply.get("id_token")
        if not isinstance(token, str):
            raise ProviderUnavailable("the identity provider answered without an ID token")
        return token.encode("utf-8", "replace")

    def _basic(self) -> str:
        """RFC 6749 section 2.3.1: both parts are form-encoded before they are joined."""
        pair = f"{quote_plus(self.settings.client_id)}:{quote_plus(self._secret)}"
        return f"Basic {base64.b64encode(pair.encode()).decode()}"

    async def _valid_claims(
        self, token: bytes, metadata: Mapping[str, Any], transaction: Transaction
    ) -> dict[str, Any]:
        try:
            signed = await genuine(token, ALGORITHMS, self._jwks.of(metadata["jwks_uri"], self.settings))
            claims = CodeIDToken(
                json.loads(signed.payload or b""),
                signed.headers(),
                options={
                    "iss": {"essential": True, "value": metadata["issuer"]},
                    "aud": {"essential": True, "value": self.settings.client_id},
                },
                params={"nonce": transaction.nonce, "client_id": self.settings.client_id},
            )
            claims.validate(now=int(self._now()), leeway=_LEEWAY_SECONDS)
        except AuthUnavailable as error:
            raise ProviderUnavailable("the identity provider's keys cannot be fetched now") from error
        except (Unauthorized, JoseError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise SignInRefused("oidc_token", "the identity provider's ID token is not valid here") from error
        return dict(claims)

    def _allowed_email(self, claims: Mapping[str, Any]) -> str:
        email = claims.get("email")
        if not isinstance(email, str) or claims.get("email_verified") not in (True, "true"):
            raise SignInRefused("oidc_email", "the identity provider names no verified e-mail address for you")
        if email.lower() not in {allowed.lower() for allowed in self.settings.allowed_emails}:
            raise SignInRefused("oidc_not_allowed", "your address is not in operator.oidc.allowed_emails")
        return email.lower()

    async def _metadata(self) -> dict[str, Any]:
        """What the provider says of itself, asked once in a while: whoever presses the button does not press it."""
        now = time.monotonic()
        if now >= self._known_until:
            self._known, self._known_until = await self._discovered(), now + _FRESH_SECONDS
        return self._known

    async def _discovered(self) -> dict[str, Any]:
        issuer = self.settings.issuer
        try:
            metadata = await self._call("GET", get_well_known_url(issuer, external=True))
        except Refused as refused:
            raise ProviderUnavailable(f"there is no identity provider at operator.oidc.issuer: {refused}") from refused
        if str(metadata.get("issuer", "")).rstrip("/") != issuer.rstrip("/"):
            raise ProviderUnavailable("the identity provider calls itself otherwise than operator.oidc.issuer does")
        for name in _ENDPOINTS:
            self._check_address(name, str(metadata.get(name, "")))
        return metadata

    def _check_address(self, name: str, address: str) -> None:
        try:
            check_base_url(address.partition("?")[0], allow_http=self.settings.allow_http)
        except ValueError as error:
            raise ProviderUnavailable(f"the identity provider's {name} is no address that may be used") from error

    async def _call(self, method: Any, url: str, **options: Any) -> dict[str, Any]:
        client = RemoteClient("oidc", url, secrets=[self._secret], upstream=self.settings)
        try:
            reply = await client.call(
                method, url, action="sign_in", deadline=Deadline.after(_SECONDS), safe=method == "GET", **options
            )
            found = reply.json()
        except Refused:
            raise
        except RemoteError as error:
            raise ProviderUnavailable(f"the identity provider cannot be asked now: {error.detail}") from error
        finally:
            await client.aclose()
        if not isinstance(found, dict):
            raise ProviderUnavailable("the identity provider answered something that nobody understands")
        return found
