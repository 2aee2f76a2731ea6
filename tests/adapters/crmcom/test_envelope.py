"""CRM.COM's envelope: data or an error of the contract's tree, whatever comes."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.contract import NotFound, Refused, RemoteError, ServerFault, Throttled, UnexpectedReply
from adapters.crmcom.envelope import code_word, data_of, object_of, rows_of, shown

_LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
_KEYS = st.sampled_from(["status", "data", "code", "message", "description", "id", "rows"]) | st.text(max_size=4)
_JSON = st.recursive(
    _LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_KEYS, inner, max_size=5),
    max_leaves=20,
)


def envelope(code: Any, data: Any = None, **texts: Any) -> dict[str, Any]:
    return {"status": {"code": code, "message": None, "description": "", **texts}, "data": data}


@given(_JSON)
def test_reading_raises_nothing_but_remote_errors(document: Any) -> None:
    """Whatever JSON arrives, the envelope's reader gives data or a RemoteError."""
    for read in (lambda: rows_of(data_of(document, ("id",)), ("rows",)), lambda: object_of(data_of(document, ("id",)))):
        try:
            read()
        except RemoteError as error:
            assert "\n" not in error.detail


@given(st.text(max_size=30), st.text(max_size=30), st.text(max_size=30))
def test_any_code_but_ok_is_an_error(code: str, message: str, description: str) -> None:
    """Only OK, in any case, is success."""
    document = envelope(code, [1], message=message, description=description)
    if code.strip().upper() == "OK":
        assert data_of(document) == [1]
    else:
        with pytest.raises(RemoteError):
            data_of(document)


@pytest.mark.parametrize("code", ["OK", "ok", " Ok "])
def test_ok_is_success_in_any_case_even_with_a_message(code: str) -> None:
    """A message beside OK changes nothing (upstream-apis 2.3)."""
    assert data_of(envelope(code, {"id": "1"}, message="Thank you!")) == {"id": "1"}


@pytest.mark.parametrize(
    ("code", "word"),
    [
        ("NotFoundAPIValueException", "NOTFOUNDAPIVALUE"),
        ("COM.CRM.EXCEPTION.X.NOTFOUNDAPIVALUEEXCEPTION", "NOTFOUNDAPIVALUE"),
        ("notfoundapivalue", "NOTFOUNDAPIVALUE"),
        (
            "com.crm.exception.contacts.AtLeastOneOfTheFieldsMustBeAmendedException",
            "ATLEASTONEOFTHEFIELDSMUSTBEAMENDED",
        ),
    ],
)
def test_codes_compare_by_their_last_part(code: str, word: str) -> None:
    """Dotted prefix, case and a trailing Exception do not matter."""
    assert code_word(code) == word


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("NotFoundAPIValueException", NotFound),
        ("COM.CRM.EXCEPTION.NOTFOUNDEXCEPTION", NotFound),
        ("TooManyRequestsException", Throttled),
        ("InternalServerErrorException", ServerFault),
        ("MandatoryFieldMissingException", Refused),
        ("Nobody.Knows.This", Refused),
    ],
)
def test_codes_become_the_contracts_errors(code: str, error: type[RemoteError]) -> None:
    """A code decides the error; its text is kept."""
    with pytest.raises(error, match="the text of it"):
        data_of(envelope(code, description="the text\n of it"))


@pytest.mark.parametrize("document", [None, [], "", 7, {}, {"hello": "world"}, {"status": "OK"}, {"status": {}}])
def test_nonsense_is_never_empty(document: Any) -> None:
    """A reply of no known shape is an UnexpectedReply."""
    with pytest.raises(UnexpectedReply):
        rows_of(data_of(document), ("rows",))


@pytest.mark.parametrize("data", [None, {}, "", 7, {"a": 1}, {"a": [], "b": []}])
def test_a_list_of_unknown_shape_is_never_empty(data: Any) -> None:
    """OK around something that holds no single array is an UnexpectedReply, too."""
    with pytest.raises(UnexpectedReply):
        rows_of(data_of(envelope("OK", data)), ("rows",))


@pytest.mark.parametrize("data", [[1], {"rows": [1], "other": []}, {"whatever": [1], "total": 1}])
def test_a_list_is_found_under_each_known_shape(data: Any) -> None:
    """The array itself, the named one, or the only one."""
    assert rows_of(data, ("rows",)) == [1]


def test_a_reply_without_envelope_needs_an_expected_key() -> None:
    """leads/show is documented without the envelope."""
    assert data_of({"id": "19", "state": "WON"}, ("id",))["state"] == "WON"


@pytest.mark.parametrize(
    ("document", "data"), [([{"id": "1"}], [{"id": "1"}]), ({"status": None, "data": [1]}, [1])], ids=["array", "null"]
)
def test_rows_without_a_status_are_still_rows(document: Any, data: Any) -> None:
    """An array alone where a list is expected, and an envelope whose status is null."""
    assert data_of(document, ("rows",)) == data


def test_a_show_reply_without_a_record_says_that_there_is_none() -> None:
    """Null or empty data beside OK; any other shape is unexpected."""
    for data in (None, {}, []):
        with pytest.raises(NotFound):
            shown(data)
    with pytest.raises(UnexpectedReply):
        shown({"hello": "world"})
