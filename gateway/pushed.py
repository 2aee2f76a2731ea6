"""The tolerant reading of a company that Vainu pushes (CONTRACT section 7, point 1): pure, value in, value out.

Vainu documents neither the wrapper nor where `id` stands (fact sheet 3.3), so all of these are read:
the prospect at the top level, or under `prospect`, `prospects[0]`, `company` or `data`; contacts and leads beside
it or inside it; `id` in the query or the body; numbers as numbers or as text; unknown fields are kept.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import msgspec

from adapters.company_ids import business_id, country_code, split_country
from adapters.contract import Company, Contact, Lead
from adapters.plain_text import one_line

WRAPPERS = ("prospect", "prospects", "company", "data")
_NAME_KEYS = ("company_name", "name", "official_name")
_IDENTIFYING = ("vid", "business_id", "country", "domain")
_DOMAIN_KEYS = ("domain", "link", "website")
_CUSTOMER_DATA_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
_VAINU_LINK = re.compile(r"/prospect/(\d{1,18})(?:[/?#]|$)")
_HOST = re.compile(r"(?=.{1,253}$)[a-z0-9\u0080-\uffff](?:[a-z0-9.\u0080-\uffff-]*[a-z0-9\u0080-\uffff])?")


@dataclass(frozen=True, slots=True)
class BodyFault:
    """One thing that is wrong with a body."""

    path: str
    message: str


class NotACompany(ValueError):
    """The JSON is no company; `faults` holds everything that is wrong with it."""

    def __init__(self, faults: list[BodyFault]) -> None:
        super().__init__("; ".join(f"{fault.path}: {fault.message}" for fault in faults))
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Pushed:
    """A push: the company, and Vainu's id of the customer data it has made for it, if it did."""

    company: Company
    customer_data_id: str | None
    content_key: str
    """Equal for equal content, whatever the order of keys; `id` does not count."""


def read_push(body: Any, query_id: str | None = None) -> Pushed:
    """The company in a parsed body; `NotACompany` with every fault and its path."""
    faults: list[BodyFault] = []
    if not isinstance(body, Mapping):
        kind = "an array" if isinstance(body, list) else "no object"
        raise NotACompany([BodyFault("$", f"expected an object with a company in it, got {kind}")])
    path, prospect = _unwrap(body, faults)
    contacts = _people(_beside(body, prospect, path, "contacts"), faults)
    leads = _news(_beside(body, prospect, path, "leads"), faults)
    company = _company(body, prospect, path, contacts, leads, faults)
    customer_data_id = _customer_data_id(query_id, body, faults)
    if faults:
        raise NotACompany(faults)
    return Pushed(company, customer_data_id, _content_key(company))


def read_change(body: Any) -> tuple[str, Company]:
    """The unique_id and the changed company of a company-change webhook (vdev webhooks); `NotACompany` otherwise.

    The company's name is "" where the change does not name it: a change may hold any part of the fields.
    """
    faults: list[BodyFault] = []
    if not isinstance(body, Mapping):
        raise NotACompany([BodyFault("$", "expected an object with unique_id and data")])
    unique_id, data = body.get("unique_id"), body.get("data")
    text = str(unique_id) if _is_scalar(unique_id) else ""
    _expect(bool(_CUSTOMER_DATA_ID.fullmatch(text)), "unique_id", "expected 1 to 128 of A-Z a-z 0-9 _ -", faults)
    _expect(isinstance(data, Mapping), "data", "expected an object with the changed fields", faults)
    if faults or not isinstance(data, Mapping):
        raise NotACompany(faults)
    country = country_code(data.get("country"))
    changed = Company(
        name=_name(data, "data.", faults),
        document=dict(data),
        business_id=business_id(data.get("business_id"), country),
        country=country,
        domain=_domain(data.get("domain")),
    )
    if faults:
        raise NotACompany(faults)
    return text, changed


def _unwrap(body: Mapping[str, Any], faults: list[BodyFault]) -> tuple[str, Mapping[str, Any]]:
    """The prospect and its path: the first wrapper that is there, else the body itself.

    Identifiers may stand beside the wrapper. Where the body itself names a company, a key that happens to be called
    like a wrapper (`data`, or `company` with a name in it) is one only if a company is in it.
    """
    path, found = "", body
    for _level in range(2):
        wrapper = next((key for key in WRAPPERS if found.get(key) is not None), None)
        if "company_name" in found or wrapper is None:
            break
        inner, here = found[wrapper], f"{path}{wrapper}"
        if isinstance(inner, list):
            inner, here = (inner[0] if inner else None), f"{here}[0]"
        if _names_a_company(found) and not (isinstance(inner, Mapping) and _names_a_company(inner)):
            break
        if not isinstance(inner, Mapping):
            faults.append(BodyFault(here, "expected an object with the company's fields"))
            break
        beside = {key: found[key] for key in _IDENTIFYING if found.get(key) is not None}
        path, found = f"{here}.", {**beside, **inner}
    return path, found


def _names_a_company(fields: Mapping[str, Any]) -> bool:
    return any(fields.get(key) is not None for key in (*_NAME_KEYS, *_IDENTIFYING))


def _beside(body: Mapping[str, Any], prospect: Mapping[str, Any], path: str, key: str) -> tuple[str, Any]:
    return (f"{path}{key}", prospect[key]) if prospect.get(key) is not None else (key, body.get(key))


def _company(
    body: Mapping[str, Any],
    prospect: Mapping[str, Any],
    path: str,
    contacts: tuple[Contact, ...],
    leads: tuple[Lead, ...],
    faults: list[BodyFault],
) -> Company:
    country = country_code(prospect.get("country"))
    number = prospect.get("business_id")
    _expect(number is None or _is_scalar(number), f"{path}business_id", "expected text or a number", faults)
    if country is None:
        country, number = split_country(number)
    business = business_id(number, country)
    domain = next(filter(None, (_domain(prospect.get(key)) for key in _DOMAIN_KEYS)), None)
    vid = _vid(prospect, path, faults)
    name = _name(prospect, path, faults) or domain or (f"{country or ''} {business}".strip() if business else "")
    if not name and not faults:
        message = "a company needs a name (company_name), or at least a business_id or a domain"
        faults.append(BodyFault(f"{path}company_name", message))
    return Company(
        name=name,
        document={**body, **prospect},
        vid=vid,
        business_id=business and business[:64],
        country=country,
        domain=domain,
        contacts=contacts,
        leads=leads,
    )


def _name(prospect: Mapping[str, Any], path: str, faults: list[BodyFault]) -> str:
    for key in _NAME_KEYS:
        value = prospect.get(key)
        if value is not None:
            _expect(isinstance(value, str), f"{path}{key}", "expected text", faults)
            if name := one_line(value, 500):
                return name
    return ""


def _vid(prospect: Mapping[str, Any], path: str, faults: list[BodyFault]) -> int | None:
    """Vainu's id of the company: `vid`, or as the company's own page names it (S001, "vid")."""
    for key in ("vid", "company_vid"):
        value = prospect.get(key)
        if value is None or value == "":
            continue
        number = _integer(value)
        _expect(number is not None, f"{path}{key}", "expected a whole number", faults)
        if number is not None and 0 < number < 2**63:
            return number
    link = prospect.get("vainu_link")
    found = _VAINU_LINK.search(link) if isinstance(link, str) else None
    return int(found[1]) if found else None


def _integer(value: Any) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    text = value.strip() if isinstance(value, str) else ""
    return int(text) if re.fullmatch(r"-?[0-9]{1,19}", text) else None


def _domain(value: Any) -> str | None:
    """The host of a web address without www., lower case; None if there is none."""
    if not isinstance(value, str) or not value.strip():
        return None
    text = value.strip().lower()
    try:
        host = urlsplit(text if "//" in text else f"//{text}").hostname or ""
    except ValueError:
        return None
    host = host.removeprefix("www.").rstrip(".")
    return host if "." in host and _HOST.fullmatch(host) else None


def _people(found: tuple[str, Any], faults: list[BodyFault]) -> tuple[Contact, ...]:
    people = []
    for path, row in _rows(found, faults):
        parts = {key: _text(row, path, key, faults) for key in ("first_name", "last_name", "email", "phone", "title")}
        if not parts["first_name"] and not parts["last_name"]:
            parts["last_name"] = _text(row, path, "name", faults)
        if any(parts.values()):
            people.append(Contact(**parts))
    return tuple(people)


def _news(found: tuple[str, Any], faults: list[BodyFault]) -> tuple[Lead, ...]:
    news = []
    for path, row in _rows(found, faults):
        parts = {key: _text(row, path, key, faults) for key in ("title", "link", "added", "vainu_link")}
        tags = row.get("tags")
        labels = tuple(filter(None, map(one_line, tags))) if isinstance(tags, list) else ()
        if parts["title"] or parts["link"]:
            news.append(Lead(tags=labels, **parts))
    return tuple(news)


def _rows(found: tuple[str, Any], faults: list[BodyFault]) -> list[tuple[str, Mapping[str, Any]]]:
    path, value = found
    if value is None:
        return []
    if isinstance(value, Mapping):
        return [(path, value)]
    if not isinstance(value, list):
        faults.append(BodyFault(path, "expected an array of objects"))
        return []
    rows = []
    for index, row in enumerate(value):
        if isinstance(row, Mapping):
            rows.append((f"{path}[{index}]", row))
        elif row is not None:
            faults.append(BodyFault(f"{path}[{index}]", "expected an object"))
    return rows


def _text(row: Mapping[str, Any], path: str, key: str, faults: list[BodyFault]) -> str:
    value = row.get(key)
    _expect(value is None or _is_scalar(value), f"{path}.{key}", "expected text", faults)
    return one_line(value, 1_000)


def _is_scalar(value: Any) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)


def _expect(holds: bool, path: str, message: str, faults: list[BodyFault]) -> None:
    if not holds:
        faults.append(BodyFault(path, message))


def _customer_data_id(query_id: str | None, body: Mapping[str, Any], faults: list[BodyFault]) -> str | None:
    value: Any = query_id or body.get("id")
    if value is None or value == "":
        return None
    text = str(value) if _is_scalar(value) else ""
    _expect(bool(_CUSTOMER_DATA_ID.fullmatch(text)), "id", "expected 1 to 128 of A-Z a-z 0-9 _ -", faults)
    return text


def _content_key(company: Company) -> str:
    document = {key: value for key, value in company.document.items() if key != "id"}
    return hashlib.sha256(msgspec.json.encode(document, order="sorted")).hexdigest()
