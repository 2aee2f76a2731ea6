"""The settings as types; a field's docstring or comment is its documentation in the README's table."""

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    PrivateAttr,
    SecretStr,
    ValidationInfo,
    field_serializer,
    field_validator,
)
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from adapters.addresses import check_base_url
from adapters.aixon.models import AixonSettings
from adapters.secrets import Referable, Secret, SecretDigest
from adapters.upstream import UpstreamSettings
from adapters.vainu.models import VainuSettings
from gateway.auth.settings import AuthSettings, BasicCredential
from gateway.retry import Policy

Milliseconds = Annotated[int, Field(ge=50, le=600_000)]


class Section(BaseModel):
    """A table of the file: frozen, no unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


def _network(value: object) -> IPv4Network | IPv6Network:
    # not pydantic's own types: a union of two would tell every fault twice
    try:
        return ip_network(value if isinstance(value, str) else "")
    except ValueError:
        raise ValueError('expected a network such as "10.0.0.0/8"') from None


class ServerSettings(Section):
    """`[server]`: the listening side."""

    host: str = Field(default="127.0.0.1", min_length=1)
    port: int = Field(default=8080, ge=0, le=65535)
    public_url: str | None = None
    max_body_bytes: int = Field(default=1_048_576, ge=1_024, le=1_073_741_824)
    body_timeout_seconds: float = Field(default=10, gt=0, le=600)
    requests_per_second: int = Field(default=500, ge=1, le=1_000_000)
    failed_signins_per_minute: int = Field(default=20, ge=1, le=1_000_000)
    drain_seconds: float = Field(default=30, ge=0, le=3600)
    drain_notice_seconds: float = Field(default=0, ge=0, le=600)
    trusted_proxies: tuple[Annotated[IPv4Network | IPv6Network, PlainValidator(_network)], ...] = ()

    @field_validator("public_url")
    @classmethod
    def _check_public_url(cls, value: str | None) -> str | None:
        return value if value is None else check_base_url(value, allow_http=True)


_LEAST_KEY_CHARACTERS = 16
"""What is shorter is guessed."""


def _long_enough(value: SecretStr) -> SecretStr:
    if len(value.get_secret_value()) < _LEAST_KEY_CHARACTERS:
        raise ValueError(
            f"expected at least {_LEAST_KEY_CHARACTERS} characters; `gateway secret new` prints a good key"
        )
    return value


EncryptionKey = Annotated[Secret, AfterValidator(_long_enough)]
"""64 hex digits, or a passphrase."""


class StorageSettings(Section):
    """`[storage]`: where links, exports and deliveries are kept."""

    url: Referable = Field(default="sqlite:///gateway.db", repr=False)
    """May hold a database password, so it is masked wherever it is shown."""
    retention_days: int = Field(default=30, ge=1, le=36_500)
    encryption_key: EncryptionKey | None = None
    """Seals what people wrote or are, from now on."""
    previous_encryption_keys: tuple[EncryptionKey, ...] = ()
    """Open what they have sealed, until `gateway store reencrypt` has sealed it anew."""

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
        if "@" in (url.host or ""):
            raise ValueError("an @ inside the user name or the password is written %40")
        return value

    @field_serializer("url")
    def _mask_password(self, value: str) -> str:
        return make_url(value).render_as_string(hide_password=True)


class OidcSettings(UpstreamSettings):
    """`[operator.oidc]`: sign-in to the console through an identity provider."""

    issuer: str
    client_id: str = Field(min_length=1)
    client_secret: Secret
    allowed_emails: tuple[Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$")], ...] = Field(min_length=1)

    @field_validator("issuer")
    @classmethod
    def _check_issuer(cls, value: str, info: ValidationInfo) -> str:
        check_base_url(value, allow_http=bool(info.data.get("allow_http", False)))
        return value


class OperatorSettings(Section):
    """`[operator]`: who may use /api, /console and /metrics."""

    tokens: tuple[SecretDigest, ...] = ()
    oidc: OidcSettings | None = None


class HmacSettings(Section):
    """One way in which a CRM signs its webhooks; `secret` may be one of several that are valid at once."""

    secret: Secret
    scheme: Literal["standard", "header"] = "standard"
    header: str = Field(default="X-Signature", pattern=r"^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")
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
    settle_seconds: float = Field(default=8, ge=0, le=600)
    fields: Mapping[str, str] = Field(default_factory=dict)


class FeedSettings(Section):
    """`[connections.X.feed]`."""

    budget_ms: Milliseconds = 2_500
    limit: int = Field(default=200, ge=1, le=10_000)
    stale_seconds: float = Field(default=300, ge=0, le=86_400)


class DeliverySettings(Section):
    """`[connections.X.deliveries]`: how hard the remote systems are pressed, and when a delivery gives up.

    Apptivo's quota is unknown (fact sheet 1.6), so nothing here is a fact about it.
    """

    max_concurrent: int = Field(default=64, ge=1, le=1_000)
    per_second: float | None = Field(default=None, gt=0, le=10_000)
    max_attempts: int = Field(default=24, ge=1, le=1_000)
    max_age_hours: float = Field(default=72, gt=0, le=8_760)

    @property
    def policy(self) -> Policy:
        """The bounds of a delivery's attempts."""
        return Policy(max_attempts=self.max_attempts, max_age_seconds=self.max_age_hours * 3600)


_EVERY = re.compile(r"([1-9][0-9]{0,5}) ?([mhd])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_LONGEST_PAUSE = timedelta(days=366)


def _interval(value: object) -> timedelta:
    found = _EVERY.fullmatch(value.strip()) if isinstance(value, str) else None
    interval = timedelta(**{_UNITS[found[2]]: int(found[1])}) if found else None
    if interval is None or interval > _LONGEST_PAUSE:
        raise ValueError('expected minutes, hours or days, such as "30m", "1h" or "1d", at most 366 days')
    return interval


class SyncSettings(Section):
    """`[connections.X.sync]`: when the CRM's customers are synced without anybody asking."""

    every: Annotated[timedelta, PlainValidator(_interval)] | None = None
    to: tuple[Literal["vainu", "aixon"], ...] = ("vainu",)
    delete: bool = False

    @field_validator("to")
    @classmethod
    def _check_to(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value or len(set(value)) < len(value):
            raise ValueError('expected "vainu", "aixon" or both, each once')
        return value


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
    deliveries: DeliverySettings = DeliverySettings()
    sync: SyncSettings = SyncSettings()

    def secret_values(self) -> list[str]:
        """Every secret of the connection that the gateway knows in plain, for redaction only."""
        return list(_secrets_in(self))


def _secrets_in(value: object) -> Iterator[str]:
    if isinstance(value, SecretStr):
        yield value.get_secret_value()
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _secrets_in(getattr(value, name))
    elif isinstance(value, tuple | list | Mapping):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from _secrets_in(item)


class Settings(Section):
    """The whole configuration."""

    server: ServerSettings = ServerSettings()
    storage: StorageSettings = StorageSettings()
    operator: OperatorSettings = OperatorSettings()
    connections: Mapping[str, ConnectionSettings] = Field(default_factory=dict)
    _origins: Mapping[str, str] = PrivateAttr(default_factory=dict)

    @property
    def origins(self) -> Mapping[str, str]:
        """Where secrets are from, by path, as far as the file does not hold them itself."""
        return self._origins

    def secret_values(self) -> list[str]:
        """Every secret that the gateway knows in plain, for redaction only."""
        password = make_url(self.storage.url).password
        known = [] if password is None else [str(password)]
        known += [*_secrets_in(self.storage), *_secrets_in(self.operator)]
        return [*known, *(secret for each in self.connections.values() for secret in each.secret_values())]

    @property
    def public_url(self) -> str:
        """The address under which callers reach the gateway, without a trailing slash."""
        host = f"[{self.server.host}]" if ":" in self.server.host else self.server.host
        return self.server.public_url or f"http://{host}:{self.server.port}"
