"""How the Vainu simulator finds the company that customer data belongs to (S001 POST /customer_data/, S000)."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from adapters.company_ids import business_id, name_key, same_name, split_country
from adapters.vainu.samples import SampleCompany
from adapters.vainu.simulated_shapes import matched_prospect

MATCH_PARAMETERS = ("vid", "business_id", "exact_name", "normalize_name")
"""In order of priority: only the first that is given counts (S001)."""
NARROWING = ("country", "city", "municipality")
MOST_SHOWN = 100
"""`max_number_of_matches_shown` of S001's sample."""
_SHORTEST_BUSINESS_ID = 7
_ENDINGS = frozenset({"oy", "oyj", "ab", "abp", "as", "asa", "inc", "ltd", "finland"})


class MatchRefused(Exception):
    """No customer data because of the match. The body has the keys of S001's async rows (for single POSTs: G)."""

    def __init__(self, status: int, error: str, parameters: Mapping[str, Any], **more: object) -> None:
        super().__init__(error)
        self.status = status
        given = {key: parameters[key] for key in (*MATCH_PARAMETERS, *NARROWING) if key in parameters}
        self.body: dict[str, Any] = {
            "success": False,
            "error": error,
            **more,
            "match_parameters": given or dict(parameters.get("match_data") or {}),
            "matched_prospect": None,
            "id": None,
        }


class KnownCompanies:
    """The companies that Vainu knows, found by each match parameter without looking at all of them."""

    def __init__(self, companies: Sequence[SampleCompany]) -> None:
        self._countries = sorted({company.prospect["country"] for company in companies})
        self._found: dict[tuple[str, object], list[SampleCompany]] = {}
        for company in companies:
            name, country = company.prospect["company_name"], company.prospect["country"]
            keys = {
                "vid": str(company.vid),
                "business_id": (country, business_id(company.prospect["business_id"], country)),
                "exact_name": name_key(name),
                "normalize_name": _normal(name),
            }
            for parameter, key in keys.items():
                self._found.setdefault((parameter, key), []).append(company)

    def matching(self, parameter: str, value: object, country: str | None) -> list[SampleCompany]:
        """Companies that fit one of `MATCH_PARAMETERS`; only a business id is read by the country."""
        if parameter == "business_id":
            read = {own: business_id(value, own) for own in self._countries if country in (None, own)}
            keys: list[object] = [(own, number) for own, number in read.items() if number is not None]
        elif parameter == "vid":
            keys = [str(value)]
        else:
            normal = _normal if parameter == "normalize_name" else name_key
            keys = [normal(value)] if isinstance(value, str) and value.strip() else []
        return [company for key in keys for company in self._found.get((parameter, key), ())]


def takes_match(body: Mapping[str, Any], version: int) -> bool:
    """Whether a body asks for a match in this version of the API."""
    return "match_data" in body if version == 2 else any(key in body for key in MATCH_PARAMETERS)


def match_in_v1(body: Mapping[str, Any], known: KnownCompanies) -> SampleCompany:
    """The one company that the first match parameter names; `MatchRefused` for none, several or no parameter."""
    key = next((key for key in MATCH_PARAMETERS if body.get(key) not in (None, "")), None)
    if key is None:
        raise MatchRefused(400, "MATCH_PARAMETER_MISSING", body)
    found = known.matching(key, body[key], _country(body))
    if key != "vid":
        found = [company for company in found if _is_narrow_enough(company, body)]
    if len(found) == 1:
        return found[0]
    if found:
        shown = [matched_prospect(company) for company in found[:MOST_SHOWN]]
        more = {"possible_matches": shown, "number_of_matches": len(found), "max_number_of_matches_shown": MOST_SHOWN}
        raise MatchRefused(400, "MULTIPLE_POSSIBLE_MATCHES", body, **more)
    if key == "business_id" and len(business_id(body[key]) or "") < _SHORTEST_BUSINESS_ID:
        raise MatchRefused(400, "INVALID_BUSINESSID", body)
    raise MatchRefused(400, "MATCH_NOT_FOUND", body)


def match_in_v2(body: Mapping[str, Any], known: KnownCompanies) -> SampleCompany | None:
    """The company of `match_data`, by business id first, then by exact name; None where that names not exactly one.

    `MatchRefused` without match_data (G: S000 says "you need to provide matching information").
    """
    wanted = body.get("match_data")
    if not isinstance(wanted, Mapping) or not (wanted.get("business_id") or wanted.get("company_name")):
        raise MatchRefused(400, "MATCH_PARAMETER_MISSING", {})
    country = _country(wanted)
    for key, parameter in (("business_id", "business_id"), ("company_name", "exact_name")):
        found = known.matching(parameter, wanted.get(key), country)
        found = [company for company in found if country in (None, company.prospect["country"])]
        if len(found) == 1:
            return found[0]
    return None


def find_by_business_id(path_part: str, known: KnownCompanies) -> SampleCompany | None:
    """The company of `/prospect/FI09704098/`; the prefix may be left out, as in S001's Python sample."""
    country, rest = split_country(path_part)
    found = known.matching("business_id", rest, country)
    return found[0] if len(found) == 1 else None


def _country(body: Mapping[str, Any]) -> str | None:
    value = body.get("country")
    return value.upper() if isinstance(value, str) and value else None


def _is_narrow_enough(company: SampleCompany, body: Mapping[str, Any]) -> bool:
    return all(
        not body.get(key) or same_name(body[key], company.prospect.get(key) or company.prospect.get("city"))
        for key in NARROWING
    )


def _normal(name: str) -> str:
    words = re.findall(r"\w+", name_key(name))
    return " ".join(word for word in words if word not in _ENDINGS) or " ".join(words)
