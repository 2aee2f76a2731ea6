"""Many customer data objects to be made, and what became of each."""

from collections.abc import Mapping
from dataclasses import dataclass

from adapters.contract import RemoteError
from adapters.vainu.models import CompanyInfo, FieldValue, MatchData
from adapters.vainu.refusals import CustomerDataExists, SeveralCompanies


@dataclass(frozen=True, slots=True)
class CustomerRow:
    """One object to be made: the company it belongs to, and its fields (those of `CustomerDataApi.create`)."""

    match: MatchData
    fields: Mapping[str, FieldValue]


@dataclass(frozen=True, slots=True)
class RowOutcome:
    """What became of one row: an object with `id`, or an `error`."""

    index: int
    """The row's place among those given, from 0."""
    row: CustomerRow
    id: str = ""
    company: CompanyInfo | None = None
    """The company that was matched; None where v2 made an unmatched object."""
    error: RemoteError | None = None

    @property
    def existing_id(self) -> str | None:
        """The object that the company has already, to be patched instead; None where there is none or Vainu is mum."""
        return self.error.existing_id if isinstance(self.error, CustomerDataExists) else None

    @property
    def candidates(self) -> tuple[CompanyInfo, ...]:
        """The companies to choose from, where several fit."""
        return self.error.candidates if isinstance(self.error, SeveralCompanies) else ()
