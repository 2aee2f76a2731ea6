"""Business ids compared as CONTRACT section 7 says: dashes, spaces and the country's prefix do not matter."""

import re

from stdnum.fi import ytunnus

_NOT_ALPHANUMERIC = re.compile(r"[^0-9A-Z]+")
_PREFIXED = re.compile(r"([A-Z]{2})(?=.*[0-9])([0-9A-Z]{4,})")
_VAT_PREFIX = {"GR": "EL"}
"""Countries whose VAT prefix is not their ISO 3166-1 code (EU VAT: Greece writes EL)."""


def country_code(value: object) -> str | None:
    """ISO 3166-1 alpha-2 in upper case, or None for anything that is not two letters."""
    text = value.strip().upper() if isinstance(value, str) else ""
    return text if len(text) == 2 and text.isascii() and text.isalpha() else None


def business_id(value: object, country: str | None = None) -> str | None:
    """The comparable form of a business id: upper case, letters and digits only, without the country's prefix.

    A number is read as its digits; a 7-digit Finnish id gets back the zero that a number loses. None if
    nothing is left. `country` is ISO 3166-1 alpha-2 in upper case.
    """
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    text = _NOT_ALPHANUMERIC.sub("", str(value).upper()) if isinstance(value, str) else str(value)
    for prefix in (country, _VAT_PREFIX.get(country or "")):
        if prefix and text.startswith(prefix) and any(map(str.isdigit, text[2:])):
            text = text[2:]
    if country == "FI" and len(text) == 7 and text.isdigit() and ytunnus.is_valid("0" + text):
        text = "0" + text
    return text or None


def split_country(value: object) -> tuple[str | None, object]:
    """The country that a prefixed id such as "FI09704098" or "US_DE6240535" names itself, and the id without it.

    `(None, value)` where it names none. Vainu writes ids so in its URLs and in async results (Vainu API v1).
    """
    if not isinstance(value, str):
        return None, value
    match = _PREFIXED.fullmatch(_NOT_ALPHANUMERIC.sub("", value.upper()))
    return (match[1], match[2]) if match else (None, value)


def written_id(value: object, country: str | None) -> tuple[str | None, str | None]:
    """The comparable form of an id as a person wrote it into a CRM, and its country: `country`, or the id's own prefix.

    Two letters are a prefix only before digits: "HRB 12345" is no id of Croatia. `(None, country)` for a blank.
    """
    if country is None:
        named, bare = split_country(value)
        if isinstance(bare, str) and bare.isdigit():
            country = named
    return business_id(value, country), country


def same_name(one: object, other: object) -> bool:
    """Whether two company names are exactly the same but for case and white space."""
    if not isinstance(one, str) or not isinstance(other, str):
        return False
    return name_key(one) == name_key(other) != ""


def name_key(name: str) -> str:
    """The comparable form of a company name: case folded, white space collapsed."""
    return " ".join(name.casefold().split())
