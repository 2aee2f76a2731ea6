"""Whatever JSON a firm's Apptivo holds, reading and updating raise nothing but the contract's errors."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.apptivo import SPEC
from adapters.apptivo.catalogue import read_catalogue
from adapters.apptivo.dates import Dates
from adapters.apptivo.details import new_contacts, new_notes
from adapters.apptivo.endpoints import FEED
from adapters.apptivo.feed import FeedReader, of_customer
from adapters.apptivo.mapping import FIELDS, values_of
from adapters.apptivo.overlay import lay_over
from adapters.contract import Company, Contact, Lead
from adapters.events import EventBuilder
from adapters.vendor_dates import VendorFormats

KEYS = [
    "id",
    "subject",
    "description",
    "startDate",
    "startTimeHour",
    "startTimeMinute",
    "startTimeMeridian",
    "endDate",
    "allDayEvent",
    "creationDate",
    "associatedObjects",
    "assigneeDetails",
    "fromAddress",
    "objectId",
    "objectRefId",
    "activityType",
    "salesStageName",
    "probability",
    "amount",
    "opportunityCustomerId",
    "currencyCode",
    "collabObjectJSON",
    "noteText",
    "datePosted",
    "location",
    "customerName",
    "phoneNumbers",
    "emailAddresses",
    "addresses",
    "customAttributes",
    "customAttributeId",
    "customAttributeValue",
    "annualRevenue",
    "employeeRange",
    "industryName",
    "firstName",
    "lastName",
    "statuses",
    "employeeRanges",
    "industries",
    "webLayout",
    "phoneTypes",
    "name",
    "code",
    "right",
    "tagName",
]
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from(["07/10/2017", "input_1", "Y", "Not Contacted", "5", "{}"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=6),
    max_leaves=15,
)
ROWS: Any = st.dictionaries(st.sampled_from(KEYS), JSON, max_size=12)
SETTINGS: Any = SPEC.settings.model_validate({"api_key": "key-of-tests", "access_key": "access-of-tests"})
DATES = Dates(VendorFormats("DMY"), ZoneInfo("Europe/Helsinki"))
COMPANY = Company(
    name="Oy Samlink Ab",
    document={
        "phone": "123",
        "email": "a@b.example",
        "city": "Espoo",
        "turn_over": "5",
        "staff_number": 12,
        "country": "FI",
    },
    business_id="09704098",
    country="FI",
)


@given(st.lists(ROWS | JSON, max_size=4))
def test_any_row_is_an_event_or_a_rejection(rows):
    """Every row of every source ends in the feed, in the rejections, or left out as another customer's."""
    reader, events = FeedReader(SETTINGS, DATES), EventBuilder("apptivo", DATES.read)
    for source in FEED:
        kept = of_customer(source, rows, "42")
        reply = events.collect("x", kept, reader.drafts(source))
        assert len(reply.events) + len(reply.rejected) == len(kept) <= len(rows)


@pytest.mark.parametrize("hour", [2**70, 10**9, -(2**70), 25, "9999", "x", None, 7.5])
def test_an_hour_that_no_clock_has_leaves_the_day(hour):
    """The event is shown on its day; a number that no integer of C holds costs no more than 25 o'clock does."""
    reader, events = FeedReader(SETTINGS, DATES), EventBuilder("apptivo", DATES.read)
    row = {"id": 1, "startDate": "07/10/2017", "startTimeHour": hour, "startTimeMinute": 2**70}
    (event,) = events.collect("call", [row], reader.drafts("calls")).events
    assert (event.timestamp, event.hide_time) == ("2017-10-07T00:00:00.000Z", True)


@given(ROWS, ROWS)
def test_laying_over_any_record_twice_changes_nothing_more(record, config):
    """An update of any record settles at once: the second one has nothing to send."""
    catalogue = read_catalogue(config)
    values = {**values_of(FIELDS, COMPANY), "custom:input_2": "x"}
    first = lay_over(record, values, COMPANY, catalogue, "input_1")
    second = lay_over(first.data, values, COMPANY, catalogue, "input_1")
    assert (second.names, second.attribute_ids) == ([], [])
    assert set(record) <= set(first.data)


@given(st.lists(ROWS, max_size=3))
def test_any_contacts_and_notes_can_be_compared_with(rows):
    """What Apptivo has already is read without fail, however it is spelled."""
    assert len(new_contacts([Contact("Jane", "Doe", "j@x.example")], rows)) <= 1
    assert len(new_notes([Lead("News")], rows)) <= 1
