"""The simulated CRM.COM's tables: rows in order of creation, found by id and by owner through an index."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

Row = dict[str, Any]
_OWNERS = ("contact_information", "accounts_receivable", "account_owner")


class ApiFailure(Exception):
    """A business error: HTTP 200, and this code and description in the envelope or the row."""

    def __init__(self, code: str, detail: str, generic: str = "The API call failed.") -> None:
        super().__init__(code)
        self.code = code
        self.description = f"Error:{detail}. - Description:{generic}"


def not_found(what: str, value: object) -> ApiFailure:
    """The documented failure of a look-up (S004)."""
    return ApiFailure(
        "NotFoundAPIValueException", f"{what} ({value}) Not Found", "The specified API value was not found."
    )


def mandatory(body: Mapping[str, Any], name: str) -> Any:
    """A field that must be there; its failure's code is not documented (G)."""
    if body.get(name) in (None, "", [], {}):
        raise ApiFailure("MandatoryFieldMissingException", f"{name} is mandatory")
    return body[name]


class Tables:
    """Rows are appended, or all of a table are taken away: what is indexed stays so."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self.rows: dict[str, list[Row]] = {name: [] for name in names}
        self._indexed: defaultdict[str, int] = defaultdict(int)
        self._by_id: dict[tuple[str, object], Row] = {}
        self._by_owner: defaultdict[tuple[str, str, object], list[Row]] = defaultdict(list)

    def one(self, resource: str, identifier: Mapping[str, Any]) -> Row:
        """The first row that one of the identifier's fields names; `ApiFailure` if there is none."""
        self._index(resource)
        for field, value in identifier.items():
            if field == "id" and (resource, value) in self._by_id:
                return self._by_id[resource, value]
            for row in self.rows[resource] if field != "id" and value else ():
                parts = [row, row.get("demographics") or {}, row.get("company_profile") or {}]
                if any(part.get(field) == value for part in parts):
                    return row
        what = "Account" if resource == "accounts_receivable" else resource.replace("_", " ").title()
        raise not_found(what, next(iter(identifier.values()), ""))

    def owned(self, resource: str, place: str, owner_id: object) -> list[Row]:
        """The rows whose `place` holds an object with this id."""
        self._index(resource)
        return self._by_owner[resource, place, owner_id]

    def _index(self, resource: str) -> None:
        rows = self.rows[resource]
        if len(rows) < self._indexed[resource]:
            self._forget(resource)
        for row in rows[self._indexed[resource] :]:
            self._by_id[resource, row.get("id")] = row
            for place in _OWNERS:
                if isinstance(row.get(place), dict):
                    self._by_owner[resource, place, row[place].get("id")].append(row)
        self._indexed[resource] = len(rows)

    def _forget(self, resource: str) -> None:
        self._by_id = {key: row for key, row in self._by_id.items() if key[0] != resource}
        for key in [key for key in self._by_owner if key[0] == resource]:
            del self._by_owner[key]
        self._indexed[resource] = 0
