"""The decision who is admitted: to a connection (`Gate`), and to the operator's side (`OperatorGate`)."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pydantic import SecretStr

from gateway.auth.credentials import Presented, digest
from gateway.auth.errors import Forbidden, Unauthorized
from gateway.auth.jwks_registry import JwksRegistry
from gateway.auth.proofs import ComparedSecrets, Method, ProofTable, name_of, position, stored_digests
from gateway.auth.settings import AuthSettings, JwtSettings

if TYPE_CHECKING:
    from gateway.auth.jwt import VerifiedToken

Scope = Literal["gateway:export", "gateway:feed", "gateway:webhooks", "gateway:events"]
SCOPES: frozenset[str] = frozenset({"gateway:export", "gateway:feed", "gateway:webhooks", "gateway:events"})
"""What a JWT may be allowed to do (CONTRACT section 4); any other credential may do all of it."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who was admitted to a connection."""

    connection: str
    method: Method
    name: str
    """A stable identity that is no secret, for rate limits."""
    scopes: frozenset[str]

    @property
    def log_name(self) -> str:
        """The name for logs: that of a JWT is what its issuer calls a person or a program, and so stays out of them."""
        return name_of(digest(self.name.encode("utf-8", "surrogatepass"))) if self.method == "jwt" else self.name

    @property
    def rate_key(self) -> str:
        """What a rate limit counts by: the same caller by the same method at the same connection."""
        return f"{self.connection}/{self.method}/{self.name}"


@dataclass(frozen=True, slots=True)
class Operator:
    """Somebody who presented an operator token."""

    name: str
    """A stable identity that is no secret."""


class Gate:
    """Who may call which connection; any one credential that matches admits.

    A connection that does not exist is judged like one whose credentials nobody has: the same comparisons, the
    same verification of a JWT, the same answer. `now` gives Unix seconds; pass the `jwks` of the gate before, so
    that fetched keys outlive a reload of the settings.
    """

    def __init__(
        self,
        connections: Mapping[str, AuthSettings],
        jwks: JwksRegistry | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.jwks = jwks or JwksRegistry()
        self._now = now
        self._proofs = ProofTable(
            {name: ComparedSecrets(auth.api_keys, auth.basic, auth.url_tokens) for name, auth in connections.items()}
        )
        self._jwt = {name: auth.jwt for name, auth in connections.items() if auth.jwt is not None}
        self._decoy_jwt: JwtSettings | None = next(iter(self._jwt.values()), None)
        if self._jwt:
            # now, not with the first call, which would wait a tenth of a second for it
            import gateway.auth.jwt  # noqa: F401 - for `_verified`, as said above

    async def admit(self, connection: str, presented: Presented, scope: Scope) -> Caller:
        """The caller; raises `Unauthorized`, `Forbidden` or `AuthUnavailable`."""
        proof = self._proofs.match(connection, presented)
        if proof is not None:
            return Caller(connection, proof.method, proof.name, SCOPES)
        token = await self._verified(connection, presented)
        if token is None:
            raise Unauthorized("no_credentials" if presented.is_empty else "wrong_credentials")
        if token.connections is not None and connection not in token.connections:
            raise Forbidden("other_connection", "the token is not for this connection: its claim connections lacks it")
        if scope not in token.scopes:
            raise Forbidden("missing_scope", f"the token lacks the scope {scope}")
        return Caller(connection, "jwt", token.name, token.scopes)

    async def _verified(self, connection: str, presented: Presented) -> "VerifiedToken | None":
        settings = self._jwt.get(connection, self._decoy_jwt)
        if presented.bearer is None or settings is None:
            return None
        # imported here: where no JWT is configured, what reads them is never loaded, 10 MB of memory
        from gateway.auth.jwt import verify

        token = await verify(presented.bearer, settings, self.jwks.of(settings.jwks_url, settings), self._now)
        # what the decoy's issuer signed proves nothing here
        return token if connection in self._jwt else None


class OperatorGate:
    """Who may use /api, /console and /metrics: whoever presents one of the operator tokens as Bearer."""

    def __init__(self, tokens: Iterable[SecretStr]) -> None:
        self._digests = stored_digests(tokens)

    def admit(self, presented: Presented) -> Operator:
        """The operator; raises `Unauthorized`."""
        if presented.bearer is None:
            raise Unauthorized("no_credentials" if presented.is_empty else "wrong_credentials")
        return self.admit_token(presented.bearer)

    def admit_token(self, token: bytes) -> Operator:
        """The operator of a token that came otherwise, as through the console's sign-in form; or `Unauthorized`."""
        found = position(digest(token), self._digests) if token else None
        if found is None:
            raise Unauthorized("wrong_credentials")
        return Operator(name_of(self._digests[found]))
