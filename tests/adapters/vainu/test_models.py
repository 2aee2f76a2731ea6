"""Vainu's settings, and reading customer data in every spelling that Vainu's documents show."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from pydantic import ValidationError

from adapters.contract import UnexpectedReply
from adapters.vainu.models import CompanyInfo, MatchData, VainuSettings, read_customer_data, render_fields

KEY = "ab" * 32
NOKIA = MatchData("Nokia Oyj", "0112038-9", "FI", 7)
V1_SAMPLE = {
    "owner_email": "example@vainu.io",
    "unique_id": "f39a1a59",
    "won_deals_count": 2,
    "open_deals_count": 1,
    "lost_deals_count": 0,
    "notes": "string",
    "last_update": "2018-06-08T12:30:39.923Z",
    "won": True,
    "origin": "PublicApi",
    "modified": "2018-06-09T12:30:39.923Z",
    "created": "2018-06-09T12:20:21.341Z",
    "prospect_info": {
        "vid": 463880794,
        "company_name": "Vainu Finland Oy",
        "business_id": "2822996-6",
        "country": "FI",
        "domain": "vainu.io",
    },
    "id": "2b1961522a6e7f19c3e5ac08",
    "prospect": 463880794,
}


def settings(**given: object) -> VainuSettings:
    return VainuSettings.model_validate(given, context={"environ": {"ACME_KEY": KEY}})


def test_ids_may_be_numbers() -> None:
    """The documents write text; a number is read as its digits, true and false are no ids."""
    read = read_customer_data({**V1_SAMPLE, "id": 4711, "unique_id": 1090590})
    assert (read.id, read.unique_id) == ("4711", "1090590")
    with pytest.raises(UnexpectedReply):
        read_customer_data({**V1_SAMPLE, "id": True})


def test_the_defaults_are_vainus_address_and_version_2() -> None:
    """Only credentials must be given."""
    made = settings(api_key={"env": "ACME_KEY"})
    assert (made.base_url, made.api_version) == ("https://api.vainu.io", 2)
    assert KEY not in repr(made)


@pytest.mark.parametrize(
    ("given", "place", "words"),
    [
        ({}, (), "api_key, or username and password"),
        ({"api_key": KEY, "username": "u", "password": "secret-pw"}, (), "api_key, or username and password"),
        ({"username": "u"}, (), "go together"),
        ({"api_key": "two words-secret"}, ("api_key",), "visible ASCII"),
        ({"api_key": "secret\nsecond"}, ("api_key",), "visible ASCII"),
        ({"api_key": KEY, "base_url": "http://vainu.example"}, ("base_url",), "https://"),
        ({"api_key": KEY, "base_url": "https://api.vainu.io/api/v2/"}, ("base_url",), "api_version"),
        ({"api_key": KEY, "api_version": 3}, ("api_version",), "1 or 2"),
        ({"api_key": KEY, "apikey": "x"}, ("apikey",), "Extra inputs"),
        ({"api_key": KEY, "webhook_configuration_path": "../x?"}, ("webhook_configuration_path",), "pattern"),
    ],
)
def test_wrong_settings_are_refused_at_their_place(
    given: dict[str, object], place: tuple[str, ...], words: str
) -> None:
    """The fault names the setting and what was expected, and never shows a secret."""
    with pytest.raises(ValidationError) as caught:
        settings(**given)
    (fault,) = caught.value.errors()
    assert place == fault["loc"]
    assert words in fault["msg"]
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"base_url": "http://127.0.0.1:8000/vainu/"}, "http://127.0.0.1:8000/vainu"),
        ({"base_url": "http://vainu.example", "allow_http": True}, "http://vainu.example"),
        ({"base_url": "https://proxy.example/to/vainu"}, "https://proxy.example/to/vainu"),
    ],
)
def test_plain_http_needs_loopback_or_a_word_and_a_path_stays(given: dict[str, object], expected: str) -> None:
    """A proxy's prefix path is kept, without its trailing slash."""
    assert expected == settings(api_key=KEY, **given).base_url


def test_v1_spelling_is_read() -> None:
    """S001's sample: prospect and prospect_info."""
    read = read_customer_data(V1_SAMPLE)
    assert (read.id, read.vid, read.unique_id, read.won) == ("2b1961522a6e7f19c3e5ac08", 463880794, "f39a1a59", True)
    assert (read.won_deals_count, read.open_deals_count, read.lost_deals_count) == (2, 1, 0)
    assert CompanyInfo(463880794, "Vainu Finland Oy", "2822996-6", "FI", "vainu.io") == read.company


def test_v2_spelling_is_read_to_the_same_value() -> None:
    """S000's sample: company_vid and company_info stand for prospect and prospect_info."""
    v2 = {key: value for key, value in V1_SAMPLE.items() if not key.startswith("prospect")}
    v2 |= {"company_vid": V1_SAMPLE["prospect"], "company_info": V1_SAMPLE["prospect_info"], "match_data": {}}
    assert read_customer_data(V1_SAMPLE) == read_customer_data(v2)


def test_unmatched_data_has_no_vid_and_no_company() -> None:
    """S000: company_vid -1 and company_info null."""
    read = read_customer_data({"id": "a1", "company_vid": -1, "company_info": None, "new_field": 7})
    assert (read.vid, read.company) == (None, None)
    assert read.document["new_field"] == 7


@pytest.mark.parametrize("vid", [7, "7"])
def test_the_vid_is_read_wherever_it_stands(vid: object) -> None:
    """Under company_vid, under prospect, or in the company alone; a null beside it does not hide it."""
    for told in ({"company_vid": vid}, {"company_vid": None, "prospect": vid}, {"company_info": {"vid": vid}}):
        assert read_customer_data({"id": "a1", **told}).vid == 7


def test_a_number_that_is_none_is_left_out() -> None:
    """One odd field does not cost the whole object."""
    read = read_customer_data({"id": "a1", "company_vid": "--7", "won_deals_count": "many", "open_deals_count": True})
    assert (read.vid, read.won_deals_count, read.open_deals_count) == (None, None, None)


@pytest.mark.parametrize("value", [None, [], "x", {}, {"id": None}, {"id": ""}, {"hello": "world"}])
def test_what_has_no_id_is_no_customer_data(value: object) -> None:
    """An unknown shape is never read as an empty object."""
    with pytest.raises(UnexpectedReply):
        read_customer_data(value)


def test_times_are_written_as_each_version_wants() -> None:
    """v1 takes a date-time, v2 a date (S000), both of the moment in UTC."""
    moment = datetime(2018, 6, 9, 1, 30, 5, 123456, tzinfo=timezone(timedelta(hours=3)))
    assert render_fields({"last_update": moment}, 1) == {"last_update": "2018-06-08T22:30:05.123Z"}
    assert render_fields({"last_update": moment}, 2) == {"last_update": "2018-06-08"}
    assert render_fields({"last_update": date(2018, 6, 8)}, 1) == {"last_update": "2018-06-08T00:00:00.000Z"}
    assert render_fields({"last_update": date(2018, 6, 8)}, 2) == {"last_update": "2018-06-08"}


def test_other_fields_go_as_they_are() -> None:
    """Numbers and null stay; a lone surrogate, which has no UTF-8 form, becomes a question mark."""
    given = {"won_deals_count": 2, "notes": None, "owner_email": "a\ud800b"}
    assert render_fields(given, 2) == {"won_deals_count": 2, "notes": None, "owner_email": "a?b"}


@pytest.mark.parametrize(
    ("match", "version", "expected"),
    [
        (NOKIA, 2, {"match_data": {"company_name": "Nokia Oyj", "business_id": "0112038-9", "country": "FI"}}),
        (NOKIA, 1, {"vid": 7, "exact_name": "Nokia Oyj", "business_id": "0112038-9", "country": "FI"}),
        (MatchData(vid=7), 1, {"vid": 7}),
        (MatchData(normalize_name="nokia", city="Espoo"), 1, {"normalize_name": "nokia", "city": "Espoo"}),
        (MatchData(normalize_name="nokia", city="Espoo"), 2, {}),
        (MatchData("a\ud800b", municipality="Espoo"), 1, {"exact_name": "a?b", "municipality": "Espoo"}),
        (MatchData(vid=7), 2, {}),
        (MatchData(country="FI"), 1, {}),
        (MatchData(country="FI"), 2, {}),
    ],
)
def test_matching_goes_where_each_version_looks_for_it(
    match: MatchData, version: int, expected: dict[str, object]
) -> None:
    """v1 matches by top-level keys, v2 by match_data; nothing to match by gives nothing."""
    assert expected == match.body(1 if version == 1 else 2)


def test_utc_is_what_an_aware_time_is_turned_to() -> None:
    """A UTC time is written unchanged."""
    assert render_fields({"last_update": datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)}, 1) == {
        "last_update": "2020-01-02T03:04:05.000Z"
    }
