"""Nothing happens but by a form of our own page, in its own session."""

import pytest

from tests.gateway.console.conftest import World
from tests.gateway.console.visitor import Visitor, signed_in

ACTIONS = ("/replay", "/syncs", "/sign-out", "/mapping")
FIELDS = {"id": "1", "what": "acme/vainu", "connection": "acme", "export": "{}"}


def headers(operator: Visitor, **changes: str) -> dict[str, str]:
    """What a browser sends with a form of ours, changed."""
    sent = {"Origin": operator.url, "Sec-Fetch-Site": "same-origin"} | {
        name.replace("_", "-"): value for name, value in changes.items()
    }
    return {name: value for name, value in sent.items() if value}


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("token", ["", "made-up", "é", "x" * 10_000])
def test_without_the_form_s_token_nothing_is_done(operator: Visitor, action: str, token: str) -> None:
    """403, and the page says so; the session stays."""
    answer = operator.post(action, form_token=token, **FIELDS)
    assert answer.status_code == 403 and "nothing was done" in answer.text
    assert operator.is_signed_in()


@pytest.mark.parametrize("action", ACTIONS)
def test_another_session_s_token_is_none(world: World, operator: Visitor, action: str) -> None:
    """A token is its session's own, and the sign-in form's is not a session's."""
    other = signed_in(world.gateway.url)
    visitor = Visitor(world.gateway.url)
    visitor.get("/sign-in")
    for token in (other.form_token(), visitor.form_token()):
        assert operator.post(action, form_token=token, **FIELDS).status_code == 403


@pytest.mark.parametrize(
    "changes",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": ""} | {"Sec_Fetch_Site": "cross-site"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec_Fetch_Site": "same-site"},
        {"Origin": "file://"},
    ],
)
@pytest.mark.parametrize("action", [*ACTIONS, "/sign-in", "/sign-in/oidc"])
def test_a_form_of_another_site_is_refused(operator: Visitor, action: str, changes: dict[str, str]) -> None:
    """403 whatever else is right, by what the browser tells of where the form was."""
    answer = operator.post(action, headers(operator, **changes), **FIELDS)
    assert answer.status_code == 403 and operator.is_signed_in()


def test_the_sign_in_form_is_for_whoever_asked_for_it(world: World, visitor: Visitor) -> None:
    """A sign-in form of another visitor signs nobody in: else one could be signed in as somebody else unawares."""
    other = Visitor(world.gateway.url)
    other.get("/sign-in")
    visitor.get("/sign-in")
    answer = visitor.post("/sign-in", token="operator-token-for-tests", form_token=other.form_token())
    assert answer.status_code == 403 and not visitor.is_signed_in()


@pytest.mark.parametrize("action", ACTIONS)
def test_an_action_is_no_get(operator: Visitor, action: str) -> None:
    """Where there is a page of the same address it is shown; elsewhere it is 404: nothing is done."""
    before = operator.get("/audit").text.count("<tr>")
    assert operator.get(action).status_code in (200, 404, 422)
    assert operator.get("/audit").text.count("<tr>") == before


@pytest.mark.parametrize(
    ("content", "content_type", "status"),
    [
        (b"{}", "application/json", 415),
        (b"a=b", "text/plain", 415),
        (b"a=%ff", "application/x-www-form-urlencoded", 403),
        (b"\xff", "application/x-www-form-urlencoded", 400),
        (b"a=b&" * 6_000, "application/x-www-form-urlencoded", 400),
    ],
)
def test_what_is_no_form(operator: Visitor, content: bytes, content_type: str, status: int) -> None:
    """Another type, another encoding, too many fields: a page says so."""
    sent = {**headers(operator), "Content-Type": content_type}
    answer = operator.http.post("/console/replay", content=content, headers=sent)
    assert answer.status_code == status and "<h1>" in answer.text
