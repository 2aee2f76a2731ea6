"""What Vainu's customer data is told of a CRM's customer, and by what Vainu finds the company (S000, S001). Pure."""

from hashlib import blake2b

import msgspec

from adapters.contract import CustomerSummary
from adapters.vainu import MatchData, VainuSettings
from adapters.vainu.models import FieldValue, render_fields

_HALF_BYTES = 8
Fields = dict[str, FieldValue]


def customer_data_fields(unique_id: str, summary: CustomerSummary) -> Fields:
    """The fields of the customer data; what the CRM does not say is left alone."""
    fields: dict[str, FieldValue] = {
        "unique_id": unique_id,
        "open_deals_count": summary.open_deals,
        "won_deals_count": summary.won_deals,
        "lost_deals_count": summary.lost_deals,
        "owner_email": summary.owner_email,
        "last_update": summary.last_update,
        "notes": summary.notes,
    }
    return {key: value for key, value in fields.items() if value is not None}


def match_data(summary: CustomerSummary) -> MatchData:
    """What Vainu finds the company by."""
    return MatchData(company_name=summary.name, business_id=summary.business_id or "", country=summary.country or "")


def digest_of(fields: Fields, match: MatchData, settings: VainuSettings) -> bytes:
    """16 bytes that differ when anything would be sent differently, or elsewhere.

    The latter half is of the business id and its country alone: see `is_other_company`.
    """
    version = settings.api_version
    content = [settings.base_url, version, render_fields(fields, version), match.body(version)]
    return _half(content) + _half([match.business_id, match.country])


def _half(content: object) -> bytes:
    return blake2b(msgspec.json.encode(content, order="sorted"), digest_size=_HALF_BYTES).digest()


def company_alone(digest: bytes | None) -> bytes | None:
    """A digest that differs from every other, and still tells of the company that was told last."""
    return None if digest is None else bytes(_HALF_BYTES) + digest[_HALF_BYTES:]


def is_other_company(before: bytes | None, now: bytes) -> bool:
    """Whether the business id or its country changed between two digests; False where there is no earlier one."""
    return before is not None and before[_HALF_BYTES:] != now[_HALF_BYTES:]
