# ruff: noqa: S101 - a test-suite says what must hold with assert
"""The contract of `BulkEvents`, for adapters that keep it; of others these tests ask nothing."""

from collections.abc import Mapping
from typing import Any, get_args

import pytest

from adapters.contract import Adapter, BulkEvents, RowOutcome
from adapters.deadline import Deadline
from adapters.simulation import Fault
from adapters.testing.bench import Hooks, Remote, enough, leaks

_ODD: tuple[object, ...] = (None, 7, "x", [], {}, [None], [[]], {"data": 1}, [{"a": {"b": []}}])


class BulkEventsContract(Hooks):
    """What is wrong is told before anything is sent; every row has its own outcome; nothing is there twice."""

    def event(self, kind: str, record_id: str, number: int) -> Mapping[str, Any]:
        """A good row of this kind for this customer; `number` tells the rows of a test apart."""
        raise NotImplementedError

    def test_odd_bodies_are_faults(self, remote: Remote) -> None:
        """Whatever the body, its faults are told, each on one line, and no exception leaves."""

        async def act(adapter: Adapter) -> None:
            if isinstance(adapter, BulkEvents):
                for kind in adapter.event_kinds:
                    for odd in _ODD:
                        found = adapter.read_event_body(kind, odd, "key")
                        assert found.faults, f"{kind}: {odd!r}"
                        assert not found.rows, f"{kind}: {odd!r}"
                        assert all(len(fault.message.splitlines()) == 1 for fault in found.faults)
                    assert adapter.check_event(kind, {})

        self.run(remote, act)

    def test_rows_are_done_and_not_doubled(self, remote: Remote) -> None:
        """Rows are done, in their order; pushed again as a repeat they are done by the same ids, and nothing grows."""
        record_id = self.customer(remote)

        async def act(adapter: Adapter) -> dict[str, list[list[RowOutcome]]]:
            found: dict[str, list[list[RowOutcome]]] = {}
            for kind in adapter.event_kinds if isinstance(adapter, BulkEvents) else ():
                assert isinstance(adapter, BulkEvents)
                given = [self.event(kind, record_id, number) for number in range(2)]
                body = adapter.read_event_body(kind, given, f"contract-{kind}")
                assert list(body.faults) == [], kind
                first = await adapter.push_events(kind, body.rows, enough())
                size = remote.size()
                again = await adapter.push_events(kind, body.rows, enough(), is_repeat=True)
                assert remote.size() == size, f"{kind}: the repeat doubled something"
                found[kind] = [first, again]
            return found

        for kind, (first, again) in self.run(remote, act).items():
            assert all(outcome.is_done and outcome.id for outcome in first), f"{kind}: {first!r}"
            assert [outcome.id for outcome in first] == [outcome.id for outcome in again], kind

    @pytest.mark.parametrize("fault", [fault for fault in get_args(Fault) if fault != "delay"])
    def test_a_broken_crm_shows_in_every_row(self, remote: Remote, fault: Fault) -> None:
        """No exception leaves, no row is done or lost, no secret shows."""
        record_id = self.customer(remote)

        async def act(adapter: Adapter) -> list[RowOutcome] | None:
            if not isinstance(adapter, BulkEvents):
                return None
            kind = adapter.event_kinds[0]
            rows = adapter.read_event_body(kind, [self.event(kind, record_id, 1)], "contract").rows
            await adapter.check(enough())
            remote.fault(fault, 1)
            return await adapter.push_events(kind, rows, Deadline.after(1))

        settings = self.spec.settings.model_validate(self.settings(remote.url))
        for outcome in self.run(remote, act) or ():
            assert not outcome.is_done
            assert outcome.error_code
            assert not leaks(outcome.error_description, settings)

    def customer(self, remote: Remote) -> str:
        """A customer with all its details."""
        record_id = self.created(remote)
        self.run(remote, lambda adapter: adapter.add_details(record_id, self.company(), enough()))
        return record_id
