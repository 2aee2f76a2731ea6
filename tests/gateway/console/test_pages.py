"""What pages show, without a browser: what others sent is text, lists have pages, failures say what to do."""

import html
import re
from collections.abc import Iterator

import pytest

from tests.gateway.console.stage import DOOMED, HOSTILE, Stage, staged
from tests.gateway.console.visitor import Visitor, field, signed_in
from tests.harness import wait_until


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """One stage for the tests of this file; what a test changes is its own."""
    with staged(tmp_path_factory.mktemp("stage")) as made:
        yield made


@pytest.fixture
def operator(stage: Stage) -> Visitor:
    """Somebody who is signed in."""
    return signed_in(stage.gateway.url)


def links(page: str, below: str) -> list[str]:
    """Addresses on a page that begin so, without the console's own path."""
    found = re.findall(r'href="/console([^"]*)"', page)
    return [html.unescape(each) for each in found if each.startswith(below)]


def test_what_others_sent_is_text(operator: Visitor) -> None:
    """Markup is escaped everywhere, a name that turns the direction of text is fenced in, long ones are cut."""
    page = operator.get("/exports").text
    assert "<script>document" not in page and "onerror=" not in page
    assert "<bdi>Tom &amp; &#34;Jerry&#34;" in page
    # CRLF, tabs and other control characters aside, what turns the text's direction stands inside <bdi>
    turned = re.search(r"(.{5})Evil[^<]*(<.{5})", page)
    assert turned and (turned[1], turned[2]) == ("<bdi>", "</bdi>")
    assert HOSTILE["long"] not in page and "EndlessEndless" in page
    for address in links(page, "/exports/exp_"):
        detail = operator.get(address)
        assert detail.status_code == 200 and "<script>document" not in detail.text


def test_a_dead_letter_is_called_by_its_company(operator: Visitor) -> None:
    """In the list, as the heading of its page, and where a replay is confirmed."""
    page = operator.get("/dead-letters").text
    assert DOOMED in page
    heading = re.search(r"<h1>(.*?)</h1>", operator.get(links(page, "/deliveries/")[0]).text, re.DOTALL)
    assert heading is not None and f"Export: <bdi>{DOOMED}</bdi>" in heading[1]
    assert DOOMED in operator.get("/replay?which=all").text


def test_a_wrong_filter_says_only_what_is_wrong(operator: Visitor) -> None:
    """Not that there is nothing yet."""
    for path in ("/deliveries?state=asleep", "/exports?state=asleep"):
        page = operator.get(path)
        assert page.status_code == 422 and "expected one of" in page.text
        assert "No delivery yet" not in page.text and "No export yet" not in page.text


def test_every_page_holds_together(operator: Visitor) -> None:
    """Every link of the menu, and every link of those pages, leads somewhere."""
    menu = links(operator.get("/").text, "/")
    seen = {each for place in menu for each in [place, *links(operator.get(place).text, "/")]}
    answers = {each: operator.get(each).status_code for each in sorted(seen) if not each.startswith("/static/")}
    assert len(answers) > 40
    assert {each: status for each, status in answers.items() if status not in (200, 303)} == {}


def test_a_list_has_pages(operator: Visitor) -> None:
    """Newest first, from page to page without a gap, the filters staying."""
    address, seen = "/deliveries?limit=4&state=done", list[str]()
    while address:
        page = operator.get(address).text
        seen += re.findall(r'<a href="/console/deliveries/(\d+)">', page)
        following = [each for each in links(page, "/deliveries?") if "cursor=" in each]
        assert all("state=done" in each for each in following)
        address = following[0] if following else ""
    assert len(seen) > 8 and seen == sorted(set(seen), key=int, reverse=True)


@pytest.mark.parametrize(
    ("address", "status", "said"),
    [
        ("/deliveries?state=asleep", 422, "expected one of pending"),
        ("/deliveries?since=yesterday", 422, "expected a time"),
        ("/deliveries?cursor=x", 422, "cursor"),
        ("/exports?limit=0", 422, "whole number"),
        ("/audit?cursor=x", 422, "cursor"),
        ("/deliveries/999999", 404, "Nothing here"),
        ("/deliveries/0x10", 404, "Nothing here"),
        ("/deliveries/99999999999999999999999", 404, "Nothing here"),
        ("/exports/exp_nothing", 404, "Nothing here"),
        ("/connections/nobody", 404, "Nothing here"),
        ("/syncs/7777", 404, "Nothing here"),
        ("/nothing", 404, "Nothing here"),
        ("/replay?which=all&conection=acme", 422, "conection"),
        ("/feed?connection=nobody&unique_id=1", 200, "nobody"),
        ("/feed?connection=acme&unique_id=987654", 200, 'role="alert"'),
    ],
)
def test_a_failure_says_what_it_is(operator: Visitor, address: str, status: int, said: str) -> None:
    """A page with the status, what was wrong, and what to do; never a traceback."""
    answer = operator.get(address)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "text/html; charset=utf-8")
    assert said in answer.text and "Traceback" not in answer.text


def test_a_replay_says_how_many_and_takes_no_more(stage: Stage, operator: Visitor) -> None:
    """What comes in after the confirmation is not replayed with it."""
    confirmation = operator.get("/replay?which=all&connection=initech").text
    assert "Replay 1 delivery?" in confirmation and DOOMED in confirmation
    stage.fail_an_export("Too Late Oy")
    assert stage.dead_letters() == 2
    fields = {name: field(confirmation, name) for name in ("query", "up_to")}
    answer = operator.post("/replay", **fields)
    assert "Replayed 1 delivery" in answer.text
    wait_until(lambda: stage.dead_letters() == 1, "the one that was confirmed is done")


def test_a_replay_without_its_number_is_none(operator: Visitor) -> None:
    """A form that was cut short replays nothing."""
    operator.get("/replay?which=all")
    for up_to in ("", "x", "9" * 30, "²"):
        assert operator.post("/replay", query="state=dead", up_to=up_to).status_code == 422


def test_nothing_is_chosen(operator: Visitor) -> None:
    """A replay of nothing is no failure; the page says how to choose."""
    assert "Nothing is chosen" in operator.get("/replay?which=selected").text


def test_a_mapping_that_cannot_be_read(operator: Visitor) -> None:
    """The text stays in its field, with what is wrong with it."""
    for written, said in (("{", "not JSON"), ('{"company_name": 5}', "company_name"), ("", "empty")):
        operator.get("/mapping")
        answer = operator.post("/mapping", connection="acme", export=written)
        assert answer.status_code == 422 and said in html.unescape(answer.text)
        assert f">{html.escape(written)}</textarea>" in answer.text.replace("&#34;", "&quot;")


def test_a_mapping_begins_with_what_the_export_has(operator: Visitor) -> None:
    """Then what is the same for every export, and last what is left out."""
    operator.get("/mapping")
    page = operator.post("/mapping", connection="acme", export='{"company_name": "Pasted Oy", "country": "FI"}').text
    places = [page.index(each) for each in ("Pasted Oy</bdi></span></td>", "the same for every export", ">left out<")]
    assert places == sorted(places)


def test_a_sync_is_begun_and_watched(operator: Visitor) -> None:
    """Begun by a form; its page tells how far it is and asks no more at the end; the audit log has it."""
    operator.get("/syncs")
    answer = operator.post("/syncs", what="acme/vainu", dry_run="yes")
    place = answer.headers["location"].removeprefix("/console")
    assert "a dry run" in operator.get(place).text
    wait_until(lambda: ">done</span>" in operator.get(f"/live{place}").text, "the sync ends")
    assert 'hx-trigger="every' not in operator.get(place).text
    assert "<code>sync.start</code>" in operator.get("/audit").text
    operator.get("/syncs")
    assert operator.post("/syncs", what="globex/nowhere").status_code == 422
    assert operator.post("/syncs", what="nobody/vainu").status_code == 404
