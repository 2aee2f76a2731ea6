"""Every reader of what a remote system says, under any JSON and any text: a value, or the error that it documents."""

import contextlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from hypothesis import example, given, note, settings
from hypothesis import strategies as st

from adapters import company_ids, fields
from adapters.apptivo import webhook as apptivo_webhook
from adapters.apptivo.catalogue import read_catalogue
from adapters.contract import Company, RemoteError, UnexpectedReply
from adapters.crmcom import webhook as crmcom_webhook
from adapters.crmcom.event_body import read_event_body
from adapters.crmcom.models import EVENT_KINDS
from adapters.crmcom.records import outcome_sets
from adapters.http_replies import Reply, refusal, retry_after_seconds
from adapters.plain_text import email_address, one_line, plain_text
from adapters.redaction import Redactor
from adapters.vainu import models, prospect_models
from adapters.vainu.prospects import read_count
from adapters.vainu.refusals import read_candidates

BOUNDED = settings(max_examples=120, deadline=None, derandomize=True, database=None)
NOW = datetime(2026, 1, 1, tzinfo=UTC)
KEYS = (
    "id", "vid", "data", "customer", "customerId", "objectId", "objectRefId", "contact_information", "event",
    "kind", "accounts_receivable", "unique_id", "company_info", "prospect_info", "company_vid", "prospect",
    "business_id", "company_name", "contacts", "financial_statements", "prospects", "count", "datetime", "added",
    "country", "name", "statuses", "industries", "employeeRanges", "webLayout", "sections", "processed", "failed",
    "number", "code", "request_unique_identifier", "purchases_customer_events_set", "performed_on", "products_set",
    "net_amount",
)  # fmt: skip
NAMES = st.sampled_from(KEYS)
ODD = st.sampled_from(
    ["", "0", "-1", "9" * 400, "\x00", "\ud800", "2018-05-04", "NaN", "1e309", "[]", '{"a": 1}', "FI1"]
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | ODD
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES | st.text(max_size=4), inner, max_size=6),
    max_leaves=15,
)
DATES = st.from_regex(r"[A-Z][a-z]{2}, \d{1,3} Jan \d{1,25} \d\d:\d\d:\d\d [+-]?\w{3,6}")
OBJECTS = st.dictionaries(NAMES, JSON, max_size=8)


class NothingElse(Exception):
    """Stands where a reader has no error of its own."""


def events_of(kind: str) -> Callable[[Any], Any]:
    return lambda value: read_event_body(kind, value, "key", lambda text: text)


READERS: dict[str, tuple[Callable[[Any], Any], type[Exception]]] = {
    "Apptivo's webhooks": (apptivo_webhook.read_events, NothingElse),
    "CRM.COM's webhooks": (crmcom_webhook.read_events, NothingElse),
    "Apptivo's catalogue": (lambda value: read_catalogue(value if isinstance(value, dict) else {}), NothingElse),
    "CRM.COM's outcomes": (outcome_sets, RemoteError),
    "a prospect": (prospect_models.read_prospect, UnexpectedReply),
    "a financial statement": (prospect_models.read_financial_statement, UnexpectedReply),
    "a contact": (prospect_models.read_contact, UnexpectedReply),
    "a lead": (prospect_models.read_lead, UnexpectedReply),
    "customer data": (models.read_customer_data, UnexpectedReply),
    "a company": (models.read_company, NothingElse),
    "candidates": (read_candidates, NothingElse),
    "a count": (read_count, UnexpectedReply),
    "a business id": (lambda value: company_ids.written_id(value, None), NothingElse),
    "a Finnish id": (lambda value: company_ids.business_id(value, "FI"), NothingElse),
    "a country": (company_ids.country_code, NothingElse),
    "plain text": (plain_text, NothingElse),
    "one line": (one_line, NothingElse),
    "an e-mail address": (email_address, NothingElse),
    "a field's text": (fields.text, NothingElse),
    **{f"customer events: {kind}": (events_of(kind), ()) for kind in EVENT_KINDS},
}


@BOUNDED
@given(value=JSON | OBJECTS | st.lists(OBJECTS, max_size=3))
def test_any_json(value: Any) -> None:
    """Nothing but the documented error leaves a reader, whatever it is given."""
    for name, (read, documented) in READERS.items():
        with contextlib.suppress(documented):
            note(name)
            read(value)


@BOUNDED
@given(value=st.text(max_size=200) | st.text("<>&;#/ab\n\x00\u202e", max_size=60))
def test_plain_text_is_plain(value: str) -> None:
    """Whatever a CRM writes, no markup that was a tag and no control character is left, and it is not too long."""
    text = plain_text(value, 100)
    assert len(text) <= 100
    assert not [char for char in text if ord(char) < 32 and char not in "\n\t"]
    assert "\n" not in one_line(value, 50)


@BOUNDED
@given(header=st.none() | st.text(max_size=40) | DATES)
@example(header="Thu, 01 Jan 99999999999999999999 00:00:00 GMT")
@example(header="Fri, 31 Dec 9999 23:59:59 -2359")
@example(header="Mon, 01 Jan 0001 00:00:00 +2359")
@example(header="1" * 400)
@example(header="\u0661")
def test_any_retry_after(header: str | None) -> None:
    """A header of any form is seconds from now, finite and not negative, or nothing."""
    seconds = retry_after_seconds(header, NOW)
    assert seconds is None or 0 <= seconds < 1e12


@BOUNDED
@given(status=st.integers(300, 599), content=st.binary(max_size=300), header=st.none() | st.text(max_size=30))
def test_any_refusal(status: int, content: bytes, header: str | None) -> None:
    """An answer without a 2xx is an error of the tree, of one line, without what is secret."""
    reply = Reply(status, "text/plain", content + b" s3cret", "remote")
    error = refusal(reply, header, Redactor(["s3cret"]))
    assert isinstance(error, RemoteError)
    assert "s3cret" not in error.detail
    assert "\n" not in error.detail


@BOUNDED
@given(content=st.binary(max_size=200) | JSON.map(repr).map(str.encode))
@example(content=b"[" * 100_000)
@example(content=b"1" * 10_000)
def test_any_reply(content: bytes) -> None:
    """A body is JSON, or an unexpected reply."""
    try:
        Reply(200, "application/json", content, "remote").json()
    except UnexpectedReply as error:
        assert "expected JSON" in error.detail


@BOUNDED
@given(document=OBJECTS, name=st.text(max_size=20))
def test_any_document_under_a_field_table(document: dict[str, Any], name: str) -> None:
    """JMESPath over any pushed company gives a value for each target, or leaves it out."""
    table = {"a": "data.name", "b": "contacts[0].id", "c": "join(' ', [name, country])", "d": "to_number(vid)"}
    assert fields.evaluate(table, Company(name=name, document=document)).keys() <= table.keys()
