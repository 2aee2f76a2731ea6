"""The settings of one CRM.COM account, and the vendor's words that every module here shares.

What no source confirms (marks G and U in NOTES.md) is a setting, so that a firm whose server differs needs no release.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, ValidationInfo, field_validator

from adapters.addresses import check_base_url
from adapters.secrets import Secret
from adapters.upstream import UpstreamSettings

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
AddressType = Literal["HOME", "BUSINESS", "POBOX", "CUSTOM1", "CUSTOM2", "CUSTOM3", "CUSTOM4", "CUSTOM5"]
Place = Literal["record", "demographics", "company_profile"]
Method = Annotated[str, StringConstraints(pattern=r"^([a-z_]+(/[a-z_]+)+)?$")]

EVENT_KINDS: Mapping[str, str] = MappingProxyType(
    {
        "achievements": "achievement",
        "purchases": "purchase",
        "referrals": "referral",
        "social_media": "social_media",
        "web": "web",
        "financial_achievements": "financial_achievement",
    }
)
"""The kinds of customer events: the word in the method's path → the word in set names and event ids (S004)."""

SOURCES = ("communications", "leads", *EVENT_KINDS, "activities")
"""The feed's sources (CONTRACT section 6)."""

BULK_ROWS = 1000
"""The most rows one bulk call takes (S004)."""

EXTERNAL_SYSTEM = "Vainu"
"""`external_system` of the events whose reference number is ours."""
REFERENCE_NAMES = ("external_system_reference_number", "external_system_preference_number")
"""Where a list of events tells the reference; the second is a typo in the documents (wiki 951650)."""


def set_name(kind: str) -> str:
    """The name of a kind's array, such as `web_customer_events_set` (S004)."""
    return f"{EVENT_KINDS[kind]}_customer_events_set"


class CrmcomSettings(UpstreamSettings):
    """`[connections.NAME.crmcom]` (CONTRACT section 3)."""

    base_url: str
    """Ends in `/crmapi/rest/v2`; https, or http on loopback or with `allow_http`."""
    username: Name
    password: Secret
    organisation: Name
    login_unit: Name | None = None
    """Unit to sign in to; not sent when absent."""
    unit: Name | None = None
    """Name of the unit that performs the events we create; S004 makes it mandatory for leads."""
    record_url: str | None = None
    """The CRM's page of a record, `{}` for its id."""

    category: Name | None = None
    """Name of the category of the contact information we create."""
    classification: Name | None = None
    """Name of the classification of the accounts receivable we create."""
    event_classification: Name | None = None
    """Name of the classification of the web customer events we create."""
    owned_by_group: Name | None = None
    credit_rating: Name | None = None
    currency: Name | None = None
    """ISO 4217 code of the accounts receivable we create; R10 and later."""

    address_type: AddressType = "BUSINESS"
    phone_type: Name = "BUSINESS"
    email_type: Name = "BUSINESS"
    person_phone_type: Name = "MOBILE"
    person_email_type: Name = "PERSONAL"
    country_identifier: Name | None = None
    """Which field of a country identifies it, such as `alternative_code`; the country is not sent when absent."""

    business_id_fields: tuple[Literal["vat_registration_number", "registration_number"], ...] = (
        "vat_registration_number",
        "registration_number",
    )
    """Identifiers by which a company is looked up; `registration_number` needs R14."""
    numbers_in: tuple[Place, ...] = Field(("record", "demographics"), min_length=1)
    """Where in a company's body its numbers are written."""
    account_owner_keys: tuple[Name, ...] = Field(
        ("contact_information_identifier", "account_owner_identifier"), min_length=1
    )
    """Under which names a new account receivable is told its owner."""
    search_accounts: bool = True
    """Whether a company is also looked for by the name of its account receivable, which we name after it."""
    search_method: Method = "contact_information/list"
    """The method that searches contact information by `company_name`; "" where the server has none."""
    list_method: Method = "contact_information/list"
    """The method that lists all contact information; "" where the server has none."""
    activities_method: Method = "activities/list"
    page_size: int = Field(100, ge=1, le=1000)
    """Rows asked for at once; number_of_results needs R13."""
    max_rows: int = Field(2000, ge=1, le=100_000)
    """Rows of one list that are read at most: no order is documented, so the newest may come last."""

    @field_validator("base_url")
    @classmethod
    def _check_base_url(cls, value: str, info: ValidationInfo) -> str:
        return check_base_url(value, allow_http=bool(info.data.get("allow_http", False)))

    @field_validator("record_url")
    @classmethod
    def _check_record_url(cls, value: str | None) -> str | None:
        if value is not None and "{}" not in value:
            raise ValueError("expected {} where the record's id goes")
        if value is not None and not value.startswith(("https://", "http://")):
            raise ValueError("expected an address such as https://crm.example.com/contacts/{}")
        return value
