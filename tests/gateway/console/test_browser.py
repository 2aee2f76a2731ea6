"""The console in a real browser: every page for everybody, with and without scripts, by keyboard, on a phone."""

import os
import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.gateway.console.conftest import oidc
from tests.gateway.console.provider import EMAIL, Provider, running_provider
from tests.gateway.console.stage import DOOMED, Stage, staged
from tests.gateway.console.visitor import TOKEN

MISSING = "no Chromium on this machine; Debian's package is chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1360, "height": 900}
TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
"""WCAG 2.2 A and AA, and axe's own good practice."""
PAGES = {
    "overview": "/",
    "overview-day-acme": "/?range=24h&connection=acme&live=off",
    "exports": "/exports",
    "exports-none": "/exports?q=nothing-like-it",
    "webhooks": "/webhooks",
    "deliveries": "/deliveries",
    "deliveries-wrong-filter": "/deliveries?state=asleep",
    "dead-letters": "/dead-letters",
    "replay": "/replay?which=all",
    "feed": "/feed",
    "feed-card": "/feed?connection=acme&unique_id={unique_id}",
    "mapping": "/mapping?sample",
    "connections": "/connections",
    "connection": "/connections/acme",
    "syncs": "/syncs",
    "configuration": "/configuration",
    "audit": "/audit",
    "not-found": "/nothing-here",
}


def chromium() -> str | None:
    """The browser; None without one, but AssertionError in a CI, which must not skip."""
    found = next((path for name in ("chromium", "chromium-browser") if (path := shutil.which(name))), None)
    assert found is not None or not os.environ.get("CI"), f"{MISSING}; a CI must not skip these tests: see .ci/run"
    return found


@dataclass
class Heard:
    """What a browser said and asked for, while nobody looked."""

    hosts: set[str] = field(default_factory=set)
    said: list[str] = field(default_factory=list)

    def to(self, context: BrowserContext) -> BrowserContext:
        """Listen to every page of a context."""
        context.on("request", lambda request: self.hosts.add(request.url.split("/")[2]))
        context.on("console", lambda message: self.said.append(f"{message.type}: {message.text}"))
        context.on("weberror", lambda error: self.said.append(f"error: {error.error}"))
        return context


@dataclass(frozen=True)
class Theatre:
    """The stage, the browser and the provider, for all tests of this file."""

    stage: Stage
    browser: Browser
    provider: Provider
    folder: Path
    heard: Heard = field(default_factory=Heard)

    @property
    def console(self) -> str:
        """The console's address."""
        return f"{self.stage.gateway.url}/console"

    def person(self, **options: object) -> Page:
        """Somebody with a browser of their own, at the sign-in form."""
        made = self.browser.new_context(**{"viewport": DESK, "reduced_motion": "reduce", **options})  # type: ignore[arg-type]  # playwright's options, as they are
        page = self.heard.to(made).new_page()
        page.set_default_timeout(10_000)
        page.goto(f"{self.console}/")
        return page

    def shot(self, page: Page, name: str) -> None:
        """Keep a picture of the whole page."""
        page.screenshot(path=self.folder / f"{name}.png", full_page=True)


@pytest.fixture(scope="module")
def theatre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Theatre]:
    program = chromium()
    if program is None:
        pytest.skip(MISSING)
    folder = Path(os.environ.get("SCREENSHOTS") or tmp_path_factory.mktemp("screenshots"))
    folder.mkdir(parents=True, exist_ok=True)
    with running_provider() as provider, sync_playwright() as playwright:
        # another name of this machine: to a browser another site, as a provider is
        provider.url = provider.url.replace("127.0.0.1", "localhost")
        with (
            staged(tmp_path_factory.mktemp("stage"), operator={"oidc": oidc(provider)}) as stage,
            playwright.chromium.launch(executable_path=program, headless=True, args=FLAGS) as browser,
        ):
            yield Theatre(stage, browser, provider, folder)


@pytest.fixture(scope="module")
def operator(theatre: Theatre) -> Page:
    """Somebody who has signed in."""
    page = theatre.person()
    sign_in(page)
    return page


def sign_in(page: Page) -> None:
    page.get_by_label("Operator token").fill(TOKEN)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", level=1)).not_to_have_text("Sign in")


def faults(page: Page, kind: str = "tag", names: Sequence[str] = TAGS) -> list[str]:
    """What axe finds wrong with a page."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(Axe().axe_script)
    options = {"resultTypes": ["violations"], "runOnly": {"type": kind, "values": list(names)}}
    found = page.evaluate("options => axe.run(options)", options)["violations"]
    return [f"{each['id']}: {node['target']} {node['failureSummary']}" for each in found for node in each["nodes"]]


CUT_OFF = """() => [...document.querySelectorAll('.sheet, .card')].flatMap(box => {
  const edge = box.getBoundingClientRect().right + 1
  return [...box.querySelectorAll('*')]
    .filter(each => !each.closest('pre, svg, .hidden-label, .scroll, .line, thead'))
    .filter(each => each.getBoundingClientRect().width > 0 && each.getBoundingClientRect().right > edge)
    .map(each => `${innerWidth}: ${each.tagName}.${each.className} ${each.textContent.trim().slice(0, 40)}`)
})"""


def cut_off(page: Page) -> list[str]:
    """What reaches beyond its box at the widths of screens, and cannot be read there."""
    found = []
    for width in (1360, 1280, 1152, 1024, 800, 390):
        page.set_viewport_size({"width": width, "height": 900})
        found += page.evaluate(CUT_OFF)
    page.set_viewport_size(DESK)
    return found


def check(theatre: Theatre, page: Page, name: str) -> None:
    """In light and dark, and on a phone: nobody is kept out, nothing is cut off, and there is a picture of it."""
    assert faults(page) == []
    theatre.shot(page, f"{name}-light")
    page.emulate_media(color_scheme="dark")
    # the same page in other colours
    assert faults(page, "rule", ("color-contrast", "link-in-text-block")) == []
    theatre.shot(page, f"{name}-dark")
    page.emulate_media(color_scheme="light")
    assert cut_off(page) == []
    page.set_viewport_size(PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    theatre.shot(page, f"{name}-phone")
    page.set_viewport_size(DESK)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_for_everybody(theatre: Theatre, operator: Page, name: str) -> None:
    """No violation of WCAG in light or dark, no scrolling sideways on a phone."""
    operator.goto(f"{theatre.console}{PAGES[name].format(unique_id=theatre.stage.unique_id)}")
    check(theatre, operator, name)


def test_the_sign_in_form_is_for_everybody(theatre: Theatre) -> None:
    """The form, also with what was wrong."""
    page = theatre.person()
    check(theatre, page, "sign-in")
    page.get_by_label("Operator token").fill("wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("not an operator token")
    assert faults(page) == []
    page.context.close()


@pytest.mark.parametrize(("path", "name"), [("/exports", "export"), ("/dead-letters", "delivery")])
def test_a_detail_is_for_everybody(theatre: Theatre, operator: Page, path: str, name: str) -> None:
    """The newest of a list, with its timeline."""
    operator.goto(f"{theatre.console}{path}")
    operator.locator("tbody th a").first.click()
    check(theatre, operator, name)


def test_a_mapping_is_for_everybody(theatre: Theatre, operator: Page) -> None:
    """A pasted export, field by field."""
    operator.goto(f"{theatre.console}/mapping")
    operator.get_by_label("Export, as JSON").fill('{"company_name": "Pasted Oy", "country": "FI", "phone": "09 123"}')
    operator.get_by_role("button", name="Show the fields").click()
    expect(operator.get_by_role("heading", name="Pasted Oy")).to_be_visible()
    check(theatre, operator, "mapping-shown")


def test_a_sync_run_is_for_everybody(theatre: Theatre, operator: Page) -> None:
    """Begun here, it tells by itself that it is done."""
    operator.goto(f"{theatre.console}/syncs")
    operator.get_by_role("button", name="Begin").click()
    expect(operator.locator("#run .state")).to_have_text("done")
    check(theatre, operator, "sync")


def test_hostile_names_are_only_names(theatre: Theatre, operator: Page) -> None:
    """Markup in a name is text, runs nowhere, and names of 10 kB tear no page."""
    operator.goto(f"{theatre.console}/exports")
    operator.get_by_role("link", name='Tom & "Jerry"').first.click()
    expect(operator.locator("#request ~ pre")).to_contain_text("<script>document.title='taken'</script>")
    assert operator.title().startswith('Export of Tom & "Jerry"')
    operator.go_back()
    operator.get_by_role("link", name="Endless").first.click()
    expect(operator.get_by_role("heading", level=1)).to_contain_text("Endless")
    assert operator.evaluate("document.documentElement.scrollWidth") <= DESK["width"]


def test_the_failed_export_is_found_and_replayed(theatre: Theatre) -> None:
    """At a glance there is a dead letter; two clicks lead to why; one replays it, and the overview hears of it."""
    page = theatre.person()
    sign_in(page)
    expect(page.locator("#live .notice")).to_contain_text("needs a look")
    page.get_by_role("link", name=re.compile("^Dead letters 1")).click()
    page.locator("tbody th a").click()
    expect(page.locator(".timeline")).to_contain_text("server_fault")
    expect(page.locator("#request ~ pre")).to_contain_text(DOOMED)
    page.get_by_role("button", name="Replay this delivery").click()
    expect(page.get_by_role("status")).to_contain_text("Replayed")
    # by itself: the page follows it
    expect(page.locator("h1 .state")).to_have_text("done")
    page.goto(f"{theatre.console}/")
    expect(page.locator("#live .notice")).to_contain_text("Everything works", timeout=15_000)
    expect(page.locator(".tile", has_text="Dead letters").locator(".value")).to_have_text("0")
    page.goto(f"{theatre.console}/audit")
    expect(page.locator("tbody")).to_contain_text("replay")
    page.context.close()


def tab_to(page: Page, name: str) -> None:
    """Press Tab until what is named has the focus."""
    for _ in range(80):
        page.keyboard.press("Tab")
        found = page.evaluate("(document.activeElement.ariaLabel || document.activeElement.innerText || '').trim()")
        if found.startswith(name):
            assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
            return
    raise AssertionError(f"Tab never comes to {name}")


def test_the_keyboard_is_enough(theatre: Theatre) -> None:
    """Signing in, finding, choosing and replaying go without a mouse, and one always sees where one is."""
    theatre.stage.fail_an_export("Another Doomed Oy")
    page = theatre.person()
    expect(page.get_by_label("Operator token")).to_be_focused()
    page.keyboard.type(TOKEN)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Overview")
    tab_to(page, "Dead letters")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Dead letters")
    tab_to(page, "To the content")
    page.keyboard.press("Enter")
    tab_to(page, "Choose delivery")
    page.keyboard.press("Space")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Replay 1 delivery?")
    tab_to(page, "Replay 1 delivery")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Replayed")
    page.context.close()


def test_scripts_are_not_needed(theatre: Theatre) -> None:
    """With scripts off: the provider, filters, a replay of all that match with its number, signing out."""
    theatre.provider.asks = True
    page = theatre.person(java_script_enabled=False)
    page.get_by_role("button", name="Sign in with your identity provider").click()
    page.get_by_role("button", name="I am Ann").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Overview")
    expect(page.locator(".who")).to_contain_text(EMAIL)
    theatre.stage.fail_an_export("Third Doomed Oy")
    page.goto(f"{theatre.console}/dead-letters")
    page.get_by_label("Connection").select_option("initech")
    page.get_by_role("button", name="Show").click()
    assert "connection=initech" in page.url
    page.get_by_role("button", name="Replay all that match…").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Replay 1 delivery?")
    page.get_by_role("button", name="Replay 1 delivery").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Replayed 1 delivery")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("status")).to_have_text("You are signed out.")
    page.goto(f"{theatre.console}/dead-letters")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    page.context.close()


def test_a_link_of_another_site_leads_to_its_page(theatre: Theatre, operator: Page) -> None:
    """Who is signed in and follows a link from elsewhere, such as an alert, sees the page, not the form."""
    operator.goto(f"{theatre.provider.url}/jwks")
    operator.evaluate(f"location.href = '{theatre.console}/audit'")
    expect(operator.get_by_role("heading", level=1)).to_have_text("Audit log")


def test_the_menu_of_a_phone(theatre: Theatre) -> None:
    """It opens over the page, leads on, and is left behind."""
    page = theatre.person(viewport=PHONE)
    sign_in(page)
    page.get_by_role("link", name="Menu", exact=True).click()
    theatre.shot(page, "menu-phone")
    page.get_by_role("navigation", name="Console").get_by_role("link", name="Exports").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Exports")
    expect(page.get_by_role("navigation", name="Console")).to_be_hidden()
    page.context.close()


def test_a_page_that_cannot_be_kept_up_to_date_says_so(theatre: Theatre, operator: Page) -> None:
    """What is shown stays, with a word that it is old, until it is up to date again."""
    operator.goto(f"{theatre.console}/")
    # a part that is not there: what the gateway answers then is its own
    operator.route("**/live/overview*", lambda route: route.continue_(url=f"{theatre.console}/live/syncs/777"))
    # sooner than its five seconds
    operator.evaluate("document.querySelector('#live').dispatchEvent(new Event('every'))")
    expect(operator.get_by_role("alert")).to_contain_text("This is not up to date")
    expect(operator.locator("#live .tile").first).to_be_visible()
    operator.unroute("**/live/overview*")
    operator.evaluate("document.querySelector('#live').dispatchEvent(new Event('every'))")
    expect(operator.get_by_role("alert")).to_have_count(0)


def test_filters_work_as_one_types(theatre: Theatre, operator: Page) -> None:
    """With scripts a change shows at once, and stands in the address, to be sent to a colleague."""
    operator.goto(f"{theatre.console}/deliveries")
    operator.get_by_label("State").select_option("done")
    expect(operator).to_have_url(re.compile("state=done"))
    expect(operator.locator("#results .state").first).to_have_text("done")
    operator.reload()
    expect(operator.get_by_label("State")).to_have_value("done")


def test_nothing_leaves_the_host_and_nothing_is_blocked(theatre: Theatre) -> None:
    """In all of the above: requests went to the gateway and the provider, no policy was broken, no script failed."""
    hosts = {theatre.stage.gateway.url.split("/")[2], theatre.provider.url.split("/")[2]}
    assert theatre.heard.hosts == hosts
    # pages that are refusals, as the tests above asked for
    expected = re.compile(r"error: Failed to load resource: the server responded with a status of (401|403|404|422)")
    assert [each for each in theatre.heard.said if not expected.match(each)] == []
