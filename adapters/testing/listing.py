# ruff: noqa: S101 - a test-suite says what must hold with assert
"""The contract of `CustomerListing`, for adapters that keep it; of others these tests ask nothing."""

from typing import get_args

import pytest

from adapters.contract import Adapter, CustomerListing, CustomerPage, Refused, RemoteError
from adapters.deadline import Deadline
from adapters.simulation import Fault
from adapters.testing.bench import Hooks, Remote, enough, leaks

_CUSTOMERS = 3


class ListingContract(Hooks):
    """Every customer comes, a listing goes on at its cursor, and what fails is an error of the tree."""

    def test_every_customer_is_listed(self, remote: Remote) -> None:
        """All that were made come, each once and with its name; nothing else, and no faults."""
        made = {self.created(remote, name=f"Listed {number} Oy", vid=None) for number in range(_CUSTOMERS)}
        pages = self.run(remote, _listed)
        if pages is not None:
            found = [customer for page in pages for customer in page.customers]
            assert {customer.record_id for customer in found} == made
            assert sorted(customer.name for customer in found) == [f"Listed {n} Oy" for n in range(_CUSTOMERS)]
            assert [fault for page in pages for fault in page.faults] == []

    def test_a_listing_goes_on_at_its_cursor(self, remote: Remote) -> None:
        """A cursor is short printable ASCII, and another adapter goes on with it as the first would have."""
        for number in range(_CUSTOMERS):
            self.created(remote, name=f"Listed {number} Oy", vid=None)
        pages = self.run(remote, _listed) or []
        for place, page in enumerate(pages[:-1]):
            cursor = page.cursor
            assert cursor is not None
            assert cursor.isascii()
            assert cursor.isprintable()
            assert 0 < len(cursor) <= 500
            rest = self.run(remote, lambda adapter, cursor=cursor: _listed(adapter, cursor))  # type: ignore[misc]  # bound now
            assert [each.customers for each in rest or ()] == [each.customers for each in pages[place + 1 :]]

    def test_a_strange_cursor_is_refused(self, remote: Remote) -> None:
        """A cursor that no listing gave is `Refused`, never taken for the beginning."""
        for cursor in ("", "no-such-cursor", "\x00", "9" * 400):
            with pytest.raises(Refused):
                self.run(remote, lambda adapter, cursor=cursor: _listed_or_refused(adapter, cursor))  # type: ignore[misc]  # bound now

    @pytest.mark.parametrize("fault", [fault for fault in get_args(Fault) if fault != "delay"])
    def test_a_listing_of_a_broken_crm_is_an_error(self, remote: Remote, fault: Fault) -> None:
        """Never an empty page: who believed it would take all customers for deleted."""
        self.created(remote)

        async def act(adapter: Adapter) -> RemoteError | CustomerPage | None:
            if not isinstance(adapter, CustomerListing):
                return None
            await adapter.check(enough())
            remote.fault(fault, 1)
            try:
                return await adapter.list_customers(None, Deadline.after(1))
            except RemoteError as error:
                return error

        came = self.run(remote, act)
        if came is not None:
            assert isinstance(came, RemoteError), f"expected an error, got {came!r}"
            settings = self.spec.settings.model_validate(self.settings(remote.url))
            assert not leaks(came.detail, settings)
            assert len(came.detail.splitlines()) == 1


async def _listed(adapter: Adapter, cursor: str | None = None) -> list[CustomerPage] | None:
    if not isinstance(adapter, CustomerListing):
        return None
    pages = [await adapter.list_customers(cursor, enough())]
    while pages[-1].cursor is not None:
        pages.append(await adapter.list_customers(pages[-1].cursor, enough()))
    return pages


async def _listed_or_refused(adapter: Adapter, cursor: str) -> None:
    if await _listed(adapter, cursor) is None:
        raise Refused("no listing, no cursor")
