"""Deliveries as a person likes to read them, and as JSON."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from adapters.timestamps import render
from gateway.clock import moment
from gateway.explain import next_step, payload_text
from gateway.store import DeliveryState
from gateway.store.ledger import REPLAYABLE, Attempt, Detail, Entry

Redact = Callable[[str], str]

_STYLES = {
    DeliveryState.PENDING: "yellow",
    DeliveryState.RUNNING: "bold cyan",
    DeliveryState.DONE: "green",
    DeliveryState.DEAD: "bold red",
    DeliveryState.IGNORED: "dim",
}
_COLUMNS = {"id": 8, "created (UTC)": 19, "state": 7, "connection": 12, "kind": 14, "about": 29, "tries": 5}
_LONGEST_PAYLOAD = 4_000
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")
"""What a remote system sends must not steer the terminal; line ends stay."""


def print_entries(console: Console, entries: Sequence[Entry], redact: Redact) -> None:
    """Print a list of deliveries, one line each."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    # widths are fixed: rich would rather drop a column than shorten the text of the widest
    what = max(20, console.width - sum(_COLUMNS.values()) - 2 * len(_COLUMNS))
    for heading, width in (*_COLUMNS.items(), ("what", what)):
        justify: Any = "right" if heading in ("id", "tries") else "left"
        table.add_column(heading, no_wrap=True, overflow="ellipsis", width=width, justify=justify)
    for entry in entries:
        cells = [entry.connection, entry.kind, entry.subject, str(entry.attempts), redact(_what(entry))]
        state = Text(entry.state, _STYLES[entry.state])
        table.add_row(str(entry.id), _time(entry.created_at), state, *map(_plain, cells))
    console.print(table)


def _what(entry: Entry) -> str:
    said = " ".join(": ".join(part for part in (entry.reason, entry.detail) if part).split())
    if entry.state == DeliveryState.PENDING:
        return f"due {_time(entry.due_at)[11:]}" + (f" after {said}" if said else "")
    return said


def print_detail(console: Console, detail: Detail, redact: Redact, known: bool) -> None:
    """Print everything about one delivery."""
    delivery = detail.delivery
    console.print(Text.assemble(f"delivery {delivery.id}  ", (str(delivery.state), _STYLES[delivery.state])))
    console.print(Text(delivery.state.sentence))
    facts = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    for label, value in _facts(detail, redact):
        facts.add_row(Text(label, "dim"), _plain(value))
    console.print(facts)
    console.print(Text("\nattempts", "bold"))
    console.print(_timeline(detail, redact))
    console.print(Text("\npayload", "bold"))
    console.print(_plain(payload_text(detail.body, redact, _LONGEST_PAYLOAD)))
    console.print(Text("\nwhat to do", "bold"))
    console.print(_plain(next_step(detail, known)))
    if delivery.state in REPLAYABLE:
        console.print(Text(f"gateway deliveries replay {delivery.id}"))


def _facts(detail: Detail, redact: Redact) -> list[tuple[str, str]]:
    delivery = detail.delivery
    facts = [
        ("connection", delivery.connection),
        ("kind", delivery.kind),
        ("about", delivery.subject),
        ("webhook", detail.event_id),
        ("created", f"{_time(delivery.created_at)} UTC"),
        ("replayed", _time_or_none(delivery.replayed_at)),
        ("due", f"{_time(delivery.due_at)} UTC" if delivery.state == DeliveryState.PENDING else None),
        ("finished", _time_or_none(delivery.finished_at)),
        ("reason", delivery.reason),
        ("detail", redact(delivery.detail or "")),
        ("result", redact(delivery.result or "")),
    ]
    facts += [("export", _export_line(export)) for export in asdict(detail)["exports"]]
    return [(label, value) for label, value in facts if value]


def _export_line(export: Mapping[str, Any]) -> str:
    told = ", answered accepted" if export["accepted_at"] else ""
    joined = ", joined one on its way" if export["joined"] else ""
    return f"{export['id']}, received {_time(export['received_at'])} UTC{joined}{told}"


def _timeline(detail: Detail, redact: Redact) -> Table | Text:
    replayed_at = detail.delivery.replayed_at
    lines = [(each.started_at, _attempt_line(each, redact)) for each in detail.attempts]
    if replayed_at is not None:
        lines.append((replayed_at, ("", "", Text("replayed", "yellow"))))
    if not lines:
        return Text("none yet")
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    for at, cells in sorted(lines, key=lambda line: line[0]):
        table.add_row(f"{_time(at)} UTC", *cells)
    return table


def _attempt_line(attempt: Attempt, redact: Redact) -> tuple[str, str, Text]:
    outcome = Text(attempt.outcome, "green" if attempt.outcome == "ok" else "red")
    said = redact(attempt.detail or "")
    return (
        f"#{attempt.number}",
        f"{attempt.ended_at - attempt.started_at} ms",
        Text.assemble(outcome, f"  {_CONTROL.sub('', said)}" if said else ""),
    )


def entry_json(entry: Entry, redact: Redact) -> dict[str, Any]:
    """One delivery of a list as JSON; times as CONTRACT section 5 writes them."""
    found = _timed(asdict(entry))
    return found | {"detail": redact(entry.detail) if entry.detail else None}


def detail_json(detail: Detail, redact: Redact, known: bool) -> dict[str, Any]:
    """Everything about one delivery as JSON."""
    delivery = asdict(detail.delivery)
    for inner in ("payload", "lease_owner", "order_key", "attempts_at_replay"):
        del delivery[inner]
    redacted = {key: redact(delivery[key]) if delivery[key] else None for key in ("detail", "result")}
    attempts = [_timed(asdict(each)) | {"detail": redact(each.detail or "") or None} for each in detail.attempts]
    return {
        **_timed(delivery),
        **redacted,
        "event_id": detail.event_id,
        "sentence": detail.delivery.state.sentence,
        "timeline": attempts,
        "exports": [_timed(asdict(each)) for each in detail.exports],
        "payload": payload_text(detail.body, redact, _LONGEST_PAYLOAD),
        "overtaken_by": detail.overtaken_by,
        "replayable": detail.delivery.state in REPLAYABLE,
        "what_to_do": next_step(detail, known),
    }


def _timed(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: render(moment(value)) if key.endswith("_at") and value is not None else value
        for key, value in values.items()
    }


def _plain(text: str) -> Text:
    return Text(_CONTROL.sub("", text))


def _time(milliseconds: int) -> str:
    return f"{moment(milliseconds):%Y-%m-%d %H:%M:%S}"


def _time_or_none(milliseconds: int | None) -> str | None:
    return None if milliseconds is None else f"{_time(milliseconds)} UTC"
