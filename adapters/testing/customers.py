# ruff: noqa: S101 - a test-suite says what must hold with assert
"""The contract of the methods that read and write customers."""

import re
from datetime import timedelta

import pytest

from adapters.contract import Adapter, CustomerSummary, CustomerWebhooks, NotFound
from adapters.testing.bench import Hooks, Remote, enough, leaks

_RECORD_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")


class CustomerContract(Hooks):
    """Never a second record, and the same again when repeated (CONTRACT section 7)."""

    def test_check_says_who_we_are(self, remote: Remote) -> None:
        """`check` signs in without writing, and answers one line without a secret."""
        before = remote.size()
        account = self.run(remote, lambda adapter: adapter.check(enough()))
        assert account.summary.strip()
        assert len(account.summary.splitlines()) == 1
        assert not leaks(account.summary, self.spec.settings.model_validate(self.settings(remote.url)))
        assert remote.size() == before, "check wrote something"

    def test_a_new_customer_exists(self, remote: Remote) -> None:
        """`create` answers an id that survives any URL, and `exists` knows it, and not another."""
        record_id = self.created(remote)
        assert _RECORD_ID.fullmatch(record_id), f"{record_id!r}: expected [A-Za-z0-9_-]{{1,128}}"
        assert self.run(remote, lambda adapter: adapter.exists(record_id, enough())) is True
        assert self.run(remote, lambda adapter: adapter.exists(self.unknown_id, enough())) is False

    def test_nothing_is_found_before_the_first_create(self, remote: Remote) -> None:
        """`find` in a CRM without this company is empty."""
        assert self.found(remote) == []

    def test_a_customer_is_found_by_its_business_id(self, remote: Remote) -> None:
        """`find` sees the customer by business id although the name has changed."""
        record_id = self.created(remote)
        assert self.found(remote, name="Quite Another Name Ltd") == [(record_id, "business_id")]

    def test_a_customer_is_found_by_its_name(self, remote: Remote) -> None:
        """`find` sees a customer without a business id by its exact name, whether or not we know one."""
        record_id = self.created(remote, business_id=None, vid=None)
        assert self.found(remote, vid=None) == [(record_id, "name")]
        assert [found for found, _by in self.found(remote, business_id=None, vid=None)] == [record_id]

    @pytest.mark.parametrize("name", ["Kontrakti", "Söhne Oy", "Kontrakti & Söhne Oy Ab", "K"])
    def test_a_part_of_the_name_does_not_match(self, remote: Remote, name: str) -> None:
        """`find` compares whole names: a CRM's search by containment does not decide."""
        self.created(remote, business_id=None, vid=None)
        assert self.found(remote, name=name, business_id=None, vid=None) == []

    def test_the_same_name_with_another_business_id_is_another_company(self, remote: Remote) -> None:
        """A record that carries another business id is no match by name."""
        self.created(remote)
        assert self.found(remote, business_id="09704098", vid=None) == []

    def test_the_oldest_of_two_doubles_comes_first(self, remote: Remote) -> None:
        """Where people made two records of one company, `find` names both, the older one first."""
        first = self.created(remote)
        second = self.created(remote)
        assert [record_id for record_id, _by in self.found(remote)] == [first, second]

    def test_an_update_may_be_repeated(self, remote: Remote) -> None:
        """A second equal `update` adds nothing anywhere, and the customer is still one."""
        record_id = self.created(remote)
        changed = self.company(document={**self.company().document, "city": "Turku", "phone": "+358 9 548 050"})

        self.run(remote, lambda adapter: adapter.update(record_id, changed, enough()))
        once = remote.size()
        self.run(remote, lambda adapter: adapter.update(record_id, changed, enough()))

        assert remote.size() == once, "the second update doubled something"
        assert self.found(remote) == [(record_id, "business_id")]

    def test_an_update_of_what_is_gone_says_so(self, remote: Remote) -> None:
        """`update` of an unknown id is `NotFound`, and makes nothing."""
        before = remote.size()
        with pytest.raises(NotFound):
            self.run(remote, lambda adapter: adapter.update(self.unknown_id, self.company(), enough()))
        assert remote.size() == before

    def test_details_are_not_doubled(self, remote: Remote) -> None:
        """`add_details` brings contacts and leads; a second time, after a restart, it brings nothing more."""
        record_id = self.created(remote)
        before = remote.size()

        self.run(remote, lambda adapter: adapter.add_details(record_id, self.company(), enough()))
        once = remote.size()
        self.run(remote, lambda adapter: adapter.add_details(record_id, self.company(), enough()))

        assert once > before, "add_details brought nothing"
        assert remote.size() == once, "the second add_details doubled something"

    def test_the_page_of_a_record(self, remote: Remote) -> None:
        """`record_url` is None, or an http(s) address that holds the id, percent-encoded."""

        async def ask(adapter: Adapter) -> list[str | None]:
            return [adapter.record_url("abc-1"), adapter.record_url("a/../b?c#d e")]

        plain, hostile = self.run(remote, ask)
        if plain is not None and hostile is not None:
            assert plain.startswith(("https://", "http://")), plain
            assert "abc-1" in plain
            assert "a%2F" in hostile, "the id must be percent-encoded"
            assert not {" ", "{", "}"} & set(hostile)

    def test_a_webhook_names_its_customer(self, remote: Remote) -> None:
        """`read_events` finds the record in the hook's body, and reads any other JSON without an exception."""

        async def ask(adapter: Adapter) -> tuple[list[str], list[str]] | None:
            if not isinstance(adapter, CustomerWebhooks):
                return None
            odd: object
            for odd in (None, [], {}, "text", 7, {"data": None}, {"data": [[]]}, [{"id": {}}], {"id": ["x"]}):
                adapter.read_events(odd)
            body = self.webhook("AB12")
            assert body is not None, "an adapter with webhooks needs the hook `webhook`"
            return [event.record_id for event in adapter.read_events(body)], ["AB12"]

        read, expected = self.run(remote, ask) or ([], [])
        assert read == expected

    def test_a_summary_is_of_the_customer_as_it_is(self, remote: Remote) -> None:
        """`summary` tells the customer's name and its deals; of an unknown id it is `NotFound`."""
        record_id = self.created(remote)

        async def ask(adapter: Adapter) -> CustomerSummary | None:
            if not isinstance(adapter, CustomerWebhooks):
                return None
            with pytest.raises(NotFound):
                await adapter.summary(self.unknown_id, enough())
            return await adapter.summary(record_id, enough())

        summary = self.run(remote, ask)
        if summary is not None:
            assert summary.name == self.company().name
            assert summary.record_id == record_id
            deals = (summary.open_deals, summary.won_deals, summary.lost_deals)
            assert all(number is None or number >= 0 for number in deals)
            assert summary.last_update is None or summary.last_update.utcoffset() == timedelta(0), "expected UTC"
