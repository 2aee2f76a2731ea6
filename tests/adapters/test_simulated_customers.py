"""Made-up customers are always the same, and their business ids are valid."""

from typing import Any

import httpx
import pytest
from stdnum.fi import ytunnus

from adapters.apptivo.simulator import simulator as apptivo
from adapters.crmcom.simulator import simulator as crmcom
from adapters.serving import serving
from adapters.simulated_customers import made_up


def test_made_up_business_ids_are_valid_and_unique() -> None:
    """By python-stdnum's check."""
    ids = [made_up(number).business_id for number in range(2_000)]
    assert [each for each in ids if not ytunnus.is_valid(each)] == []
    assert len(set(ids)) == 2_000
    assert made_up(7) == made_up(7)


@pytest.mark.parametrize(("simulator", "table"), [(apptivo, "customers"), (crmcom, "contact_information")])
def test_simulators_make_many_customers(simulator: Any, table: str) -> None:
    """By their control path; more come with other numbers; a strange count is refused."""
    app = simulator()
    with serving(app) as url:
        replies = [httpx.post(f"{url}/_customers", json={"count": count}, trust_env=False) for count in (50, 20)]
        refused = [httpx.post(f"{url}/_customers", json=body, trust_env=False) for body in ({}, {"count": 0}, [])]
    assert [reply.status_code for reply in (*replies, *refused)] == [201, 201, 422, 422, 422]
    names = [row.get("customerName") or row.get("company_name") for row in app.state.tables[table]]
    assert names == [made_up(number).name for number in range(70)]
