"""Who may post to a connection's webhooks: any one proof that matches admits (CONTRACT section 3, `webhooks`)."""

import secrets
import time
from collections.abc import Callable, Mapping

import msgspec
from pydantic import SecretStr

from gateway.auth.credentials import read_credentials
from gateway.auth.errors import Unauthorized
from gateway.auth.headers import ProofHeaders, Raw
from gateway.auth.proofs import ComparedSecrets, ProofTable
from gateway.auth.signatures import SignatureVerifier, message_id
from gateway.settings import WebhookSettings
from gateway.settings.model import HmacSettings


class Sender(msgspec.Struct, frozen=True):
    """A CRM that has proved itself."""

    connection: str
    name: str
    """A stable identity that is no secret."""
    webhook_id: str | None
    """The sender's id of this message. With a signature only if that covers it: a replay could carry another."""


class WebhookGate:
    """Judges webhooks; an unknown connection costs and answers what a wrong signature does. `now`: Unix seconds."""

    def __init__(self, connections: Mapping[str, WebhookSettings], now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._proofs = ProofTable(
            {name: ComparedSecrets(each.api_keys, each.basic, each.url_tokens) for name, each in connections.items()}
        )
        self._verifiers = {
            name: SignatureVerifier(each.hmac, each.tolerance_seconds) for name, each in connections.items()
        }
        decoy = HmacSettings(secret=SecretStr(secrets.token_hex(32)))
        self._decoy = SignatureVerifier([decoy], 300)

    def admit(self, connection: str, headers: Raw, query_string: bytes, body: bytes) -> Sender:
        """The sender; raises `Unauthorized`, or `AmbiguousProof` if a header of the proof comes twice."""
        given = ProofHeaders(headers)
        presented = read_credentials(given, query_string)
        signed = self._verifiers.get(connection, self._decoy).verify(given, body, self._now())
        proof = self._proofs.match(connection, presented)
        if signed is not None and connection in self._verifiers:
            return Sender(connection, "signature", signed.webhook_id)
        if proof is not None:
            return Sender(connection, f"{proof.method}:{proof.name}", message_id(given))
        raise Unauthorized("wrong_credentials")
