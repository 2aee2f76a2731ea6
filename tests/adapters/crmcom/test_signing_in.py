"""One token for all calls, renewed when due or refused, and never shown."""

import asyncio
import logging
from typing import Any

import pytest

from adapters.contract import BadCredentials, NotFound, Refused, RemoteError, TimedOut
from adapters.crmcom.adapter import CrmcomAdapter
from adapters.crmcom.client import CrmcomClient
from adapters.crmcom.simulator import PASSWORD
from adapters.crmcom.simulator_store import ApiFailure
from adapters.deadline import Deadline


def soon() -> Deadline:
    return Deadline.after(10)


def test_check_tells_who_we_are(server: Any) -> None:
    """The summary names user, organisation and unit, and no secret."""
    account = server.run(lambda adapter: adapter.check(soon()))
    assert account.summary.endswith(": demo-user of DEMO, unit Admin Unit; customers can be listed")
    assert PASSWORD not in account.summary


def test_check_tells_that_customers_cannot_be_listed(server: Any) -> None:
    """Where neither list is known to the server, with the reason; the sign-in is well all the same."""
    server.fault("html", "contact_information/list")
    account = server.run(lambda adapter: adapter.check(soon()))
    assert account.summary.endswith("; customers cannot be listed (unexpected_reply), so no sync")


def test_wrong_credentials_are_bad_credentials(server: Any) -> None:
    """A refused sign-in never shows the password."""
    with pytest.raises(BadCredentials, match="check the settings") as caught:
        server.run(lambda adapter: adapter.check(soon()), password="wrong-password")
    assert "wrong-password" not in str(caught.value)


def test_many_calls_sign_in_once(server: Any) -> None:
    """Twenty calls at the start share one sign-in."""

    async def many(adapter: CrmcomAdapter) -> list[bool]:
        return await asyncio.gather(*(adapter.exists(f"ID{n}", soon()) for n in range(20)))

    assert server.run(many) == [False] * 20
    assert server.state.sign_ins == 1


def test_a_killed_token_is_renewed_once_by_twenty_calls(server: Any) -> None:
    """All calls fail with the dead token, one renews it, all succeed."""

    async def many(adapter: CrmcomAdapter) -> list[bool]:
        await adapter.exists("ID", soon())
        await asyncio.to_thread(server.control, "POST", "/_expire")
        return await asyncio.gather(*(adapter.exists(f"ID{n}", soon()) for n in range(20)))

    assert server.run(many) == [False] * 20
    assert server.state.sign_ins == 2


def test_a_write_after_the_tokens_death_is_done_once(server: Any, company: Any) -> None:
    """The refused create is repeated under the new token: one record."""

    async def write(adapter: CrmcomAdapter) -> str:
        await adapter.check(soon())
        await asyncio.to_thread(server.control, "POST", "/_expire")
        return await adapter.create(company(), soon())

    record_id = server.run(write)
    assert [row["id"] for row in server.rows("contact_information")] == [record_id]


def test_a_token_is_renewed_before_it_dies(server: Any) -> None:
    """After 7,000 s, or 55 idle minutes, the next call signs in first and nothing is refused."""
    clock = {"now": 0.0}

    async def calls() -> list[int]:
        client = CrmcomClient(server.settings(), server.calls.append, now=lambda: clock["now"])
        seen = []
        for at in (0.0, 3_000.0, 6_000.0, 6_999.0, 7_001.0, 7_001.0 + 3_299.0, 7_001.0 + 3_299.0 + 3_301.0):
            clock["now"] = at
            with pytest.raises(NotFound):
                await client.get("contact_information/show", soon(), {"contact_information_identifier": "id=X"})
            seen.append(server.state.sign_ins)
        await client.aclose()
        return seen

    assert asyncio.run(calls()) == [1, 1, 1, 1, 2, 2, 3]


def test_a_token_that_is_refused_at_once_ends_in_bad_credentials(start: Any) -> None:
    """A server whose tokens are dead on arrival costs one renewal, not an endless loop."""
    server = start(token_seconds=0.0)
    with pytest.raises(BadCredentials, match="InvalidTokenException"):
        server.run(lambda adapter: adapter.exists("X", soon()))
    assert server.state.sign_ins == 2


def test_a_code_that_a_new_token_did_not_cure_is_not_believed_for_good(server: Any) -> None:
    """A minute later the same code costs a new sign-in again: the token may really have died."""
    clock = {"now": 0.0}

    async def calls() -> list[int]:
        client = CrmcomClient(server.settings(), now=lambda: clock["now"])
        server.state.show = _refuse_as_signed_out
        seen = []
        for at in (0.0, 1.0, 59.0, 61.0):
            clock["now"] = at
            with pytest.raises(Refused):
                await client.get("contact_information/show", soon(), {"contact_information_identifier": "id=X"})
            seen.append(server.state.sign_ins)
        del server.state.show
        await client.aclose()
        return seen

    assert asyncio.run(calls()) == [2, 2, 2, 3]


def _refuse_as_signed_out(*_given: Any) -> Any:
    raise ApiFailure("SessionLimitException", "Not now")


def test_the_token_is_released_at_the_end(server: Any) -> None:
    """aclose signs out."""
    server.run(lambda adapter: adapter.check(soon()))
    assert server.state.tokens == {}
    assert len(server.sent("authentication/token/release")) == 1


def test_a_server_that_is_gone_does_not_hinder_closing(server: Any) -> None:
    """aclose ignores a release that fails."""

    async def sign_in(adapter: CrmcomAdapter) -> None:
        await adapter.check(soon())
        await asyncio.to_thread(server.fault, "drop", "release")

    server.run(sign_in)


@pytest.mark.parametrize("fault", ["html", "empty", "nonsense", "429", "500", "503", "drop", "cut", "lost_reply"])
def test_no_error_shows_a_token_or_the_password(server: Any, company: Any, fault: str) -> None:
    """Whatever breaks, on reading and on writing, the error's text is clean and one line."""

    async def break_everything(adapter: CrmcomAdapter) -> list[RemoteError]:
        await adapter.check(soon())
        await asyncio.to_thread(server.fault, fault)
        errors = []
        for act in (adapter.exists("X", soon()), adapter.create(company(), soon()), adapter.check(soon())):
            with pytest.raises(RemoteError) as caught:
                await act
            errors.append(caught.value)
        await asyncio.to_thread(server.control, "DELETE", "/_faults")
        return errors

    errors = server.run(break_everything)
    tokens = {line["query"].partition("token=")[2].partition("&")[0] for line in server.sent("GET")}
    assert tokens
    for error in errors:
        text = f"{error!r} {error} {error.__cause__!r} {error.__context__ if not error.__suppress_context__ else ''}"
        assert PASSWORD not in text
        assert not any(token in text for token in tokens if token)
        assert "\n" not in error.detail


def test_a_token_that_the_server_echoes_is_redacted(start: Any) -> None:
    """CRM.COM may quote the token it refuses; the error shows [redacted]."""
    server = start(token_seconds=0.0)
    with pytest.raises(BadCredentials, match=r"The token \[redacted\] is invalid"):
        server.run(lambda adapter: adapter.exists("X", soon()))


def test_nothing_is_logged_that_holds_a_token(server: Any, caplog: pytest.LogCaptureFixture) -> None:
    """The token stands in the URL of every GET: no library may log it, at any level."""
    caplog.set_level(logging.DEBUG)
    server.run(lambda adapter: adapter.exists("X", soon()))
    (call,) = server.sent("contact_information/show")
    token = call["query"].partition("token=")[2].partition("&")[0]
    assert len(token) == 32
    assert token not in caplog.text
    assert PASSWORD not in caplog.text


def test_an_answer_that_is_late_is_timed_out(server: Any) -> None:
    """Every method ends by its deadline, also while it waits for the sign-in of others."""
    server.fault("delay", "authentication/token", seconds=1.0, times=1)

    async def hurry(adapter: CrmcomAdapter) -> None:
        for _attempt in range(2):
            with pytest.raises(TimedOut):
                await adapter.exists("X", Deadline.after(0.1))

    server.run(hurry)
