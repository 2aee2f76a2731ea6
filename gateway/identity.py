"""When two pushes mean the same company (CONTRACT section 7, point 2): pure rules, no store.

Identifiers, strongest first: `vid`, `business_id` (with its country), `domain`, `name` (with its country).
A push is a company we know if one of its identifiers is one of that company's. Two rules keep strangers apart:

- An unknown country fits any; two known countries that differ never fit.
- A weak match (domain, name) does not count against a strong contradiction: two prospects whose vids, or whose
  business ids in one country, differ are two companies, even if they share a web site or a name.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from adapters.company_ids import name_key
from adapters.contract import Company

Kind = Literal["vid", "business_id", "domain", "name"]
STRONG: tuple[Kind, ...] = ("vid", "business_id")
_MAX_VALUE = 512


@dataclass(frozen=True, slots=True)
class Identifier:
    """One thing by which a company is known on a connection."""

    kind: Kind
    value: str
    country: str = ""
    """ISO 3166-1 alpha-2 for business ids and names, "" where unknown or where it does not matter."""

    def fits(self, other: "Identifier") -> bool:
        """Whether both may mean one company, as far as this kind can tell."""
        same = (self.kind, self.value) == (other.kind, other.value)
        return same and (self.country == other.country or not self.country or not other.country)

    def contradicts(self, other: "Identifier") -> bool:
        """Whether both, being strong, cannot mean one company."""
        if self.kind != other.kind or self.kind not in STRONG or self.value == other.value:
            return False
        return self.country == other.country or not self.country or not other.country


def identifiers(company: Company) -> list[Identifier]:
    """Everything by which this push can be recognised, strongest first; empty for no company."""
    country = company.country or ""
    found: list[Identifier] = []
    if company.vid is not None:
        found.append(Identifier("vid", str(company.vid)))
    if company.business_id:
        found.append(Identifier("business_id", company.business_id[:_MAX_VALUE], country))
    if company.domain:
        found.append(Identifier("domain", company.domain[:_MAX_VALUE]))
    if key := name_key(company.name)[:_MAX_VALUE]:
        found.append(Identifier("name", key, country))
    return found


def recognise(pushed: Sequence[Identifier], known: Iterable[tuple[str, Identifier]]) -> str | None:
    """The id of the known company that the push means, or None if it is a new one.

    `known` holds (company id, identifier) of every company that shares at least one value with the push,
    with all of each company's identifiers.
    """
    by_company: dict[str, list[Identifier]] = {}
    for company_id, identifier in known:
        by_company.setdefault(company_id, []).append(identifier)
    for identifier in pushed:
        for company_id, aliases in by_company.items():
            if any(identifier.fits(alias) for alias in aliases) and (
                identifier.kind in STRONG or not _contradiction(pushed, aliases)
            ):
                return company_id
    return None


def _contradiction(pushed: Sequence[Identifier], aliases: Sequence[Identifier]) -> bool:
    for kind in STRONG:
        ours = [identifier for identifier in pushed if identifier.kind == kind]
        theirs = [alias for alias in aliases if alias.kind == kind]
        if any(one.fits(other) for one in ours for other in theirs):
            return False
        if any(one.contradicts(other) for one in ours for other in theirs):
            return True
    return False
