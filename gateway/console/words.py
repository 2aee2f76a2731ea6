"""Which tone a word has on a page: the tones are `good`, `busy`, `warn`, `bad` and `idle` of the style sheet."""

from collections.abc import Mapping

from gateway.event_work import event_kind
from gateway.export_work import CUSTOMER_DATA, DETAILS, EXPORT
from gateway.inbound_work import COMPANY_CHANGE, CRM_WEBHOOK

_TONES: Mapping[str, str] = {
    # of a delivery
    "pending": "busy", "running": "busy", "done": "good", "dead": "bad", "ignored": "idle",
    # of an export
    "accepted": "busy", "created": "good", "updated": "good",
    # of a connection and its systems
    "ok": "good", "failing": "bad", "unknown": "idle", "removed": "warn",
    # of a sync run
    "interrupted": "warn", "abandoned": "idle",
    # of an entry of the audit log
    "begun": "busy", "refused": "bad", "failed": "bad",
}  # fmt: skip
_KINDS: Mapping[str, str] = {
    EXPORT: "Export",
    DETAILS: "Contacts and leads",
    CUSTOMER_DATA: "Vainu's id set",
    CRM_WEBHOOK: "CRM webhook",
    COMPANY_CHANGE: "Company change",
}
KINDS = tuple(_KINDS)


def tone(word: str) -> str:
    """The tone of a state's or outcome's word; `bad` for an attempt's outcome, which is `ok` or a reason."""
    return _TONES.get(str(word), "bad")


def kind_title(kind: str) -> str:
    """What a delivery does, in a person's words."""
    if kind in _KINDS:
        return _KINDS[kind]
    return f"Customer events: {event_kind(kind).replace('_', ' ')}" if kind.startswith("events_") else kind
