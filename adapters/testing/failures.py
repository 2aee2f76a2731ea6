# ruff: noqa: S101 - a test-suite says what must hold with assert
"""The contract of what goes wrong: only `RemoteError`s, by the deadline, without a secret."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import get_args

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from adapters.contract import Adapter, BadCredentials, RemoteError
from adapters.deadline import Deadline
from adapters.simulation import Fault
from adapters.testing.bench import Hooks, Remote, enough, leaks

BROKEN_SECONDS = 1.0
"""What there is of time when the CRM is broken: enough for an adapter that tries once more."""
LATE_SECONDS = 0.5
"""How long after its deadline a method may still take to say so: a busy test machine's share."""
Act = Callable[[Adapter, str], Awaitable[object]]
"""A call of a method; the text is the id of a customer that is there."""


class FailureContract(Hooks):
    """Every method that calls the CRM, with every fault."""

    def acts(self, sources: Sequence[str], deadline: Callable[[], Deadline]) -> Mapping[str, Act]:
        """Every method that calls the CRM, by name."""
        company = self.company()
        feed: dict[str, Act] = {
            f"activities({source})": lambda adapter, record_id, source=source: adapter.activities(  # type: ignore[misc]  # bound now, not at the call
                source, record_id, 200, deadline()
            )
            for source in sources
        }
        return {
            "check": lambda adapter, _id: adapter.check(deadline()),
            "exists": lambda adapter, record_id: adapter.exists(record_id, deadline()),
            "find": lambda adapter, _id: adapter.find(company, deadline()),
            "create": lambda adapter, _id: adapter.create(company, deadline()),
            "update": lambda adapter, record_id: adapter.update(record_id, company, deadline()),
            "add_details": lambda adapter, record_id: adapter.add_details(record_id, company, deadline()),
            **feed,
        }

    def outcomes(
        self, remote: Remote, break_it: Callable[[], object], seconds: float
    ) -> dict[str, BaseException | str]:
        """What each method raises, or that it returned or was late, once the CRM is broken after a good sign-in."""
        record_id = self.created(remote)

        async def whole() -> dict[str, BaseException | str]:
            names = list(self.acts(self.open(remote.url).sources, enough))
            adapters = [self.open(remote.url) for _name in names]
            try:
                await asyncio.gather(*(adapter.check(enough()) for adapter in adapters))
                break_it()
                acts = self.acts(adapters[0].sources, lambda: Deadline.after(seconds))
                calls = (acts[name](adapter, record_id) for name, adapter in zip(names, adapters, strict=True))
                return dict(zip(names, await asyncio.gather(*(_ended(call, seconds) for call in calls)), strict=True))
            finally:
                await asyncio.gather(*(adapter.aclose() for adapter in adapters))

        return asyncio.run(whole())

    def assert_remote_errors(self, remote: Remote, outcomes: Mapping[str, BaseException | str]) -> None:
        """Every method raised an error of the contract's tree: one line, no secret."""
        settings = self.spec.settings.model_validate(self.settings(remote.url))
        wrong = {name: repr(came) for name, came in outcomes.items() if not isinstance(came, RemoteError)}
        assert wrong == {}, f"expected RemoteErrors only, got {wrong}"
        details = {name: came.detail for name, came in outcomes.items() if isinstance(came, RemoteError)}
        assert {name: text for name, text in details.items() if not text or len(text.splitlines()) != 1} == {}
        assert {name: text for name, text in details.items() if leaks(text, settings)} == {}, "a secret shows"

    @pytest.mark.parametrize("fault", [fault for fault in get_args(Fault) if fault != "delay"])
    def test_a_broken_crm_gives_errors_of_the_tree(self, remote: Remote, fault: Fault) -> None:
        """Whatever breaks, every method raises a `RemoteError`: never another exception, never an empty answer."""
        self.assert_remote_errors(remote, self.outcomes(remote, lambda: remote.fault(fault, 1), BROKEN_SECONDS))

    @pytest.mark.parametrize(
        "body",
        [b"[]", b'{"data": "x"}', b"[" * 100_000],
        ids=lambda body: ascii(body[:20]),
    )
    def test_an_unknown_shape_is_an_error(self, remote: Remote, body: bytes) -> None:
        """JSON that the CRM's documents do not show is an error, never an empty answer."""
        answer = Response(body, media_type="application/json")
        self.assert_remote_errors(remote, self.outcomes(remote, lambda: remote.answer_all(answer), BROKEN_SECONDS))

    @pytest.mark.parametrize("status", [200, 400, 500])
    def test_a_crm_that_echoes_gives_no_secret_away(self, remote: Remote, status: int) -> None:
        """Where the CRM repeats our whole request in its answer, the error's text still holds no secret."""
        echo = _echoing(status)
        self.assert_remote_errors(remote, self.outcomes(remote, lambda: remote.answer_all(echo), BROKEN_SECONDS))

    def test_a_slow_crm_is_left_at_the_deadline(self, remote: Remote) -> None:
        """Where the CRM takes longer than there is time, every method ends by its deadline, with a `RemoteError`."""
        self.assert_remote_errors(remote, self.outcomes(remote, lambda: remote.fault("delay", 1.0), 0.3))

    def test_no_time_is_no_time(self, remote: Remote) -> None:
        """With a deadline that has passed already, every method fails at once."""
        self.assert_remote_errors(remote, self.outcomes(remote, lambda: None, 0.0))

    def test_wrong_credentials_are_told_as_such(self, remote: Remote) -> None:
        """Wrong credentials are `BadCredentials`, which nobody retries, and do not show in the text."""
        wrong = self.wrong_credentials()
        for act in (lambda adapter: adapter.check(enough()), lambda adapter: adapter.find(self.company(), enough())):
            with pytest.raises(BadCredentials) as caught:
                self.run(remote, act, **wrong)
            assert not any(str(value) in caught.value.detail for value in wrong.values() if len(str(value)) > 3)

    def test_closing_needs_no_crm(self, remote: Remote) -> None:
        """`aclose` ends soon and without an error although the CRM is gone."""

        async def sign_in_and_break(adapter: Adapter) -> None:
            await adapter.check(enough())
            remote.fault("drop", 0)

        started = time.monotonic()
        self.run(remote, sign_in_and_break)
        assert time.monotonic() - started < 5


async def _ended(call: Awaitable[object], seconds: float) -> BaseException | str:
    started = time.monotonic()
    try:
        result = await call
    except Exception as error:
        late = time.monotonic() - started - seconds
        return error if late < LATE_SECONDS else f"{late:.1f} s late: {error!r}"
    return f"returned {result!r}"


def _echoing(status: int) -> ASGIApp:
    async def echo(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        headers = b"\n".join(b": ".join(pair) for pair in request.headers.raw)
        said = b"\n".join([str(request.url).encode(), headers, await request.body()])
        await Response(said, status, media_type="text/plain")(scope, receive, send)

    return echo
