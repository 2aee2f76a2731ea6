"""`[connections.X.auth]`: who may call a connection; any one that matches admits (CONTRACT section 3)."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from adapters.addresses import check_base_url
from adapters.secrets import SecretDigest
from adapters.upstream import UpstreamSettings

Algorithm = Literal[
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"
]  # fmt: skip
"""The signature algorithms a JWT may use (RFC 7518, RFC 8037, RFC 9864): asymmetric ones only, never `none`."""

ALGORITHMS: tuple[Algorithm, ...] = (
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519",
)  # fmt: skip


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class BasicCredential(_Table):
    """A user name and its password (RFC 7617); of the password only the digest is kept."""

    username: str = Field(min_length=1)
    password: SecretDigest

    @field_validator("username")
    @classmethod
    def _check_username(cls, value: str) -> str:
        # RFC 7617 section 2: neither can be sent in a user name
        if ":" in value or not value.isprintable():
            raise ValueError("expected a user name without colons and control characters")
        return value


class JwtSettings(UpstreamSettings):
    """The issuer whose JSON Web Tokens are believed, and where its keys are."""

    issuer: str = Field(min_length=1)
    audience: str = Field(min_length=1)
    jwks_url: str
    algorithms: tuple[Algorithm, ...] = Field(default=ALGORITHMS, min_length=1)
    leeway_seconds: int = Field(default=30, ge=0, le=600)
    """How far the issuer's clock may be from ours."""

    @field_validator("jwks_url")
    @classmethod
    def _check_jwks_url(cls, value: str, info: ValidationInfo) -> str:
        # some issuers tell their key sets apart by a query (Azure AD B2C: ?p=policy)
        check_base_url(value.partition("?")[0], allow_http=bool(info.data.get("allow_http", False)))
        return value


class AuthSettings(_Table):
    """Every credential that admits to one connection."""

    api_keys: tuple[SecretDigest, ...] = ()
    basic: tuple[BasicCredential, ...] = ()
    jwt: JwtSettings | None = None
    url_tokens: tuple[SecretDigest, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nobody can be admitted."""
        return not (self.api_keys or self.basic or self.jwt or self.url_tokens)
