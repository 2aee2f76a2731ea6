"""Deliveries as a person likes to read them, and as JSON."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from types import MappingProxyType
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from adapters.timestamps import render
from gateway.clock import moment
from gateway.explain import next_step
from gateway.operator.redacted import Redaction
from gateway.store import WAITS_ITS_TURN, DeliveryState
from gateway.store.ledger import REPLAYABLE, Attempt, Detail, Entry
from gateway.store.subjects import Subject

_STYLES = {
    DeliveryState.PENDING: "yellow",
    DeliveryState.RUNNING: "bold cyan",
    DeliveryState.DONE: "green",
    DeliveryState.DEAD: "bold red",
    DeliveryState.IGNORED: "dim",
}
_COLUMNS = {"id": 8, "created (UTC)": 19, "state": 7, "connection": 12, "kind": 14, "about": 29, "tries": 5}
_LEFT_OUT_FIRST = ("about", "tries", "connection")
"""What a narrow terminal goes without."""
_SHORTEST_WHAT = 30
_LONGEST_PAYLOAD = 4_000
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")
"""What a remote system sends must not steer the terminal; line ends stay."""


def print_entries(
    console: Console,
    entries: Sequence[Entry],
    redaction: Redaction,
    names: Mapping[Subject, str] = MappingProxyType({}),
) -> None:
    """Print a list of deliveries, one line each; `names` are those of the companies that they are about."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    columns = _columns(console.width)
    for heading, width in columns.items():
        justify: Any = "right" if heading in ("id", "tries") else "left"
        table.add_column(heading, no_wrap=True, overflow="ellipsis", width=width, justify=justify)
    for entry in entries:
        cells = _cells(entry, redaction, names.get((entry.connection, entry.subject)))
        table.add_row(*(cells[heading] for heading in columns))
    console.print(table)


def _columns(width: int) -> dict[str, int]:
    """The columns and their widths; fixed, because rich would rather drop a column than shorten the widest text."""
    columns = dict(_COLUMNS)
    for heading in _LEFT_OUT_FIRST:
        if width - sum(columns.values()) - 2 * len(columns) < _SHORTEST_WHAT:
            del columns[heading]
    return {**columns, "what": max(_SHORTEST_WHAT, width - sum(columns.values()) - 2 * len(columns))}


def _cells(entry: Entry, redaction: Redaction, name: str | None) -> dict[str, Text]:
    return {
        "id": Text(str(entry.id)),
        "created (UTC)": Text(_time(entry.created_at)),
        "state": Text(entry.state, _STYLES[entry.state]),
        "connection": Text(entry.connection),
        "kind": Text(entry.kind),
        "about": _plain(redaction.text(name or entry.subject)),
        "tries": Text(str(entry.attempts)),
        "what": _plain(redaction.text(_what(entry))),
    }


def _what(entry: Entry) -> str:
    said = " ".join(": ".join(part for part in (entry.reason, entry.detail) if part).split())
    if entry.state == DeliveryState.PENDING:
        return _due(entry.due_at) + (f" after {said}" if said else "")
    return said


def _due(at: int) -> str:
    return "waits its turn" if at == WAITS_ITS_TURN else f"due {_time(at)[11:]}"


def print_detail(console: Console, detail: Detail, redaction: Redaction, known: bool) -> None:
    """Print everything about one delivery."""
    delivery = detail.delivery
    console.print(Text.assemble(f"delivery {delivery.id}  ", (str(delivery.state), _STYLES[delivery.state])))
    console.print(Text(delivery.state.sentence))
    facts = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    for label, value in _facts(detail, redaction):
        facts.add_row(Text(label, "dim"), _plain(value))
    console.print(facts)
    console.print(Text("\nwhat to do", "bold"))
    console.print(_plain(next_step(detail, known)))
    if delivery.state in (DeliveryState.DEAD, DeliveryState.IGNORED):
        console.print(Text(f"gateway deliveries replay {delivery.id}", "bold cyan"))
    console.print(Text("\nattempts", "bold"))
    console.print(_timeline(detail, redaction))
    console.print(Text("\npayload", "bold"))
    console.print(_plain(redaction.request(detail.body, _LONGEST_PAYLOAD)))


def _facts(detail: Detail, redaction: Redaction) -> list[tuple[str, str]]:
    delivery = detail.delivery
    facts = [
        ("connection", delivery.connection),
        ("kind", delivery.kind),
        ("about", delivery.subject),
        ("webhook", detail.event_id),
        ("created", f"{_time(delivery.created_at)} UTC"),
        ("replayed", _time_or_none(delivery.replayed_at)),
        ("due", _due(delivery.due_at) if delivery.state == DeliveryState.PENDING else None),
        ("finished", _time_or_none(delivery.finished_at)),
        ("reason", delivery.reason),
        ("detail", redaction.text(delivery.detail or "")),
        ("result", redaction.text(delivery.result or "")),
    ]
    facts += [("export", _export_line(export)) for export in asdict(detail)["exports"]]
    return [(label, value) for label, value in facts if value]


def _export_line(export: Mapping[str, Any]) -> str:
    told = ", answered accepted" if export["accepted_at"] else ""
    joined = ", joined one on its way" if export["joined"] else ""
    return f"{export['id']}, received {_time(export['received_at'])} UTC{joined}{told}"


def _timeline(detail: Detail, redaction: Redaction) -> Table | Text:
    replayed_at = detail.delivery.replayed_at
    lines = [(each.started_at, _attempt_line(each, redaction)) for each in detail.attempts]
    if replayed_at is not None:
        lines.append((replayed_at, ("", "", Text("replayed", "yellow"))))
    if not lines:
        return Text("none yet")
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    for at, cells in sorted(lines, key=lambda line: line[0]):
        table.add_row(f"{_time(at)} UTC", *cells)
    return table


def _attempt_line(attempt: Attempt, redaction: Redaction) -> tuple[str, str, Text]:
    outcome = Text(attempt.outcome, "green" if attempt.outcome == "ok" else "red")
    said = redaction.text(attempt.detail or "")
    return (
        f"#{attempt.number}",
        f"{attempt.ended_at - attempt.started_at} ms",
        Text.assemble(outcome, f"  {_CONTROL.sub('', said)}" if said else ""),
    )


def entry_json(entry: Entry, redaction: Redaction, names: Mapping[Subject, str]) -> dict[str, Any]:
    """One delivery of a list as JSON; times as CONTRACT section 5 writes them."""
    name = redaction.optional(names.get((entry.connection, entry.subject)))
    return _timed(asdict(entry)) | {"company_name": name, "detail": redaction.optional(entry.detail)}


def detail_json(detail: Detail, redaction: Redaction, known: bool) -> dict[str, Any]:
    """Everything about one delivery as JSON."""
    delivery = asdict(detail.delivery)
    for inner in ("payload", "lease_owner", "order_key", "attempts_at_replay"):
        del delivery[inner]
    redacted = {key: redaction.optional(delivery[key]) for key in ("detail", "result")}
    attempts = [_timed(asdict(each)) | {"detail": redaction.optional(each.detail)} for each in detail.attempts]
    return {
        **_timed(delivery),
        **redacted,
        "event_id": detail.event_id,
        "sentence": detail.delivery.state.sentence,
        "timeline": attempts,
        "exports": [_timed(asdict(each)) for each in detail.exports],
        "payload": redaction.request(detail.body, _LONGEST_PAYLOAD),
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
