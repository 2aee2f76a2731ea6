"""S001 warns: PATCH and DELETE without an id reach EVERY object. No call of the client can do that."""

import inspect
from typing import Any

import pytest

from adapters.contract import NotFound, Refused
from adapters.simulation import FaultRule
from adapters.vainu import VainuClient
from adapters.vainu.customer_data_v1 import CustomerDataV1
from adapters.vainu.customer_data_v2 import CustomerDataV2
from tests.adapters.vainu.served import NOBODY, SAMLINK, VAINU, Served, soon

WRITES = {"patch", "delete"}
HOSTILE: list[Any] = [
    "",
    " ",
    ".",
    "..",
    "/",
    "?",
    "?won=true",
    "#",
    "%",
    "%2f",
    "../",
    "x/../",
    "a\n",
    "ä",
    "*",
    "null/",
    "x" * 129,
    None,
    0,
    False,
    ["a"],
    b"a",
]


@pytest.mark.parametrize("kind", [CustomerDataV1, CustomerDataV2])
def test_what_changes_or_deletes_takes_an_id_first(kind: type) -> None:
    """The public calls of customer data are these; each that changes existing objects names one."""
    calls = {name for name, call in inspect.getmembers(kind, callable) if not name.startswith("_")}
    reads = {"get", "page", "pages", "stream", "find", "body_of"}
    assert calls == {*reads, "create", "create_many", "end_import", *WRITES}
    for name in WRITES:
        _, first, *_ = inspect.signature(getattr(kind, name)).parameters.values()
        assert (first.name, first.default) == ("customer_data_id", inspect.Parameter.empty)


@pytest.mark.parametrize("version", [1, 2])
def test_no_hostile_id_is_ever_sent(account: Served, version: int) -> None:
    """Whatever is no plain id is refused here, and every object stays."""
    for number in range(3):
        account.state.create({"match_data": {"company_name": f"Nobody {number} Oy"}}, 2)

    async def act(client: VainuClient) -> None:
        for customer_data_id in HOSTILE:
            with pytest.raises(Refused, match="nothing was sent"):
                await client.customer_data.delete(customer_data_id, soon())
            with pytest.raises(Refused, match="nothing was sent"):
                await client.customer_data.patch(customer_data_id, {"notes": "x"}, soon(), match=VAINU)

    account.use(act, version)
    assert account.calls == []
    assert len(account.state.records) == 3


@pytest.mark.parametrize("version", [1, 2])
def test_a_delete_takes_the_object_named_and_no_other(account: Served, version: int) -> None:
    """A second one finds nothing."""

    async def act(client: VainuClient) -> str:
        one = await client.customer_data.create(VAINU, {}, soon())
        other = await client.customer_data.create(SAMLINK, {}, soon())
        await client.customer_data.delete(one.id, soon())
        with pytest.raises(NotFound):
            await client.customer_data.delete(one.id, soon())
        return other.id

    left = account.use(act, version)
    assert list(account.state.records) == [left]


def test_a_company_can_have_customer_data_again_once_it_was_deleted(account: Served) -> None:
    """Only what is there counts."""

    async def act(client: VainuClient) -> None:
        one = await client.customer_data.create(VAINU, {}, soon())
        await client.customer_data.delete(one.id, soon())
        assert (await client.customer_data.create(VAINU, {}, soon())).vid == one.vid

    account.use(act)


@pytest.mark.parametrize("fault", ["html", "nonsense", "lost_reply", "500"])
def test_a_delete_is_sent_once_and_never_taken_for_done_without_an_answer(account: Served, fault: Any) -> None:
    """The caller asks again, and learns "not found" if it had worked."""
    record = account.state.create({"match_data": {"company_name": NOBODY.company_name}}, 2)
    account.sim.journal.rules.append(FaultRule(fault))
    with pytest.raises(Exception, match="vainu"):
        account.use(lambda client: client.customer_data.delete(record.id, soon()))
    assert len(account.calls) == 1
