"""How callers prove who they are (CONTRACT sections 3 and 4)."""

from gateway.auth.gate import Scope
from gateway.openapi.references import Node


def security_schemes() -> Node:
    """`components/securitySchemes`."""
    return {
        "apiKey": {
            "type": "apiKey",
            "in": "header",
            "name": "API-Key",
            "description": (
                "One of the connection's `auth.api_keys`; for a CRM's webhooks, of `webhooks.api_keys`. "
                "`gateway secret new` makes one."
            ),
        },
        "basic": {
            "type": "http",
            "scheme": "basic",
            "description": (
                "User name and password (RFC 7617): one of `auth.basic`; for a CRM's webhooks, of `webhooks.basic`."
            ),
        },
        "jwt": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": (
                "A JSON Web Token of the connection's `auth.jwt` issuer. It needs the scope that the operation names; "
                "a claim `connections` (a list of names), where present, must hold this connection."
            ),
        },
        "urlToken": {
            "type": "apiKey",
            "in": "query",
            "name": "token",
            "description": (
                "One of `auth.url_tokens`, or of `webhooks.url_tokens`: only for callers that cannot set a header; "
                "redacted in every log."
            ),
        },
        "signature": {
            "type": "apiKey",
            "in": "header",
            "name": "webhook-signature",
            "description": (
                "HMAC of the raw body with one of the connection's `webhooks.hmac` secrets. Standard Webhooks: with "
                "`webhook-id` and `webhook-timestamp`, at most `webhooks.tolerance_seconds` old. Or, as configured, "
                "another header that holds the HMAC of the body alone."
            ),
        },
        "operator": {
            "type": "http",
            "scheme": "bearer",
            "description": "One of the operators' tokens, `operator.tokens` of the configuration.",
        },
    }


def connection_auth(scope: Scope) -> list[Node]:
    """Any one of the connection's credentials; a JWT needs `scope`."""
    return [{"apiKey": []}, {"basic": []}, {"jwt": [scope]}, {"urlToken": []}]


def webhook_auth() -> list[Node]:
    """Any one proof of the connection's `webhooks`; these are other credentials than those of its `auth`."""
    # the key first, as everywhere: tools take the first that they are given for the one that they prove themselves by
    return [{"apiKey": []}, {"signature": []}, {"basic": []}, {"urlToken": []}]


def operator_auth() -> list[Node]:
    """An operator's token."""
    return [{"operator": []}]
