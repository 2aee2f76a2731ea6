"""What a person pastes into Vainu and into the CRM, so that they find the gateway. Never a secret."""

from collections.abc import Sequence

from adapters import registry
from gateway.settings import ConnectionSettings, Settings


def guide(settings: Settings, connection: ConnectionSettings, event_kinds: Sequence[str] = ()) -> str:
    """The values for one connection, by the names that Vainu's page gives its fields (S001).

    `event_kinds` are the kinds of customer events that its CRM takes.
    """
    title = registry.spec(connection.crm).title or connection.crm
    where = f"{settings.public_url}/vainu/{connection.name}"
    vainu = [
        ("Endpoint name", f"{title} ({connection.name})"),
        ("Endpoint URL", f"{where}/exports"),
        ("Create Customer Data entity", "tick"),
        ("Wait for API response", "tick"),
        ("Response timeout", f"3 s (the gateway answers within {connection.export.budget_ms / 1000:g} s)"),
        ("Activity Feed URL", f"{where}/activities/{{}}"),
        ("Fetch activity feed", "tick"),
        ("Base URL for links", f"{where}/records/{{}}"),
        *_links_hint(connection),
        ("Authentication", _credentials(connection)),
        ("Company change webhooks", f"{where}/webhooks"),
    ]
    crm = [("Webhook URL", f"{settings.public_url}/crm/{connection.name}/webhooks"), ("Proof", _proofs(connection))]
    return "\n".join(
        [
            f"{connection.name}: paste into Vainu, Settings > Integrations > Customer API Configuration",
            *_aligned(vainu),
            f"{connection.name}: paste into {title}, where it sends webhooks",
            *_aligned(crm),
            *_events_guide(f"{settings.public_url}/crm/{connection.name}", connection, event_kinds),
        ]
    )


def _events_guide(where: str, connection: ConnectionSettings, kinds: Sequence[str]) -> list[str]:
    """Where customer events go; nothing for a CRM that takes none."""
    if not kinds:
        return []
    rows = [
        ("Address", f"POST {where}/customer-events/{{kind}}"),
        ("Kinds", ", ".join(kinds)),
        ("Authentication", _credentials(connection)),
    ]
    return [f"{connection.name}: paste into whatever sends customer events", *_aligned(rows)]


def _aligned(rows: Sequence[tuple[str, str]]) -> list[str]:
    return [f"  {label:27}  {value}" for label, value in rows]


def _links_hint(connection: ConnectionSettings) -> list[tuple[str, str]]:
    """What is missing for links to lead anywhere; an adapter without the setting is taken to know its pages itself."""
    if getattr(connection.adapter, "record_url", "") is not None:
        return []
    return [("", f"(leads nowhere until record_url is set in [connections.{connection.name}.{connection.crm}])")]


def _credentials(connection: ConnectionSettings) -> str:
    """Which kinds of credentials admit; never a credential."""
    auth = connection.auth
    kinds = [
        ("header API-Key", bool(auth.api_keys)),
        (f"Basic, user {', '.join(each.username for each in auth.basic)}", bool(auth.basic)),
        ("Bearer, a JWT", auth.jwt is not None),
        ("?token=… at the end of the addresses", bool(auth.url_tokens)),
    ]
    return " or ".join(kind for kind, there in kinds if there)


def _proofs(connection: ConnectionSettings) -> str:
    """Which proofs of a webhook are believed; never a secret."""
    proofs = connection.webhooks
    headers = {each.header for each in proofs.hmac if each.scheme == "header"}
    kinds = [
        ("a Standard Webhooks signature", any(each.scheme == "standard" for each in proofs.hmac)),
        (f"a signature in {', '.join(sorted(headers))}", bool(headers)),
        (f"Basic, user {', '.join(each.username for each in proofs.basic)}", bool(proofs.basic)),
        ("header API-Key", bool(proofs.api_keys)),
        ("?token=… at the end of the address", bool(proofs.url_tokens)),
    ]
    configured = " or ".join(kind for kind, there in kinds if there)
    return configured or f"none configured, so all are refused; see [connections.{connection.name}.webhooks]"
