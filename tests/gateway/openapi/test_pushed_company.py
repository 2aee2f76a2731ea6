"""The schema of a pushed company and the reader of pushes agree, shape by shape."""

from collections.abc import Callable
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.openapi import document
from gateway.openapi.examples import pushes
from gateway.pushed import NotACompany, read_change, read_push

COMPONENTS = document()["components"]

nothings = st.sampled_from([None, "", " ", "\x00"])
scalars = st.one_of(
    nothings,
    st.booleans(),
    st.integers(-3, 5),
    st.sampled_from([0.5, 2**70, "Oy Ab", "253870", " 7 ", "-1", "a.fi", "https://www.a.fi/fi/", "--", "ä", "7e3"]),
    st.text(max_size=3),
)
good = st.sampled_from([None, "", "7", "Oy", "a.fi"])
mostly_good = st.integers(0, 9).flatmap(lambda n: good if n else scalars)
row_keys = ["first_name", "last_name", "name", "email", "title", "link", "added", "tags", "vainu_link", "other"]
rows = st.dictionaries(st.sampled_from(row_keys), mostly_good | st.lists(scalars, max_size=2), max_size=4)
people = st.one_of(st.none(), rows, st.lists(rows | st.none(), max_size=3), mostly_good)
company_keys = [
    "vid",
    "company_vid",
    "business_id",
    "company_name",
    "name",
    "official_name",
    "domain",
    "link",
    "website",
]
companies = st.fixed_dictionaries(
    {},
    optional={**dict.fromkeys([*company_keys, "country", "other"], mostly_good), "contacts": people, "leads": people},
)
wrapped = companies | scalars


def admits(name: str) -> Callable[[Any], bool]:
    bundled = {"$ref": f"#/components/schemas/{name}", "components": COMPONENTS}
    return jsonschema_rs.Draft202012Validator(bundled).is_valid


def is_accepted(read: Callable[[Any], object], body: Any) -> bool:
    try:
        read(body)
    except NotACompany:
        return False
    return True


def alike(examples: int) -> settings:
    return settings(
        max_examples=examples, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None
    )


is_pushed_company = admits("PushedCompany")


@alike(500)
@given(companies)
def test_at_the_top_the_schema_admits_what_the_reader_accepts(body: dict[str, Any]) -> None:
    """Fields of a company without a wrapper: valid by the schema, or refused with 422; never one alone."""
    assert is_accepted(read_push, body) == is_pushed_company(body)


@alike(500)
@given(st.sampled_from(["prospect", "company", "data"]), wrapped)
def test_under_a_wrapper_the_schema_admits_what_the_reader_accepts(wrapper: str, company: Any) -> None:
    """A company under `prospect`, `company` or `data`, and nothing beside it: as above."""
    assert is_accepted(read_push, {wrapper: company}) == is_pushed_company({wrapper: company})


@alike(500)
@given(st.lists(wrapped, max_size=2))
def test_in_prospects_the_schema_admits_what_the_reader_accepts(companies: list[Any]) -> None:
    """A company as the first of `prospects`: as above; the others do not matter."""
    assert is_accepted(read_push, {"prospects": companies}) == is_pushed_company({"prospects": companies})


@alike(300)
@given(st.sampled_from(["contacts", "leads"]), people)
def test_beside_a_wrapper_rows_are_read_like_those_inside(key: str, found: Any) -> None:
    """Contacts and leads beside a company that has none: as above."""
    body = {"prospect": {"company_name": "Oy Ab"}, key: found}

    assert is_accepted(read_push, body) == is_pushed_company(body)


@alike(300)
@given(st.fixed_dictionaries({}, optional={"unique_id": mostly_good, "data": wrapped, "number_of_tries": scalars}))
def test_a_change_is_admitted_where_it_is_accepted(body: dict[str, Any]) -> None:
    """Company changes: as above."""
    assert is_accepted(read_change, body) == admits("CompanyChange")(body)


@pytest.mark.parametrize("name", list(pushes()))
def test_every_example_is_a_push_of_the_same_company(name: str) -> None:
    """Each accepted shape is read, and read as Oy Samlink Ab."""
    company = read_push(pushes()[name]["value"]).company

    assert company.name == "Oy Samlink Ab"
    assert (company.vid, company.business_id, company.country) in [(253870, "09704098", "FI"), (None, None, None)]


def test_examples_carry_contacts_leads_and_ids_in_every_place() -> None:
    """The shapes with people show them where they stand, and the `id` of the body is read as text."""
    read = {name: read_push(each["value"]) for name, each in pushes().items()}

    assert [each.full_name for each in read["underProspect"].company.contacts] == ["Jane Doe", "John Doe"]
    assert {2} == {len(read[name].company.contacts) for name in ("companyAtTop", "firstOfProspects", "underCompany")}
    assert {1} == {len(read[name].company.leads) for name in ("companyAtTop", "firstOfProspects", "underCompany")}
    assert read["underData"].customer_data_id == "4711"
    assert read["companyAtTop"].customer_data_id == "5af06d0c2b1e4c0001a7c1d2"
