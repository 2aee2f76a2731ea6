"""The unwrapping rule of upstream-apis 1.4, as a table and with arbitrary JSON."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.apptivo import replies
from adapters.contract import BadCredentials, NotFound, Refused, RemoteError, Throttled, UnexpectedReply

WHO = "apptivo (test)"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["id", "customerId", "data", "responseObject", "customer", "csCase", "status", "reason", "aaData",
                 "countOfRecords", "customers", "notes", "errors"]
            ) | st.text(max_size=5),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)  # fmt: skip


@given(JSON)
def test_any_json_gives_a_value_or_a_remote_error(reply):
    """Whatever arrives, nothing but a RemoteError is raised, and a record always has an id."""
    assert isinstance(replies.failure(reply, WHO), RemoteError | None)
    try:
        assert replies.record_id(replies.record(reply, WHO)) is not None
    except RemoteError as error:
        assert isinstance(error, UnexpectedReply)
    for read in (replies.record_or_none, lambda value, who: replies.page(value, ("customers",), who)):
        try:
            read(reply, WHO)
        except RemoteError as error:
            assert "\n" not in error.detail


@pytest.mark.parametrize(
    ("reply", "record_id"),
    [
        ({"customer": {"customerId": 1090590, "customerName": "x"}}, "1090590"),
        ({"id": "1090590", "customerId": 1090590}, "1090590"),
        ({"data": {"id": "7"}}, "7"),
        ({"responseObject": {"customerId": "8"}}, "8"),
        ({"csCase": {"id": 9}}, "9"),
        ({"responseCode": 0, "responseObject": {"customer": {"customerId": 10.0}}}, "10"),
        ({"data": [{"customerId": 11}]}, "11"),
    ],
)
def test_a_record_is_found_wherever_apptivo_puts_it(reply, record_id):
    """Bare, or under data, responseObject, customer, csCase."""
    assert replies.record_id(replies.record(reply, WHO)) == record_id


@pytest.mark.parametrize(
    "reply",
    [{}, [], "ok", 1, True, None, {"hello": "world"}, {"customer": None}, {"id": ""}, {"id": True}, {"data": []},
     {"customerId": 0}, {"data": [{"id": 1}, {"id": 2}]}, {"responseCode": 1, "message": "no"}],
)  # fmt: skip
def test_a_reply_without_a_record_is_unexpected(reply):
    """A write whose answer tells no id has an unknown outcome."""
    with pytest.raises(UnexpectedReply):
        replies.record(reply, WHO)


@pytest.mark.parametrize(
    "reply", [None, {"data": None}, {"data": [], "countOfRecords": 0}, {"customer": None}, {"countOfRecords": "0"}]
)
def test_absence_is_told_in_several_ways(reply):
    """What getById may say where there is nothing."""
    assert replies.record_or_none(reply, WHO) is None


@pytest.mark.parametrize("reply", [{}, {"hello": "world"}, {"customerName": "x"}, [], "", 0, {"data": {"x": 1}}])
def test_what_is_not_understood_is_not_absent(reply):
    """An object without id is no proof that the customer is gone."""
    with pytest.raises(UnexpectedReply):
        replies.record_or_none(reply, WHO)


@pytest.mark.parametrize(
    ("reason", "error"),
    [
        ("Invalid API Key", BadCredentials),
        ("Access Key is not valid", BadCredentials),
        ("invalid api key", BadCredentials),
        ("Customer Name is mandatory", Refused),
        ("No customer name", Refused),
        ("keyword missing", Refused),
        ("Customer not found", NotFound),
        ("Customer does not exist", NotFound),
        ("Invalid customer id", NotFound),
        ("No such record", NotFound),
        ("No records found", replies.NoRows),
        ("No matching customers were found", replies.NoRows),
        ("There are no customer data available", replies.NoRows),
        ("API rate limit exceeded", Throttled),
        ("Too many requests for this Key", Throttled),
        ("Request throttled", Throttled),
        (None, Refused),
        (7, Refused),
    ],
)
def test_a_failure_is_told_apart_by_its_reason(reason, error):
    """Only "Key" is confirmed; the rest is a guess that errs on the side of trying again."""
    found = replies.failure({"status": "FAILURE", "reason": reason}, WHO)
    assert type(found) is error


@pytest.mark.parametrize(
    "reply", [{"status": "SUCCESS"}, {"status": 1}, {"statusName": "FAILURE"}, [], None, "FAILURE"]
)
def test_other_replies_are_no_failures(reply):
    """Only `status: FAILURE` at the top is one."""
    assert replies.failure(reply, WHO) is None


@pytest.mark.parametrize(
    ("reply", "rows", "count"),
    [
        ({"data": [{"id": 1}], "countOfRecords": 5}, 1, 5),
        ({"data": [{"id": 1}], "countOfRecords": "5"}, 1, 5),
        ({"customers": [{"id": 1}]}, 1, None),
        ({"aaData": [{"id": 1}]}, 1, None),
        ({"somethingElse": [{"id": 1}], "total": 1}, 1, None),
        ({"responseObject": {"data": [{"id": 1}]}, "countOfRecords": 1}, 1, 1),
        ({"countOfRecords": 0}, 0, 0),
        ({"data": None, "countOfRecords": 0}, 0, 0),
        ({"data": []}, 0, None),
    ],
)
def test_a_list_is_found_under_any_of_its_names(reply, rows, count):
    """The documented key, data, aaData, or the only list in the object; countOfRecords 0 needs none."""
    page = replies.page(reply, ("customers",), WHO)
    assert (len(page.rows), page.count) == (rows, count)


@pytest.mark.parametrize(
    "reply",
    [{}, {"hello": "world"}, None, [], [{"id": 1}], {"countOfRecords": 3}, {"data": [], "countOfRecords": 3},
     {"a": [{"id": 1}], "b": [{"id": 2}]}, {"errors": []}, {"names": ["x"]}, {"data": "none"}],
)  # fmt: skip
def test_an_unknown_shape_is_never_an_empty_list(reply):
    """Empty and failed look alike to a careless reader (phpmt); not to this one."""
    with pytest.raises(UnexpectedReply):
        replies.page(reply, ("customers",), WHO)


def test_a_row_that_decides_must_be_an_object():
    """A search that brings text instead of customers has not said that there is none."""
    with pytest.raises(UnexpectedReply):
        replies.objects([{"id": 1}, "x"], WHO)
