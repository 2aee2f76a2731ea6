"""Signing in through the identity provider: the way there, and the way back."""

from typing import TYPE_CHECKING, Any

from itsdangerous import BadSignature
from starlette.requests import Request
from starlette.responses import Response

from gateway.console import access, answers, credentials, sign_in
from gateway.console.access import base_of, cookies_of
from gateway.console.cookies import TRANSACTION_SECONDS
from gateway.console.oidc_transaction import ProviderUnavailable, SignInRefused, Transaction
from gateway.http.inbound import address_of, service_of
from gateway.limits import retry_after
from gateway.problems import Problem, too_many

if TYPE_CHECKING:
    from gateway.console.oidc import Provider

_PURPOSE = "oidc"


async def begin(request: Request) -> Response:
    """`POST /console/sign-in/oidc`: on to the provider."""
    given = await sign_in.visitor_form(request)
    provider, place = _provider(request), access.place_of(given["next"])
    transaction = Transaction.begin(place)
    try:
        url = await provider.authorization_url(transaction, _returns_to(request))
    except ProviderUnavailable as error:
        return await sign_in.show(request, place, 502, fault=_sentence(error))
    response = answers.bounce(url, base_of(request), "Going to your identity provider")
    serializer = await service_of(request).sessions.serializer(_PURPOSE)
    kept = serializer.dumps(transaction.written())
    cookies_of(request).set_transaction(response, kept if isinstance(kept, str) else kept.decode())
    return response


async def come_back(request: Request) -> Response:
    """`GET /console/sign-in/oidc/return`: what the provider says of the person.

    The one GET that opens something: the protocol's answer is a redirect. It counts only in the browser that began,
    which holds the transaction, and once, since the provider takes a code once.
    """
    failures = service_of(request).failed_signins
    address = address_of(request)
    if (wait := failures.wait(address)) > 0:
        raise too_many("signin_limited", f"too many failed sign-ins; wait {retry_after(wait)} s", wait)
    transaction, provider = await _transaction(request), _provider(request)
    try:
        email = await provider.email_of(dict(request.query_params), transaction, _returns_to(request))
    except SignInRefused as error:
        failures.record(address)
        await sign_in.note_failure(request, error.reason)
        request.scope["gateway.refusal"] = error.reason
        response = await sign_in.show(request, transaction.goes_on_to, 401, fault=_sentence(error))
    except ProviderUnavailable as error:
        response = await sign_in.show(request, transaction.goes_on_to, 502, fault=_sentence(error))
    else:
        response = answers.bounce(base_of(request) + transaction.goes_on_to, base_of(request), "You are signed in")
        await sign_in.open_session(request, response, credentials.of_email(provider.settings, email), email)
    cookies_of(request).forget_transaction(response)
    return response


def _provider(request: Request) -> "Provider":
    provider = service_of(request).provider
    if provider is None:
        raise Problem(404, "not_found", "this gateway has no identity provider: operator.oidc is not configured")
    return provider


async def _transaction(request: Request) -> Transaction:
    kept: Any = cookies_of(request).transaction_in(request)
    if kept is None:
        raise Problem(400, "oidc_transaction", "no sign-in is under way in this browser; begin again")
    serializer = await service_of(request).sessions.serializer(_PURPOSE)
    try:
        return Transaction.read(serializer.loads(kept, max_age=TRANSACTION_SECONDS))
    except BadSignature:
        raise Problem(400, "oidc_transaction", "the sign-in took longer than ten minutes; begin again") from None


def _returns_to(request: Request) -> str:
    return f"{service_of(request).runtime.settings.public_url}/console/sign-in/oidc/return"


def _sentence(error: Exception) -> str:
    text = str(error)
    return text[:1].upper() + text[1:] + "."
