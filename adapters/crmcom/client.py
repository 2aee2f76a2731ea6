"""Calls to the classic Web API: one token for all calls, the envelope read, errors in the contract's tree.

Sources: S004; upstream-apis sections 2.1 to 2.3. GET reads and carries the token in the query, POST writes and carries
it in the body. So no URL may ever be shown: errors are made from action names, and live tokens are redacted.
"""

import time
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from adapters.contract import BadCredentials, NotFound, Observer, Refused, RemoteError
from adapters.crmcom.envelope import SYSTEM, CodedRefusal, data_of, is_signed_out, unexpected
from adapters.crmcom.models import CrmcomSettings
from adapters.crmcom.single_flight import SingleFlight
from adapters.deadline import Deadline
from adapters.http import RemoteClient
from adapters.http_replies import Reply
from adapters.redaction import Redactor

TOKEN_SECONDS = 7_000.0
"""How long a token is used: it dies 2 h after issue (R12+); a production client renews it so (javaclient)."""
IDLE_SECONDS = 3_300.0
"""How long an unused token is trusted: before R12 it dies after 1 h without use (wiki 494531)."""
SIGN_IN_SECONDS = 15.0
BELIEVED_SECONDS = 60.0
"""How long a code that a new token did not cure is taken to speak of something else than the token."""
RELEASE_SECONDS = 2.0
_TOKENS_REMEMBERED = 8
_HTTP_STATUS = "401"


@dataclass(slots=True)
class _Token:
    text: str
    issued_at: float
    used_at: float

    def is_good_at(self, now: float) -> bool:
        return now - self.issued_at < TOKEN_SECONDS and now - self.used_at < IDLE_SECONDS


@dataclass(frozen=True, slots=True)
class _Ask:
    call: Callable[[str], Awaitable[Any]]
    """Makes the call with the token it is given; the data of its reply."""
    harmless: Collection[str] = ()


class CrmcomClient:
    """One signed-in client; all methods raise only the contract's errors. `now` is a monotonic clock in seconds."""

    def __init__(
        self,
        settings: CrmcomSettings,
        observe: Observer = lambda _record: None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._now = now
        self._password = settings.password.get_secret_value()
        self._remote = RemoteClient(
            SYSTEM, settings.base_url, secrets=[self._password], observe=observe, upstream=settings
        )
        self._token: _Token | None = None
        self._sign_ins: SingleFlight[_Token] = SingleFlight(f"{SYSTEM}'s sign-in")
        self._tokens: deque[str] = deque(maxlen=_TOKENS_REMEMBERED)
        self._not_about_the_token: dict[str, float] = {}
        """Code → until when it is believed; not for good, since the next token may really die by it."""

    async def get(
        self,
        method: str,
        deadline: Deadline,
        params: Mapping[str, str | int],
        *,
        expected: Collection[str] = (),
    ) -> Any:
        """The data of a reading method. `expected` are keys that make a reply without envelope acceptable."""

        async def call(token: str) -> Any:
            return await self._remote.ask(
                "GET",
                method,
                lambda reply: data_of(reply.json(), expected),
                action=method,
                deadline=deadline,
                safe=True,
                params={"token": token, **params},
            )

        return await self._signed_in(_Ask(call), deadline)

    async def post(
        self, method: str, deadline: Deadline, body: Mapping[str, Any], *, harmless: Collection[str] = ()
    ) -> Any:
        """The data of a writing method, sent once; None where it was refused with one of the `harmless` codes.

        Never `NotFound`: in a write it speaks of something the body names, such as a category.
        """

        async def call(token: str) -> Any:
            content = {"token": token, **body}
            return await self._remote.ask(
                "POST", method, _data, action=method, deadline=deadline, safe=False, json_body=content
            )

        try:
            return await self._signed_in(_Ask(call, harmless=harmless), deadline)
        except NotFound as missing:
            raise Refused(missing.detail) from None

    def redact(self, text: str) -> str:
        """`text` without the password and every token that may still live."""
        return self._remote.redact(text)

    async def sign_in(self, deadline: Deadline) -> None:
        """Sign in anew, also where a token is at hand. `BadCredentials` if CRM.COM does not want us."""
        await self._sign_ins.run("sign-in", self._new_token, deadline)

    async def aclose(self) -> None:
        """Release the token as well as it goes, and close all connections."""
        await self._sign_ins.aclose()
        if self._token is not None:
            body = {"token": self._token.text}
            self._token = None
            with suppress(RemoteError):
                await self._remote.call(
                    "POST",
                    "authentication/token/release",
                    action="authentication/token/release",
                    deadline=Deadline.after(RELEASE_SECONDS),
                    safe=False,
                    json_body=body,
                )
        await self._remote.aclose()

    async def _signed_in(self, ask: _Ask, deadline: Deadline) -> Any:
        token = await self._good_token(deadline)
        try:
            return await self._data(ask, token)
        except CodedRefusal as refusal:
            if not is_signed_out(refusal.code) or self._is_believed(refusal.code):
                raise Refused(refusal.detail) from None
        except BadCredentials:
            if self._is_believed(_HTTP_STATUS):
                raise
        # nothing was done under the old token, so even a write may be sent once more
        return await self._again(ask, await self._renewed(token, deadline))

    async def _again(self, ask: _Ask, token: _Token) -> Any:
        try:
            return await self._data(ask, token)
        except CodedRefusal as refusal:
            if "TOKEN" in refusal.code:
                raise BadCredentials(f"{refusal.detail}; the token was issued a moment ago") from None
            self._believe(refusal.code)
            raise Refused(refusal.detail) from None
        except BadCredentials:
            self._believe(_HTTP_STATUS)
            raise

    def _believe(self, code: str) -> None:
        self._not_about_the_token[code] = self._now() + BELIEVED_SECONDS

    def _is_believed(self, code: str) -> bool:
        return self._now() < self._not_about_the_token.get(code, float("-inf"))

    async def _data(self, ask: _Ask, token: _Token) -> Any:
        try:
            return await ask.call(token.text)
        except CodedRefusal as refusal:
            if refusal.code in ask.harmless:
                return None
            raise
        finally:
            token.used_at = self._now()

    async def _good_token(self, deadline: Deadline) -> _Token:
        if self._token is not None and self._token.is_good_at(self._now()):
            return self._token
        return await self._sign_ins.run("sign-in", self._new_token, deadline)

    async def _renewed(self, refused: _Token, deadline: Deadline) -> _Token:
        # calls that ran side by side all come here with the same dead token: the first one renews for all
        if self._token is refused:
            self._token = None
        return await self._good_token(deadline)

    async def _new_token(self) -> _Token:
        settings = self._settings
        body = {
            "username": settings.username,
            "password": self._password,
            "organisation": settings.organisation,
        }
        if settings.login_unit:
            body["unit"] = settings.login_unit
        issued_at = self._now()
        text = await self._sign_in_reply(body)
        self._redact_also(text)
        self._token = _Token(text, issued_at, issued_at)
        return self._token

    async def _sign_in_reply(self, body: Mapping[str, str]) -> str:
        method, deadline = "authentication/token", Deadline.after(SIGN_IN_SECONDS)
        try:
            data = await self._remote.ask(
                "POST", method, _signed_in, action=method, deadline=deadline, safe=True, json_body=body
            )
        except BadCredentials:
            raise
        except Refused as refusal:
            raise BadCredentials(f"sign-in failed: {refusal.detail}; check the settings") from None
        token = data.get("token") if isinstance(data, Mapping) else None
        if not isinstance(token, str) or not token.strip():
            raise unexpected("a token", data)
        return token.strip()

    def _redact_also(self, token: str) -> None:
        self._tokens.append(token)
        self._remote.redact = Redactor([self._password, *self._tokens])


def _data(reply: Reply) -> Any:
    return data_of(reply.json())


def _signed_in(reply: Reply) -> Any:
    return data_of(reply.json(), ("token",))
