"""The settings as types; a field's docstring or comment is its documentation in the README's table."""

from collections.abc import Iterator, Mapping
from ipaddress import IPv4Network, IPv6Network
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from adapters.addresses import check_base_url
from adapters.aixon.models import AixonSettings
from adapters.secrets import Secret, SecretDigest
from adapters.vainu.models import VainuSettings
from gateway.auth.settings import AuthSettings, BasicCredential

Milliseconds = Annotated[int, Field(ge=50, le=600_000)]


class Section(BaseModel):
    """A table of the file: frozen, no unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ServerSettings(Section):
    """`[server]`: the listening side."""

    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    public_url: str | None = None
    max_body_bytes: int = Field(default=1_048_576, ge=1_024, le=1_073_741_824)
    body_timeout_seconds: float = Field(default=10, gt=0, le=600)
    requests_per_second: int = Field(default=500, ge=1)
    failed_signins_per_minute: int = Field(default=20, ge=1)
    drain_seconds: float = Field(default=30, ge=0, le=3600)
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = ()

    @field_validator("public_url")
    @classmethod
    def _check_public_url(cls, value: str | None) -> str | None:
        return value if value is None else check_base_url(value, allow_http=True)


class StorageSettings(Section):
    """`[storage]`: where links, exports and deliveries are kept."""

    url: str = "sqlite:///gateway.db"
    retention_days: int = Field(default=30, ge=1, le=36_500)

    @field_validator("url")
    @classmethod
    def _check_url(cls, value: str) -> str:
        try:
            url = make_url(value)
        except (ArgumentError, ValueError):
            url = None
        if url is None or url.get_backend_name() not in ("sqlite", "postgresql"):
            raise ValueError('expected "sqlite:///file.db" or "postgresql://user@host/db"')
        if url.get_backend_name() == "sqlite" and url.database in (None, "", ":memory:"):
            raise ValueError("expected a file: work that is only in memory is lost at the first restart")
        return value


class OidcSettings(Section):
    """`[operator.oidc]`: sign-in to the console through an identity provider."""

    issuer: str
    client_id: str
    client_secret: Secret
    allowed_emails: tuple[str, ...]
    allow_http: bool = False

    @model_validator(mode="after")
    def _check_issuer(self) -> Self:
        check_base_url(self.issuer, allow_http=self.allow_http)
        return self


class OperatorSettings(Section):
    """`[operator]`: who may use /api, /console and /metrics."""

    tokens: tuple[SecretDigest, ...] = ()
    oidc: OidcSettings | None = None


class HmacSettings(Section):
    """One way in which a CRM signs its webhooks; `secret` may be one of several that are valid at once."""

    secret: Secret
    scheme: Literal["standard", "header"] = "standard"
    header: str = "X-Signature"
    algorithm: Literal["sha1", "sha256", "sha384", "sha512"] = "sha256"
    encoding: Literal["hex", "base64"] = "hex"
    prefix: str = ""


class WebhookSettings(Section):
    """`[connections.X.webhooks]`: how the CRM proves itself; any one that matches admits."""

    hmac: tuple[HmacSettings, ...] = ()
    basic: tuple[BasicCredential, ...] = ()
    api_keys: tuple[SecretDigest, ...] = ()
    url_tokens: tuple[SecretDigest, ...] = ()
    tolerance_seconds: int = Field(default=300, ge=1, le=86_400)


class ExportSettings(Section):
    """`[connections.X.export]`."""

    budget_ms: Milliseconds = 2_500
    when_slow: Literal["accept", "fail"] = "accept"
    settle_seconds: float = Field(default=6, ge=0, le=600)
    fields: Mapping[str, str] = Field(default_factory=dict)


class FeedSettings(Section):
    """`[connections.X.feed]`."""

    budget_ms: Milliseconds = 2_500
    limit: int = Field(default=200, ge=1, le=10_000)
    stale_seconds: float = Field(default=300, ge=0, le=86_400)


class ConnectionSettings(Section):
    """`[connections.X]`: one Vainu account joined to one CRM account."""

    name: str
    crm: str
    timezone: ZoneInfo = ZoneInfo("UTC")
    auth: AuthSettings
    webhooks: WebhookSettings = WebhookSettings()
    adapter: Any
    """The adapter's own table (`[connections.X.apptivo]`), an instance of its spec's settings model."""
    vainu: VainuSettings | None = None
    aixon: AixonSettings | None = None
    export: ExportSettings = ExportSettings()
    feed: FeedSettings = FeedSettings()

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    def secret_values(self) -> list[str]:
        """Every secret of the connection that the gateway knows in plain, for redaction only."""
        return list(_secrets_in(self))


def _secrets_in(value: object) -> Iterator[str]:
    if isinstance(value, SecretStr):
        yield value.get_secret_value()
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _secrets_in(getattr(value, name))
    elif isinstance(value, tuple | list):
        for item in value:
            yield from _secrets_in(item)


class Settings(Section):
    """The whole configuration."""

    server: ServerSettings = ServerSettings()
    storage: StorageSettings = StorageSettings()
    operator: OperatorSettings = OperatorSettings()
    connections: Mapping[str, ConnectionSettings] = Field(default_factory=dict)

    @property
    def public_url(self) -> str:
        """The address under which callers reach the gateway, without a trailing slash."""
        return self.server.public_url or f"http://{self.server.host}:{self.server.port}"
