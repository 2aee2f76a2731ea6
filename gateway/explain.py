"""What a delivery means to a person: what to do next."""

import re

from gateway.clock import moment
from gateway.store import WAITS_ITS_TURN, DeliveryState
from gateway.store.ledger import Detail

_FOLDED = re.compile(r'\{"status": "folded into ([0-9]+)"\}')
"""The result that the store gives what it folds into another."""

_REMEDIES = {
    "unreachable": "The remote system could not be reached: see that it is up and its address is right, then replay.",
    "timeout": "The remote system did not answer in time: see how it fares, then replay.",
    "cut": "The connection broke in the middle: see how the remote system fares, then replay.",
    "throttled": "The remote system asked for fewer calls: lower deliveries.per_second of the connection, then replay.",
    "server_fault": "The remote system broke: ask those who run it, then replay.",
    "unexpected_reply": "The remote system's answer was not understood: read it in the timeline, then replay.",
    "credentials": "Correct the credentials in the configuration, see them work with `gateway check`, then replay.",
    "not_found": "The record is not in the remote system: see whether it was deleted; a new export makes it anew.",
    "refused": "Read what it said in the timeline, mend what it names there or in the field mapping, then replay.",
    "row_failed": "Read in the timeline what the CRM says of this row; see how the CRM fares, then replay.",
    "row_refused": "See in the timeline what the CRM says of this row; mend it there and replay, or push it corrected.",
    "internal_error": "A defect of the gateway: its log tells more. Report it, then replay with a corrected version.",
}

_NOT_ACTED_ON = {
    "no_vainu": "Nothing was done: the connection has no [connections.NAME.vainu], so there is nobody to tell. "
    "If Vainu should hear of it, configure that and replay: it is read anew.",
    "unknown_event": "Nothing was done: it names no record that the adapter knows; its NOTES.md tells the fields. "
    "If it should have had an effect, change what the CRM sends.",
}


def next_step(detail: Detail, known: bool) -> str:
    """What to do about a delivery; `known`: whether the configuration has its connection."""
    delivery = detail.delivery
    if delivery.state == DeliveryState.PENDING and not known:
        name = delivery.connection
        return f'It waits: the configuration has no connection "{name}". Put it back, and it goes on.'
    if delivery.state == DeliveryState.PENDING and delivery.due_at == WAITS_ITS_TURN:
        return "Nothing: it waits for the one before it about the same record."
    if delivery.state == DeliveryState.PENDING and delivery.reason == "sealed":
        return "It waits: a gateway without its key met it. See that every gateway has all keys; it is tried again."
    if delivery.state == DeliveryState.PENDING:
        return f"Nothing: it is tried at {moment(delivery.due_at):%Y-%m-%d %H:%M:%S} UTC."
    if delivery.state == DeliveryState.RUNNING:
        return "Nothing: a worker is at it. If that worker dies, another takes over within seconds."
    if delivery.state == DeliveryState.DONE and (leading := _folded_into(delivery.result)):
        return f"Nothing: delivery {leading} did its work with its own, since both are about the same record."
    if delivery.state == DeliveryState.DONE:
        return "Nothing."
    if delivery.state == DeliveryState.IGNORED and delivery.reason == "gone":
        return "Nothing: the CRM has no such record any more, so there is nothing to tell Vainu of."
    if delivery.state == DeliveryState.IGNORED and delivery.reason in _NOT_ACTED_ON:
        return _NOT_ACTED_ON[delivery.reason]
    if delivery.state == DeliveryState.IGNORED:
        return "Nothing; if it should have had an effect, mend the configuration and replay it: it is read anew."
    remedy = _REMEDIES.get(delivery.reason or "", "Read the timeline of attempts, mend the cause, then replay.")
    if detail.overtaken_by is not None:
        remedy += (
            f"\nA newer one about the same record, {detail.overtaken_by}, is done: a replay would write older content."
        )
    return remedy


def _folded_into(result: str | None) -> str | None:
    """The number of the delivery that did this one's work, where a burst about one record was folded."""
    found = _FOLDED.fullmatch(result or "")
    return found[1] if found else None
