"""Vainu's settings, and customer data as one value whatever version of the API told it (S000, S001)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from adapters.addresses import check_base_url
from adapters.contract import UnexpectedReply
from adapters.secrets import HeaderSecret, Secret
from adapters.upstream import UpstreamSettings

ApiVersion = Literal[1, 2]
FieldValue = str | int | bool | date | datetime | None
"""What a field of customer data may be set to; a datetime must be aware."""

UNMATCHED = -1
"""What v2 writes as the vid of an object without a company (S000, "Unmatched customer data")."""
WEBHOOK_CONFIGURATION = "webhook_configuration"
"""Guessed (G): vdev's page, as far as it is known, breaks off after `/api/v2/webhook_conf`."""


class VainuSettings(UpstreamSettings):
    """`[connections.X.vainu]`: how to call Vainu's own API, by API key or by the user's login (S001)."""

    base_url: str = "https://api.vainu.io"
    """Host and, where a proxy needs one, a path; without `/api/v2`."""
    api_version: ApiVersion = 2
    api_key: HeaderSecret | None = None
    """Header `API-Key`: 64 hex digits from Vainu's Settings, API Keys."""
    username: str | None = None
    password: Secret | None = None
    webhook_configuration_path: str = Field(default=WEBHOOK_CONFIGURATION, pattern=r"^[A-Za-z0-9_/-]{1,100}$")
    """What follows `/api/v2/` where webhooks are configured: only its beginning, `webhook_conf`, is known (vdev)."""

    @field_validator("base_url")
    @classmethod
    def _check_base_url(cls, value: str, info: ValidationInfo) -> str:
        address = check_base_url(value, allow_http=info.data.get("allow_http", False))
        if address.endswith(("/api/v1", "/api/v2")):
            raise ValueError("expected the address without /api/v1 or /api/v2; api_version tells that")
        return address

    @model_validator(mode="after")
    def _check_credentials(self) -> Self:
        if (self.username is None) != (self.password is None):
            raise ValueError("username and password go together")
        if (self.api_key is None) == (self.username is None):
            raise ValueError("expected api_key, or username and password")
        return self


@dataclass(frozen=True, slots=True)
class MatchData:
    """What Vainu is given to find the company: a vid, a business id or a name, best with the country."""

    company_name: str = ""
    business_id: str = ""
    country: str = ""
    """ISO 3166-1 alpha-2."""
    vid: int | None = None
    """Vainu's id of the company; only v1 takes it (S001; S000 does not name it), as the next three."""
    normalize_name: str = ""
    """A name without its ending, as Vainu's own rules make it; often fits several companies."""
    city: str = ""
    municipality: str = ""

    def body(self, version: ApiVersion) -> dict[str, object]:
        """The part of a request that matches: top-level in v1, `match_data` in v2; empty if nothing would match.

        v1 heeds one parameter only: the first that is given of vid, business_id, exact_name, normalize_name (S001).
        """
        if version == 2:
            named = {"company_name": self.company_name, "business_id": self.business_id, "country": self.country}
            matches = bool(self.business_id or self.company_name)
            return {"match_data": _given(named)} if matches else {}
        parameters = _given({"vid": self.vid, "business_id": self.business_id, "exact_name": self.company_name})
        parameters |= _given({"normalize_name": self.normalize_name})
        narrowing = _given({"country": self.country, "city": self.city, "municipality": self.municipality})
        return {**parameters, **narrowing} if parameters else {}


def _given(values: Mapping[str, object]) -> dict[str, object]:
    return {key: _sendable(value) for key, value in values.items() if value not in (None, "")}


@dataclass(frozen=True, slots=True)
class CompanyInfo:
    """The company that Vainu matched; texts as Vainu wrote them (business ids with or without dashes)."""

    vid: int | None = None
    company_name: str = ""
    business_id: str = ""
    country: str = ""
    domain: str = ""


@dataclass(frozen=True, slots=True)
class CustomerData:
    """One customer data object. Times are the texts Vainu sent: with or without `Z`, 3 or 6 decimals, or a date."""

    id: str
    vid: int | None = None
    """None where Vainu matched no company."""
    company: CompanyInfo | None = None
    unique_id: str = ""
    owner_email: str = ""
    notes: str = ""
    won: bool = False
    won_deals_count: int | None = None
    open_deals_count: int | None = None
    lost_deals_count: int | None = None
    last_update: str = ""
    origin: str = ""
    created: str = ""
    modified: str = ""
    document: Mapping[str, object] = field(default_factory=dict, repr=False, compare=False)
    """The whole object as it came, fields unknown here too."""


def read_customer_data(value: object) -> CustomerData:
    """Customer data in either spelling: `prospect`/`prospect_info` or `company_vid`/`company_info`.

    v1 writes the first; v2 the second, but the first in its lists (S000's own samples). `UnexpectedReply`
    for anything without an id.
    """
    if not isinstance(value, Mapping) or not identity(value.get("id")):
        raise UnexpectedReply("vainu answered something that is no customer data: expected an object with an id")
    company = read_company(value.get("company_info") or value.get("prospect_info"))
    told = (value.get("company_vid"), value.get("prospect"), company.vid if company else None)
    vid = next((found for found in map(integer, told) if found is not None), None)
    return CustomerData(
        id=identity(value["id"]),
        vid=None if vid == UNMATCHED else vid,
        company=company,
        unique_id=identity(value.get("unique_id")),
        owner_email=text(value.get("owner_email")),
        notes=text(value.get("notes")),
        won=value.get("won") is True,
        won_deals_count=integer(value.get("won_deals_count")),
        open_deals_count=integer(value.get("open_deals_count")),
        lost_deals_count=integer(value.get("lost_deals_count")),
        last_update=text(value.get("last_update")),
        origin=text(value.get("origin")),
        created=text(value.get("created")),
        modified=text(value.get("modified")),
        document=value,
    )


def read_company(value: object) -> CompanyInfo | None:
    """A company as customer data and async rows show it; None for anything that is no object."""
    if not isinstance(value, Mapping):
        return None
    return CompanyInfo(
        vid=integer(value.get("vid")),
        company_name=text(value.get("company_name")),
        business_id=text(value.get("business_id")),
        country=text(value.get("country")),
        domain=text(value.get("domain")),
    )


def integer(value: object) -> int | None:
    """A whole number, also as text; None for anything else."""
    if isinstance(value, str) and value.removeprefix("-").isdigit() and value.isascii():
        return int(value[:20])
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def identity(value: object) -> str:
    """An id as text, also where Vainu wrote it as a number; "" for anything else."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return text(value)


def text(value: object) -> str:
    """A text; "" for anything else."""
    return value if isinstance(value, str) else ""


def render_fields(fields: Mapping[str, FieldValue], version: ApiVersion) -> dict[str, object]:
    """Fields as JSON: times as a date in v2 (S000) and as a date-time in v1 (S001), both UTC; others as they are."""
    return {name: render(value, version) for name, value in fields.items()}


def render(value: FieldValue, version: ApiVersion) -> object:
    """One value as JSON: see `render_fields`."""
    if isinstance(value, datetime):
        moment = value.astimezone(UTC)
        whole = moment.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"
        return moment.date().isoformat() if version == 2 else whole
    if isinstance(value, date):
        return value.isoformat() if version == 2 else f"{value.isoformat()}T00:00:00.000Z"
    return _sendable(value)


def _sendable(value: object) -> object:
    # a lone surrogate has no UTF-8 form and would break the request's encoding
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value
