"""Why Vainu made no customer data, as errors that can be acted on (S001, POST and PATCH /customer_data/).

    Refused                          of adapters.contract
    ├── MatchingError                no customer data, because of the company it was to belong to
    │   ├── MatchParameterMissing    nothing to match by
    │   ├── InvalidBusinessId        no business id, or none of a country that the account may see
    │   ├── NoSuchCompany            nobody fits (v1; v2 creates an unmatched object instead)
    │   ├── SeveralCompanies         several fit: `candidates`
    │   └── CompanyTaken             the company has customer data already
    │       └── CustomerDataExists   and Vainu says which: `existing_id`
    └── ImportRefused                a whole batch import: it is about no row in particular
    Throttled                        of adapters.contract
    └── ImportRunning                v1 works on another batch: one at a time

The words of three errors are Vainu's own (S001, async rows); those of the others, and the bodies of single POSTs,
are undocumented: read by the words of S001's table of responses, wherever they stand. Pure.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar

from adapters.contract import Refused, Throttled
from adapters.vainu.calls import ID
from adapters.vainu.models import CompanyInfo, identity, integer, read_company

_SHOWN = 200
_SAYING = frozenset({"error", "errors", "code", "detail", "message", "reason", "title", "non_field_errors", "results"})
"""Where an answer says why; elsewhere it repeats what was sent, and a company may be called anything."""


class MatchingError(Refused):
    """No customer data was made or changed, because of the company it was to belong to."""

    reason = "not_matched"
    advice: ClassVar[str] = "correct what it is matched by"


class MatchParameterMissing(MatchingError):
    """Nothing to match by."""

    reason = "match_parameter_missing"
    advice = "give a business id, a company name or (v1) a vid"


class InvalidBusinessId(MatchingError):
    """No business id, or one of a country that the account has no permission for."""

    reason = "invalid_business_id"
    advice = "correct the business id or its country, or ask Vainu for that country's data"


class NoSuchCompany(MatchingError):
    """No company fits."""

    reason = "no_match"
    advice = "correct the business id, the name or the country"


class SeveralCompanies(MatchingError):
    """Several companies fit."""

    reason = "multiple_matches"
    advice = "choose one of the candidates by its vid, or add the country, city or municipality"
    candidates: tuple[CompanyInfo, ...] = ()
    """As many as Vainu shows: 100 at most in S001's sample."""
    number_of_matches: int | None = None
    """How many fit, where Vainu says so."""


class CompanyTaken(MatchingError):
    """The company has customer data already, and only one object is allowed; Vainu does not say which it is."""

    reason = "already_exists"
    advice = "change the existing object instead"


class CustomerDataExists(CompanyTaken):
    """The company has customer data already: one only is allowed (S001, MATCH_ALREADY_EXISTS)."""

    existing_id: str = ""
    """The id of what is there, to be changed instead."""


class ImportRefused(Refused):
    """v1 refused a batch import as a whole: at which of its rows, if at any, is not known."""


class ImportRunning(Throttled):
    """Vainu works on another batch of this account: only one at a time is allowed (S001)."""

    reason = "import_running"


_PHRASES: tuple[tuple[str, type[MatchingError]], ...] = (
    ("ALREADYEXISTS", CompanyTaken),
    ("MULTIPLEPOSSIBLEMATCHES", SeveralCompanies),
    ("INVALIDBUSINESSID", InvalidBusinessId),
    ("MATCHPARAMETERMISSING", MatchParameterMissing),
    ("MATCHNOTFOUND", NoSuchCompany),
)
"""S001's words, of the async rows and of the table of responses, as letters only."""


def matching_error(refused: Refused) -> Refused:
    """The answer to a single POST or PATCH as the matching error it stands for; `refused` itself for any other."""
    if refused.status not in (400, 409):
        return refused
    try:
        said = json.loads(refused.body or b"")
    except (ValueError, RecursionError):
        said = None
    kind = _kind(said) or (CompanyTaken if refused.status == 409 else None)
    return refused if kind is None else _made(kind, said, refused.detail, refused)


def row_error(row: Mapping[str, Any], redact: Callable[[str], str] = str) -> Refused:
    """Why one row of a batch made no customer data: a `MatchingError`, or `Refused` for a word unknown here."""
    word = " ".join(redact(str(row.get("error"))).split())
    asked = redact(json.dumps(row.get("match_parameters"), ensure_ascii=False, default=str))
    detail = f"vainu (import) answered {word[:_SHOWN]} for {asked[:_SHOWN]}"
    kind = _kind(row)
    return Refused(detail) if kind is None else _made(kind, row, detail, None)


def _made(kind: type[MatchingError], said: object, detail: str, refused: Refused | None) -> MatchingError:
    existing_id = _existing_id(said)
    if kind is CompanyTaken and existing_id is not None:
        kind = CustomerDataExists
    status, body = (refused.status, refused.body) if refused else (None, None)
    error = kind(f"{detail}; {kind.advice}", status=status, body=body)
    if isinstance(error, CustomerDataExists):
        error.existing_id = existing_id or ""
    if isinstance(error, SeveralCompanies):
        error.candidates = read_candidates(_found(said, "possible_matches"))
        error.number_of_matches = integer(_found(said, "number_of_matches"))
    return error


def read_candidates(value: object) -> tuple[CompanyInfo, ...]:
    """Companies that fit, as S001's async rows show them; rows that are no objects are left out."""
    read = map(read_company, value if isinstance(value, list) else [])
    return tuple(company for company in read if company is not None)


def _kind(said: object) -> type[MatchingError] | None:
    if _existing_id(said) is not None:
        return CompanyTaken
    if _found(said, "possible_matches"):
        return SeveralCompanies
    words = ["".join(filter(str.isalpha, text.upper())) for text in _texts(said)]
    return next((kind for phrase, kind in _PHRASES for text in words if phrase in text), None)


def _existing_id(said: object) -> str | None:
    found = identity(_found(said, "existing_id"))
    return found if ID.fullmatch(found) else None


def _found(said: object, key: str) -> object:
    """The first value under `key`, in the answer itself or in what it says why."""
    return next((each[key] for each in _objects(said) if each.get(key) is not None), None)


def _objects(said: object, depth: int = 4) -> Iterator[Mapping[str, Any]]:
    if isinstance(said, Mapping):
        yield said
        said = [value for key, value in said.items() if key in _SAYING]
    if isinstance(said, list) and depth > 0:
        for each in said:
            yield from _objects(each, depth - 1)


def _texts(said: object, depth: int = 4) -> Iterator[str]:
    if isinstance(said, str):
        yield said
    elif isinstance(said, Mapping):
        said = [value for key, value in said.items() if key in _SAYING]
    if isinstance(said, list) and depth > 0:
        for each in said:
            yield from _texts(each, depth - 1)
