"""What Vainu's customer data is told of a CRM's customer, and by what Vainu finds the company (S000, S001). Pure."""

from hashlib import blake2b

import msgspec

from adapters.contract import CustomerSummary
from adapters.vainu import MatchData, VainuSettings
from adapters.vainu.models import FieldValue, render_fields

_DIGEST_BYTES = 16
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
    """16 bytes that differ when anything would be sent differently, or elsewhere."""
    version = settings.api_version
    content = [settings.base_url, version, render_fields(fields, version), match.body(version)]
    return blake2b(msgspec.json.encode(content, order="sorted"), digest_size=_DIGEST_BYTES).digest()
