"""Finding the customer that is the company: compared by us, never by a search that matches parts."""

from typing import Any

import pytest

from adapters.apptivo.simulator import BUSINESS_ID_ATTRIBUTE
from adapters.contract import Match, RemoteError, ServerFault


def _customer(bench: Any, name: str, business_id: str | None = None, attribute: str = BUSINESS_ID_ATTRIBUTE) -> str:
    custom = [{"customAttributeId": attribute, "customAttributeValue": business_id}] if business_id else []
    return bench.state.insert_customer({"customerName": name, "customAttributes": custom})["id"]


def _found(bench: Any, company: Any, **settings: Any) -> list[Match]:
    return list(bench.run(lambda adapter, deadline: adapter.find(company, deadline), **settings))


def test_a_name_that_only_contains_the_company_is_no_match(bench, pushed):
    """Apptivo's search brings "Oy Samlink Ab Holding" too; only the exact name counts, whatever case and blanks."""
    _customer(bench, "Oy Samlink Ab Holding")
    second = _customer(bench, "oy samlink ab")
    third = _customer(bench, "Oy Samlink Ab")
    assert [Match(second, "name"), Match(third, "name")] == _found(bench, pushed())


def test_the_business_id_comes_before_the_name_and_each_record_once(bench, pushed):
    """By business id first, then by name, oldest first; a record that matches both ways counts once."""
    by_name = _customer(bench, "Oy Samlink Ab")
    by_both = _customer(bench, "Oy Samlink Ab", "FI09704098")
    by_id = _customer(bench, "Samlink renamed", "0970409-8")
    assert [Match(by_both, "business_id"), Match(by_id, "business_id"), Match(by_name, "name")] == _found(
        bench, pushed(), business_id_attribute=BUSINESS_ID_ATTRIBUTE
    )


def test_a_namesake_with_another_business_id_is_another_company(bench, pushed):
    """Two firms of one name are told apart by the configured attribute."""
    _customer(bench, "Oy Samlink Ab", "1234567-1")
    assert _found(bench, pushed(), business_id_attribute=BUSINESS_ID_ATTRIBUTE) == []


def test_the_id_in_another_field_counts_only_while_none_is_configured(bench, pushed):
    """With a configured attribute the id elsewhere means nothing; without one any custom attribute may hold it."""
    elsewhere = _customer(bench, "Renamed", "09704098", attribute="input_2")
    assert _found(bench, pushed(), business_id_attribute=BUSINESS_ID_ATTRIBUTE) == []
    assert [Match(elsewhere, "business_id")] == _found(bench, pushed())


def test_the_id_in_a_phone_number_is_no_match(bench, pushed):
    """A text search finds digits anywhere; only custom attributes hold business ids."""
    bench.state.insert_customer({"customerName": "Other", "phoneNumbers": [{"phoneNumber": "09704098"}]})
    assert _found(bench, pushed()) == []


def test_all_pages_of_a_search_are_read(bench, pushed):
    """The exact name is found although 120 longer names come before it."""
    for number in range(120):
        _customer(bench, f"Oy Samlink Ab {number}")
    last = _customer(bench, "Oy Samlink Ab")
    assert [Match(last, "name")] == _found(bench, pushed())
    assert len(bench.lines("getAllByAdvancedSearch")) == 3


def test_the_oldest_is_the_lowest_number_not_the_first_text(bench, pushed):
    """Ids are compared as numbers: 999 is older than 1000."""
    for number in (1000, 999):
        bench.state.tables["customers"].append(
            {"customerName": "Oy Samlink Ab", "id": str(number), "customerId": number}
        )
    assert [match.record_id for match in _found(bench, pushed())] == ["999", "1000"]


def test_a_company_is_also_found_under_the_name_that_create_would_write(bench, pushed):
    """Where the field table makes another name, the search uses both, so a create can be found again."""

    async def act(adapter, deadline):
        record_id = await adapter.create(pushed(), deadline)
        return record_id, await adapter.find(pushed(business_id=None), deadline)

    record_id, found = bench.run(act, fields={"customerName": "join(' ', [company_name, city])"})
    assert [Match(record_id, "name")] == list(found)


def test_a_lost_reply_is_found_afterwards(bench, pushed):
    """Apptivo made the customer but its answer got lost: a search finds it, so no second one is made."""
    bench.fault("lost_reply", "a=save", times=1)

    async def act(adapter, deadline):
        with pytest.raises(RemoteError) as raised:
            await adapter.create(pushed(), deadline)
        assert not raised.value.outcome_known
        return await adapter.find(pushed(), deadline)

    assert len(bench.run(act)) == 1
    assert len(bench.lines("a=save")) == 1


def test_a_text_search_that_is_refused_leaves_the_search_by_name(bench, pushed, monkeypatch):
    """What the text search covers is unknown; a firm whose Apptivo refuses it is still found by name."""
    from adapters.apptivo import simulator

    known = _customer(bench, "Oy Samlink Ab")
    actions = {key: act for key, act in simulator._ACTIONS.items() if key[1] != "getAllBySearchText"}
    monkeypatch.setattr(simulator, "_ACTIONS", actions)
    assert [Match(known, "name")] == _found(bench, pushed())


@pytest.mark.parametrize("action", ["getAllBySearchText", "getAllByAdvancedSearch"])
def test_a_search_that_fails_is_never_an_empty_one(bench, pushed, action):
    """A transient failure of either search is raised: a create must not follow it."""
    bench.fault("503", action)
    with pytest.raises(ServerFault):
        _found(bench, pushed())


def test_a_company_without_business_id_is_searched_by_name_only(bench, pushed):
    """No text search is made for nothing."""
    _found(bench, pushed(business_id=None))
    assert bench.lines("getAllBySearchText") == []


def test_exists_asks_for_what_may_be_an_id_only(bench):
    """An id that cannot be one is not asked for; one that Apptivo has not is False."""
    known = _customer(bench, "Oy Samlink Ab")

    async def act(adapter, deadline):
        return [await adapter.exists(record_id, deadline) for record_id in (known, "4711", "gw_1-a", "a b", "", "ä")]

    assert bench.run(act) == [True, False, False, False, False, False]
    assert len(bench.lines("getById")) == 3
