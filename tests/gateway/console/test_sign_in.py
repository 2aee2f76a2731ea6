"""Signing in with an operator token, what the session is, and how it ends."""

import sqlite3
from collections.abc import Iterator
from http.cookies import SimpleCookie
from pathlib import Path

import httpx
import pytest

from tests.gateway.console.conftest import World
from tests.gateway.console.visitor import SESSION, TOKEN, Visitor, signed_in
from tests.harness import (
    OPERATOR,
    GatewayProcess,
    Upstream,
    configuration,
    gateway_process,
    merged,
    running_gateway,
    toml,
    wait_until,
)
from tests.postgres import Cluster

HOUR_MS = 3_600_000
HEADERS = {
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}


@pytest.fixture(autouse=True)
def _clock(world: World) -> Iterator[None]:
    yield
    world.hands.ahead_ms = 0


def set_cookies(answer: httpx.Response) -> dict[str, str]:
    """Each cookie that an answer sets: its name and its whole line, in lower case."""
    return {line.partition("=")[0]: line.lower() for line in answer.headers.get_list("set-cookie")}


def test_a_token_signs_in(visitor: Visitor) -> None:
    """The form leads to the overview, with a session that scripts and other sites cannot reach."""
    answer = visitor.sign_in()

    assert (answer.status_code, answer.headers["location"]) == (303, "/console/")
    cookie = set_cookies(answer)[SESSION]
    assert "httponly" in cookie and "samesite=strict" in cookie and "path=/" in cookie
    assert "max-age" not in cookie and "expires" not in cookie and "domain" not in cookie and "secure" not in cookie
    assert visitor.is_signed_in()


def test_behind_https_cookies_are_secure_and_the_host_s_own(upstream: Upstream, tmp_path: Path) -> None:
    """With an https public address every cookie is Secure and has the prefix that no other host can set."""
    document = configuration(upstream.url, tmp_path, server={"public_url": "https://gateway.example.com"})
    with running_gateway(document) as gateway:
        answer = httpx.get(f"{gateway.url}/console/sign-in", trust_env=False)
        visited = SimpleCookie(answer.headers["set-cookie"])
        name = next(iter(visited))
        form = {"form_token": Visitor.form_token(_at(answer)), "token": TOKEN}
        headers = {"Cookie": f"{name}={visited[name].value}", "Origin": "https://gateway.example.com"}
        signed = httpx.post(f"{gateway.url}/console/sign-in", data=form, headers=headers, trust_env=False)
    cookies = set_cookies(answer) | set_cookies(signed)
    assert set(cookies) == {"__Host-gateway_console", "__Host-gateway_console_visitor"}
    assert all("; secure" in line and "samesite=strict" in line for line in cookies.values())


def _at(answer: httpx.Response) -> Visitor:
    visitor = Visitor(str(answer.url))
    visitor.last = answer
    return visitor


def test_a_browser_that_keeps_the_cookie_to_itself_is_told_where_to_go(upstream: Upstream, tmp_path: Path) -> None:
    """Over plain http a Secure cookie does not come back: the answer says so, and not that the form is old."""
    document = configuration(upstream.url, tmp_path, server={"public_url": "https://gateway.example.com"})
    with running_gateway(document) as gateway:
        answer = Visitor(gateway.url).sign_in()
    assert answer.status_code == 403
    assert "without its cookie" in answer.text and "https://gateway.example.com/console/" in answer.text


def test_a_wrong_token_is_told_and_written_down(visitor: Visitor, operator: Visitor) -> None:
    """401, the form again with what is wrong, no session; the audit log has it, without what was typed."""
    answer = visitor.sign_in("a-wrong-token-4711")

    assert answer.status_code == 401
    assert "not an operator token" in answer.text and "a-wrong-token-4711" not in answer.text
    assert SESSION not in set_cookies(answer) and not visitor.is_signed_in()
    written = operator.get("/audit?action=sign_in.failed").text
    assert "wrong_credentials" in written and "a-wrong-token-4711" not in written


def test_after_too_many_failures_even_the_right_token_waits(upstream: Upstream, tmp_path: Path) -> None:
    """429 with Retry-After, counted together with the failures of /api and /metrics."""
    with running_gateway(configuration(upstream.url, tmp_path, server={"failed_signins_per_minute": 3})) as gateway:
        visitor = Visitor(gateway.url)
        gateway.http.get("/metrics", headers={"Authorization": "Bearer wrong"})
        assert [visitor.sign_in("wrong").status_code for _ in range(2)] == [401, 401]
        answer = visitor.sign_in()
    assert answer.status_code == 429 and int(answer.headers["retry-after"]) > 0
    assert "too many failed sign-ins" in answer.text


@pytest.mark.parametrize("path", ["/", "/deliveries", "/deliveries/1", "/configuration", "/nothing-here"])
def test_who_is_not_signed_in_sees_the_form_only(visitor: Visitor, path: str) -> None:
    """Every page leads to the form, and from there back to that page."""
    answer = visitor.get(path)
    assert answer.status_code == 303
    assert visitor.get(answer.headers["location"].removeprefix("/console")).status_code == 200
    place = httpx.URL(answer.headers["location"]).params.get("next", "/")
    assert visitor.post("/sign-in", token=TOKEN, next=place).headers["location"] == f"/console{path}"


@pytest.mark.parametrize(
    "place",
    [
        "//evil.example",
        "https://evil.example/",
        "/\\evil.example",
        "javascript:alert(1)",
        "evil",
        "/\r\nX: 1",
        "/sign-in",
    ],
)
def test_a_sign_in_leads_nowhere_else(visitor: Visitor, place: str) -> None:
    """Where to go on to is a path of the console, whatever the form says."""
    assert visitor.sign_in(next=place).headers["location"] == "/console/"


def test_signing_out_ends_the_session(world: World, operator: Visitor) -> None:
    """The cookie that somebody kept is worth nothing afterwards, and the audit log has both."""
    kept = operator.cookie()
    answer = operator.post("/sign-out")
    assert answer.status_code == 303 and "max-age=0" in set_cookies(answer)[SESSION]
    with httpx.Client(base_url=world.gateway.url, cookies={SESSION: kept}, trust_env=False) as thief:
        assert thief.get("/console/audit").status_code == 303
    log = signed_in(world.gateway.url).get("/audit").text
    assert "<code>sign_in</code>" in log and "<code>sign_out</code>" in log


def test_every_sign_in_is_a_new_session(visitor: Visitor) -> None:
    """A cookie that was there before does not become the session, and the session before ends."""
    visitor.sign_in()
    first = visitor.cookie()
    visitor.post("/sign-in", token=TOKEN, form_token=_fresh_form_token(visitor))
    assert visitor.cookie() != first
    visitor.http.cookies.clear()
    visitor.http.cookies.set(SESSION, first)
    assert not visitor.is_signed_in()


def _fresh_form_token(visitor: Visitor) -> str:
    """Of the form as the same browser would get it, were it not signed in."""
    kept = visitor.cookie()
    visitor.http.cookies.delete(SESSION)
    visitor.get("/sign-in")
    visitor.http.cookies.set(SESSION, kept, domain="127.0.0.1", path="/")
    return visitor.form_token()


def test_a_forged_cookie_is_no_session(operator: Visitor) -> None:
    """Any change of the cookie, and a cookie made without the key, admit nobody."""
    good = operator.cookie()
    session_id, _, signature = good.rpartition(".")
    other = ("A" if session_id[0] == "B" else "B") + session_id[1:]
    forgeries = [session_id, f"{session_id}.", f"{other}.{signature}", f"{session_id}.{signature[::-1]}"]
    for forged in [*forgeries, "x" * 5_000, ".", "é", f"{good}.x"]:
        answer = httpx.get(
            f"{operator.url}/console/audit", headers={b"Cookie": f"{SESSION}={forged}".encode()}, trust_env=False
        )
        assert answer.status_code == 303, forged


def test_an_idle_session_ends(world: World, operator: Visitor) -> None:
    """After an hour without a request it is over; each request of a person begins the hour anew."""
    for _ in range(3):
        world.hands.ahead_ms += HOUR_MS - 60_000
        assert operator.is_signed_in()
    world.hands.ahead_ms += HOUR_MS
    assert not operator.is_signed_in()


def test_a_page_left_open_does_not_keep_anybody_signed_in(world: World, operator: Visitor) -> None:
    """What a page asks by itself is no sign of a person."""
    world.hands.ahead_ms += HOUR_MS - 60_000
    assert operator.get("/live/overview").status_code == 200
    world.hands.ahead_ms += 120_000
    answer = operator.get("/live/overview", headers={"HX-Request": "true"})
    assert answer.headers["hx-redirect"] == "/console/sign-in"
    assert not operator.is_signed_in()


def test_a_session_has_an_end_that_nothing_moves(world: World, operator: Visitor) -> None:
    """Twelve hours after the sign-in it is over, however busy it was."""
    for _ in range(23):
        world.hands.ahead_ms += HOUR_MS // 2
        assert operator.is_signed_in()
    world.hands.ahead_ms += HOUR_MS // 2
    assert not operator.is_signed_in()


def test_a_session_holds_at_every_gateway_of_the_store(world: World, operator: Visitor) -> None:
    """A second gateway knows it, and what is ended at one is ended at the other."""
    document = configuration(world.upstream.url, world.folder, server={"drain_seconds": 0})
    kept = {SESSION: operator.cookie()}
    with running_gateway(document) as second, httpx.Client(base_url=second.url, cookies=kept, trust_env=False) as there:
        assert there.get("/console/audit").status_code == 200
        operator.post("/sign-out")
        assert there.get("/console/audit").status_code == 303


def test_on_postgresql_a_session_is_one_too(upstream: Upstream, cluster: Cluster, tmp_path: Path) -> None:
    """Two gateways that start together on an empty database agree on the key, and on who is signed in."""
    url = cluster.create_database("console")
    document = configuration(upstream.url, tmp_path, storage={"url": url}, server={"drain_seconds": 0})
    with running_gateway(document) as first, running_gateway(document) as second:
        one, two = signed_in(first.url), signed_in(second.url)
        for visitor, other in ((one, second), (two, first)):
            headers = {"Cookie": f"{SESSION}={visitor.cookie()}"}
            assert httpx.get(f"{other.url}/console/audit", headers=headers, trust_env=False).status_code == 200


def test_a_store_that_cannot_be_written_is_told(upstream: Upstream, tmp_path: Path) -> None:
    """503 as a page, with when to try again; nobody is signed in."""
    with running_gateway(configuration(upstream.url, tmp_path, server={"drain_seconds": 0})) as gateway:
        visitor = Visitor(gateway.url)
        visitor.get("/sign-in")
        with sqlite3.connect(tmp_path / "gateway.db", isolation_level=None) as other:
            other.execute("BEGIN IMMEDIATE")
            answer = visitor.post("/sign-in", token=TOKEN)
            other.execute("ROLLBACK")
        other.close()
    assert answer.status_code == 503 and int(answer.headers["retry-after"]) > 0
    assert "The store does not answer" in answer.text and SESSION not in visitor.http.cookies


def test_a_token_that_is_taken_away_takes_its_sessions_along(upstream: Upstream, tmp_path: Path) -> None:
    """After a reload without it, its sessions are over; those of the tokens that stay go on."""
    document = configuration(upstream.url, tmp_path, operator={"tokens": [TOKEN, "another-token-for-tests"]})
    with gateway_process(document, tmp_path) as process:
        url = process.start().url
        first, second = signed_in(url), Visitor(url)
        second.sign_in("another-token-for-tests")
        _reload(process, toml(merged(document, {"operator": {"tokens": ["another-token-for-tests"]}})))
        assert (first.is_signed_in(), second.is_signed_in()) == (False, True)


def _reload(process: GatewayProcess, text: str) -> None:
    process.config.write_text(text, encoding="utf-8")
    process.hang_up()
    wait_until(lambda: "config.reloaded" in process.log.read_text(), "the configuration is read again")


def test_a_bearer_token_looks_and_cannot_act(world: World) -> None:
    """A program with the operator token sees the pages; forms need a session, and programs have /api."""
    with httpx.Client(base_url=world.gateway.url, headers=OPERATOR, trust_env=False) as http:
        assert http.get("/console/audit").status_code == 200
        assert http.post("/console/replay", data={"id": "1"}).status_code == 403
        assert http.get("/console/audit", headers={"Authorization": "Bearer wrong"}).status_code == 401


def test_a_password_of_the_proxy_s_own_is_in_nobody_s_way(operator: Visitor) -> None:
    """Basic credentials, which a browser sends along to a proxy that asked for them, are none of the console's."""
    assert operator.get("/audit", auth=("proxy", "password")).status_code == 200


def test_below_a_path(upstream: Upstream, tmp_path: Path) -> None:
    """Where the public address has a path, which a proxy takes away, links and redirects have it."""
    server = {"public_url": "http://127.0.0.1:1/below", "drain_seconds": 0}
    with running_gateway(configuration(upstream.url, tmp_path, server=server)) as gateway:
        visitor = Visitor(gateway.url)
        assert visitor.get("/exports").headers["location"] == "/below/console/sign-in?next=%2Fexports"
        assert visitor.sign_in().headers["location"] == "/below/console/"
        page = visitor.get("/exports").text
    assert 'href="/below/console/deliveries"' in page and 'action="/below/console/sign-out"' in page
    assert '"/console' not in page


def test_a_link_from_elsewhere_finds_the_session(operator: Visitor) -> None:
    """A strict cookie stays at home when a link of another site is followed: our own page asks again, and has it."""
    cross = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    without = httpx.get(f"{operator.url}/console/deliveries/4711?a=1", headers=cross, trust_env=False)
    assert without.status_code == 200
    assert '<meta http-equiv="refresh" content="0; url=/console/deliveries/4711?a=1">' in without.text
    assert operator.get("/deliveries?state=dead", headers=cross).status_code == 200


def test_every_answer_keeps_to_itself(operator: Visitor, visitor: Visitor) -> None:
    """Pages, the form, redirects and failures come with the same strict headers, and no cache keeps them."""
    answers = [operator.get(path) for path in ("/nothing", "/deliveries/999", "/", "/audit")]
    answers += [visitor.get("/"), visitor.get("/sign-in"), operator.post("/audit"), visitor.post("/replay")]
    assert [answer.status_code for answer in answers] == [404, 404, 200, 200, 303, 200, 405, 403]
    for answer in answers:
        assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
        policy = dict(part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; "))
        assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
        assert "unsafe" not in str(policy) and "http" not in str(policy)


def test_static_files_may_be_kept_for_ever(operator: Visitor) -> None:
    """Their address changes with their content; any other address is 404."""
    page = operator.get("/").text
    address = page.partition('rel="stylesheet" href="')[2].partition('"')[0].removeprefix("/console")
    answer = operator.get(address)
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-type"].startswith("text/css")
    for other in ("/static/0/console.css", address.replace("console.css", "..%2faccess.py")):
        assert operator.get(other).status_code == 404
