"""Customer data as the Vainu simulator keeps it, and the two spellings in which Vainu shows it (S000, S001)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from adapters.vainu.samples import SampleCompany

COUNTS = ("won_deals_count", "open_deals_count", "lost_deals_count")
TEXTS = ("owner_email", "unique_id", "notes")
UNMATCHED_VID = -1


@dataclass(slots=True)
class CustomerRecord:
    """One customer data object; `fields` holds only what was sent."""

    id: str
    fields: dict[str, Any]
    company: SampleCompany | None
    match_data: dict[str, Any]
    origin: str
    created: datetime
    modified: datetime

    @property
    def vid(self) -> int:
        """Vainu's id of the company; -1 where none was matched (S000)."""
        return self.company.vid if self.company else UNMATCHED_VID

    @property
    def won(self) -> bool:
        """S001: "True if won_deals_count is greater than zero"."""
        return (self.fields.get("won_deals_count") or 0) > 0


class FieldRefused(Exception):
    """A field of a wrong type; the body is Django REST framework's usual one (G)."""

    def __init__(self, name: str, expected: str) -> None:
        super().__init__(name)
        self.body = {name: [f"A valid {expected} is required."]}


def read_fields(body: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that a body sets; others are ignored, `won` among them, which is derived. `FieldRefused`."""
    fields = {name: _checked(name, body[name], int, "integer") for name in COUNTS if name in body}
    fields |= {name: _checked(name, body[name], str, "string") for name in TEXTS if name in body}
    if "last_update" in body:
        fields["last_update"] = _moment(body["last_update"])
    return fields


def _checked(name: str, value: object, kind: type, expected: str) -> object:
    if value is None or (isinstance(value, kind) and not isinstance(value, bool)):
        return value
    raise FieldRefused(name, expected)


def _moment(value: object) -> datetime | None:
    if value is None:
        return None
    moment = read_moment(value)
    if moment is None:
        raise FieldRefused("last_update", "date")
    return moment


def read_moment(value: object) -> datetime | None:
    """An ISO 8601 date or date-time, UTC where it has no offset; None for anything else."""
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment


def in_prospect_spelling(record: CustomerRecord, *, date_only: bool = False) -> dict[str, Any]:
    """v1's shape (S001): prospect, prospect_info, times with Z; with `date_only` that of v2's list sample (S000)."""
    return {
        **_fields_of(record, date_only=date_only),
        "won": record.won,
        "origin": record.origin,
        "modified": _time(record.modified) + "Z",
        "created": _time(record.created) + "Z",
        "prospect_info": _info(record.company, dashed=True),
        "id": record.id,
        "prospect": record.vid,
    }


def in_company_spelling(record: CustomerRecord) -> dict[str, Any]:
    """v2's shape of a single object (S000): company_vid, company_info, match_data, times without Z."""
    return {
        **_fields_of(record, date_only=True),
        "won": record.won,
        "origin": record.origin,
        "modified": _time(record.modified),
        "created": _time(record.created),
        "company_info": _info(record.company, dashed=False),
        "id": record.id,
        "company_vid": record.vid,
        "match_data": record.match_data,
    }


def matched_prospect(company: SampleCompany | None) -> dict[str, Any] | None:
    """A company as S001's async rows show it."""
    return _info(company, dashed=False)


def _fields_of(record: CustomerRecord, *, date_only: bool) -> dict[str, Any]:
    fields = dict(record.fields)
    moment = fields.get("last_update")
    if isinstance(moment, datetime):
        day: date = moment.astimezone(UTC).date()
        fields["last_update"] = day.isoformat() if date_only else _time(moment) + "Z"
    return fields


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds")


def _info(company: SampleCompany | None, *, dashed: bool) -> dict[str, Any] | None:
    if company is None:
        return None
    number, country = company.prospect["business_id"], company.prospect["country"]
    if dashed and country == "FI":
        number = f"{number[:-1]}-{number[-1]}"
    return {
        "vid": company.vid,
        "company_name": company.prospect["company_name"],
        "business_id": number,
        "country": country,
        "domain": company.domain,
    }
