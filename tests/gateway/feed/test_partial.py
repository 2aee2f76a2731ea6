"""Sources that do not answer: what is left out and named, what is served instead, and how fast."""

import time
from typing import Any

import pytest

from tests.gateway.feed.conftest import CRMS, SOURCES
from tests.harness import wait_until

both = pytest.mark.parametrize("connection", ["acme", "globex"])
each_source = pytest.mark.parametrize(
    ("connection", "source"), [(name, source) for name, crm in CRMS.items() for source in SOURCES[crm]]
)
PROBLEM = "application/problem+json"


@each_source
def test_a_source_that_breaks_is_left_out_and_named(scene: Any, connection: str, source: str) -> None:
    """`Gateway-Partial` says error; everything else is there."""
    customer = scene.one_of_each(connection)
    match = SOURCES[CRMS[connection]][source]
    scene.fault(connection, "500", match)
    reply = scene.feed(connection, customer)
    assert reply.status_code == 200
    assert reply.headers["Gateway-Partial"] == f"{source}=error"
    assert len(reply.json()) == len(SOURCES[CRMS[connection]]) - 1
    scene.heal()
    whole = scene.feed(connection, customer)
    assert "Gateway-Partial" not in whole.headers
    assert len(whole.json()) == len(SOURCES[CRMS[connection]])


@pytest.mark.parametrize(
    ("connection", "source"), [("acme-hasty", "notes"), ("acme-hasty", "newsfeed"), ("globex-hasty", "leads")]
)
def test_a_source_that_hangs_is_named_and_the_feed_is_in_time(scene: Any, connection: str, source: str) -> None:
    """`Gateway-Partial` says timeout; the answer comes within the budget of 700 ms, with all other events."""
    customer = scene.one_of_each(connection)
    crm = CRMS[connection.partition("-")[0]]
    scene.feed(connection, customer)
    scene.fault(connection, "delay", SOURCES[crm][source], seconds=3)
    started = time.monotonic()
    reply = scene.feed(connection, customer)
    assert time.monotonic() - started < 1.2
    assert reply.headers["Gateway-Partial"] == f"{source}=timeout"
    assert len(reply.json()) == len(SOURCES[crm]) - 1
    dur = float(reply.headers["Server-Timing"].partition(f"{source};dur=")[2].partition(",")[0])
    assert 500 < dur < 750


def test_several_missing_sources_are_all_named(scene: Any) -> None:
    """In the order of the CRM's sources, each with its own word."""
    customer = scene.one_of_each("acme-hasty")
    scene.fault("acme-hasty", "delay", "a=getNotes", seconds=3)
    scene.fault("acme-hasty", "html", "/dao/newsfeed")
    scene.fault("acme-hasty", "429", "activityType=Call")
    reply = scene.feed("acme-hasty", customer)
    assert reply.headers["Gateway-Partial"] == "calls=error, notes=timeout, newsfeed=error"
    assert len(reply.json()) == 5


@pytest.mark.parametrize("fault", ["html", "empty", "nonsense", "cut", "drop", "429", "503", "lost_reply"])
@both
def test_a_source_that_answers_nonsense_is_an_error_not_empty(scene: Any, connection: str, fault: str) -> None:
    """Whatever goes wrong with one source costs that source, and it is said."""
    customer = scene.one_of_each(connection)
    source = {"acme": "newsfeed", "globex": "leads"}[connection]
    scene.fault(connection, fault, SOURCES[CRMS[connection]][source])
    reply = scene.feed(connection, customer)
    assert (reply.status_code, reply.headers["Gateway-Partial"]) == (200, f"{source}=error")


@both
def test_all_sources_are_asked_at_the_same_time(scene: Any, connection: str) -> None:
    """With 300 ms on every call the feed takes few times that, and not once per source."""
    customer = scene.one_of_each(connection)
    scene.feed(connection, customer)
    scene.fault(connection, "delay", seconds=0.3)
    started = time.monotonic()
    reply = scene.feed(connection, customer)
    assert time.monotonic() - started < 1.2
    assert len(reply.json()) == len(SOURCES[CRMS[connection]])
    timings = reply.headers["Server-Timing"]
    assert all(f"{source};dur=3" in timings for source in SOURCES[CRMS[connection]])


@both
def test_server_timing_names_the_total_and_every_source(scene: Any, connection: str) -> None:
    """Durations are in milliseconds, as the header's specification says."""
    reply = scene.feed(connection, scene.one_of_each(connection))
    parts = dict(part.strip().split(";dur=") for part in reply.headers["Server-Timing"].split(","))
    assert set(parts) == {"total", *SOURCES[CRMS[connection]]}
    assert all(float(value) >= 0 for value in parts.values())


@pytest.mark.parametrize("fault", ["500", "html", "nonsense", "empty", "drop", "cut", "429"])
@pytest.mark.parametrize("connection", ["acme-hasty", "globex-hasty"])
def test_a_crm_that_breaks_altogether_is_502(scene: Any, connection: str, fault: str) -> None:
    """With the reason of every source, as problem+json; never an empty feed."""
    customer = scene.one_of_each(connection)
    scene.fault(connection, fault)
    reply = scene.feed(connection, customer)
    assert (reply.status_code, reply.headers["content-type"]) == (502, PROBLEM)
    assert "Traceback" not in reply.text
    assert set(reply.json()) >= {"type", "title", "status", "detail", "request_id"}


@pytest.mark.parametrize("connection", ["acme-hasty", "globex-hasty"])
def test_a_crm_that_hangs_altogether_is_504(scene: Any, connection: str) -> None:
    """Within the budget."""
    customer = scene.one_of_each(connection)
    scene.fault(connection, "delay", seconds=3)
    started = time.monotonic()
    reply = scene.feed(connection, customer)
    assert time.monotonic() - started < 1.2
    assert (reply.status_code, reply.headers["content-type"]) == (504, PROBLEM)


@pytest.mark.parametrize("fault", ["500", "delay"])
@pytest.mark.parametrize("connection", ["acme-stale", "globex-stale"])
def test_the_last_good_feed_is_served_while_the_crm_is_down(scene: Any, connection: str, fault: str) -> None:
    """Within `stale_seconds`, with its age in whole seconds, and the sources that are missing."""
    customer = scene.one_of_each(connection)
    good = scene.feed(connection, customer)
    scene.fault(connection, fault, seconds=3)
    stale = scene.feed(connection, customer)
    assert (stale.status_code, stale.content) == (200, good.content)
    assert stale.headers["Gateway-Stale"] in ("0", "1", "2")
    word = {"500": "error", "delay": "timeout"}[fault]
    sources = SOURCES[CRMS[connection.partition("-")[0]]]
    assert stale.headers["Gateway-Partial"] == ", ".join(f"{source}={word}" for source in sources)
    assert stale.headers["ETag"] == good.headers["ETag"]
    scene.heal()
    assert "Gateway-Stale" not in scene.feed(connection, customer).headers


def test_the_age_of_a_stale_feed_grows(scene: Any) -> None:
    """It is counted from the time when the CRM answered, not from the last stale answer."""
    customer = scene.one_of_each("acme-stale")
    scene.feed("acme-stale", customer)
    scene.fault("acme-stale", "500")
    first = scene.feed("acme-stale", customer)
    assert first.headers["Gateway-Stale"] == "0"
    wait_until(lambda: scene.feed("acme-stale", customer).headers["Gateway-Stale"] == "1", "the feed ages")


def test_a_partial_feed_does_not_replace_a_whole_one(scene: Any) -> None:
    """What is served stale is the last complete feed, as long as it may be."""
    customer = scene.one_of_each("acme-stale")
    whole = scene.feed("acme-stale", customer)
    scene.fault("acme-stale", "500", "a=getNotes")
    assert len(scene.feed("acme-stale", customer).json()) == len(whole.json()) - 1
    scene.heal()
    scene.fault("acme-stale", "500")
    assert scene.feed("acme-stale", customer).content == whole.content


def test_a_partial_feed_is_better_than_none(scene: Any) -> None:
    """Where there never was a complete one, the partial one is what is left."""
    customer = scene.one_of_each("acme-stale")
    scene.fault("acme-stale", "500", "a=getNotes")
    partial = scene.feed("acme-stale", customer)
    scene.fault("acme-stale", "500")
    stale = scene.feed("acme-stale", customer)
    assert (stale.content, stale.headers["Gateway-Stale"]) == (partial.content, "0")


@pytest.mark.parametrize("connection", ["acme-hasty", "globex-hasty"])
def test_stale_seconds_of_zero_serves_nothing_old(scene: Any, connection: str) -> None:
    """The CRM's failure is the answer."""
    customer = scene.one_of_each(connection)
    assert scene.feed(connection, customer).status_code == 200
    scene.fault(connection, "500")
    assert scene.feed(connection, customer).status_code == 502


def test_one_customers_old_feed_is_not_anothers(scene: Any) -> None:
    """Old feeds are kept by connection and record."""
    known, unknown = scene.one_of_each("acme-stale"), scene.one_of_each("acme-stale")
    scene.feed("acme-stale", known)
    scene.fault("acme-stale", "500")
    assert scene.feed("acme-stale", unknown).status_code == 502
    assert scene.feed("acme-hasty", known).status_code == 502


@pytest.mark.parametrize("connection", ["acme-wrong", "globex-wrong"])
def test_a_wrong_key_at_the_crm_is_502_with_the_reason(scene: Any, connection: str) -> None:
    """The reason says that the credentials are at fault, and does not show them."""
    reply = scene.feed(connection, scene.one_of_each(connection.partition("-")[0]))
    assert reply.status_code == 502
    assert "wrong-key-of-the-firm" not in reply.text
    assert "key" in reply.json()["detail"].lower() or "sign-in" in reply.json()["detail"]


def test_a_reason_that_echoes_the_key_is_redacted(scene: Any) -> None:
    """Whatever the CRM says of the key, the caller does not see it."""
    state = scene.simulators["apptivo"].state
    customer = scene.one_of_each("acme-hasty")
    key, state.api_key = state.api_key, "another-key-since-today"
    try:
        reply = scene.feed("acme-hasty", customer)
    finally:
        state.api_key = key
    assert reply.status_code == 502
    assert key not in reply.text


def test_a_token_that_expires_in_the_middle_is_renewed(scene: Any) -> None:
    """CRM.COM's tokens die; the feed is whole all the same, after one new sign-in."""
    customer = scene.one_of_each("globex")
    whole = scene.feed("globex", customer)
    state = scene.simulators["crmcom"].state
    sign_ins = state.sign_ins
    state.tokens.clear()
    again = scene.feed("globex", customer)
    assert (again.content, "Gateway-Partial" in again.headers) == (whole.content, False)
    assert state.sign_ins == sign_ins + 1
