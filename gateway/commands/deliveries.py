"""`gateway deliveries`: dead letters and everything else that is kept, shown and replayed."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import TypeVar

import msgspec
from rich.console import Console
from rich.text import Text

from gateway import logs
from gateway.clock import now_ms
from gateway.commands.configuration import load_settings, require_connection
from gateway.commands.deliveries_table import detail_json, entry_json, print_detail, print_entries
from gateway.commands.failures import WorkFailed, WrongUse
from gateway.commands.output import console
from gateway.commands.when import read_when
from gateway.company_names import company_names
from gateway.operator.redacted import Redaction
from gateway.replays import Replayed, entries_of, of_dead_letters, replay_matching, replay_these
from gateway.settings import Settings
from gateway.storage import store_of
from gateway.store import DeliveryState, Store, StoreUnavailable, ledger
from gateway.store.backup import sqlite_file
from gateway.store.ledger import REPLAYABLE, Detail, Entry, Filter
from gateway.store.subjects import Subject

T = TypeVar("T")
_SHOWN_OF_DRY_RUN = 50


def filter_of(
    states: Sequence[str],
    connection: str | None,
    kind: str | None,
    since: str | None,
    until: str | None,
    reason: str | None = None,
) -> Filter:
    """The filter that the options mean; `WrongUse` for a state or a time that is none."""
    known = ", ".join(DeliveryState)
    for state in states:
        if state not in list(DeliveryState):
            raise WrongUse(f"--state {state}: expected one of {known}")
    now = now_ms()
    return Filter(
        tuple(DeliveryState(state) for state in states),
        connection,
        kind,
        read_when("--since", since, now),
        read_when("--until", until, now),
        reason,
    )


def run_list(config: str | None, wanted: Filter, limit: int, as_json: bool) -> int:
    """Print the newest deliveries that the filter wants."""
    settings = _settings(config)

    async def look(store: Store) -> tuple[ledger.Page, dict[DeliveryState, int], dict[Subject, str]]:
        await _check_connection(store, settings, wanted.connection)
        page = await store.read(lambda c: ledger.search(c, wanted, limit))
        counts = await store.read(lambda c: ledger.count(c, wanted))
        return page, counts, await store.read(lambda c: company_names(c, page.entries))

    page, counts, names = _with_store(settings, look) or (ledger.Page([], None), {}, {})
    redaction = Redaction(settings)
    if as_json:
        _write_json([entry_json(entry, redaction, names) for entry in page.entries])
        return 0
    out = console()
    if page.entries:
        print_entries(out, page.entries, redaction, names)
    told = " · ".join(f"{number:,} {state}" for state, number in counts.items()) or "no deliveries"
    more = f"; the newest {len(page.entries)} are shown, --limit shows more" if page.after else ""
    out.print(Text(told + more, "dim"))
    _print_removed(out, page.entries, settings)
    return 0


def _print_removed(out: Console, entries: Sequence[Entry], settings: Settings) -> None:
    unfinished = {entry.connection for entry in entries if entry.state not in REPLAYABLE}
    for name in sorted(unfinished - settings.connections.keys()):
        out.print(Text(f"{name} is not in the configuration: its work waits until it is back", "yellow"))


def run_show(config: str | None, reference: str, as_json: bool) -> int:
    """Print everything about one delivery."""
    settings = _settings(config)
    _check_reference(reference)

    async def look(store: Store) -> Detail | None:
        found = await store.read(lambda c: ledger.ids_of(c, reference))
        return await store.read(lambda c: ledger.detail(c, found[0])) if found else None

    detail = _with_store(settings, look)
    if detail is None:
        raise WorkFailed(f"no delivery {reference}; `gateway deliveries list` shows what there is")
    redaction, known = Redaction(settings), detail.delivery.connection in settings.connections
    if as_json:
        _write_json(detail_json(detail, redaction, known))
    else:
        print_detail(console(), detail, redaction, known)
    return 0


def run_replay(config: str | None, references: Sequence[str], wanted: Filter, everything: bool, dry_run: bool) -> int:
    """Replay the deliveries named, or those that the filter wants."""
    settings = _settings(config)
    if not references:
        return _replay_matching(settings, _checked(wanted, everything), dry_run)
    if wanted != Filter() or everything:
        raise WrongUse(
            "name deliveries, or say which by --state, --connection, --kind, --reason, --since, --until or --all: "
            "not both"
        )
    for reference in references:
        _check_reference(reference)
    return _replay_these(settings, references, dry_run)


def _checked(wanted: Filter, everything: bool) -> Filter:
    if wanted == Filter() and not everything:
        raise WrongUse(
            "which ones? Name deliveries, or narrow by --connection, --since …, or say --all for every dead letter"
        )
    unfinished = [state for state in wanted.states if state not in REPLAYABLE]
    if unfinished:
        raise WrongUse(
            f"--state {unfinished[0]}: only {', '.join(REPLAYABLE)} can be replayed; the others are not finished"
        )
    narrowed = replace(wanted, states=()) != Filter()
    if set(wanted.states) - {DeliveryState.DEAD} and not narrowed and not everything:
        states = " and ".join(wanted.states)
        raise WrongUse(f"that is every delivery that is {states}; narrow it, or add --all if it is meant")
    return of_dead_letters(wanted)


def _replay_matching(settings: Settings, wanted: Filter, dry_run: bool) -> int:
    async def work(store: Store) -> tuple[int, list[Entry]]:
        await _check_connection(store, settings, wanted.connection)
        if not dry_run:
            return await replay_matching(store, wanted, now_ms), []
        counts = await store.read(lambda c: ledger.count(c, wanted))
        page = await store.read(lambda c: ledger.search(c, wanted, _SHOWN_OF_DRY_RUN))
        return sum(counts.values()), page.entries

    number, entries = _with_store(settings, work) or (0, [])
    _print_replay(settings, number, entries, dry_run)
    return 0


def _replay_these(settings: Settings, references: Sequence[str], dry_run: bool) -> int:
    async def work(store: Store) -> tuple[Replayed, list[str]]:
        ids_of = ledger.replay_ids_of
        found = {reference: await store.read(lambda c, r=reference: ids_of(c, r)) for reference in references}  # type: ignore[misc]  # mypy infers no lambda with defaults
        ids = {delivery_id for each in found.values() for delivery_id in each}
        outcome = await (entries_of(store, ids) if dry_run else replay_these(store, ids, now_ms))
        return outcome, [reference for reference, each in found.items() if not each]

    outcome, unknown = _with_store(settings, work) or (Replayed([], []), list(references))
    _print_replay(settings, len(outcome.replayed), outcome.replayed, dry_run)
    problems = [f"no {'dead letter' if _is_many(reference) else 'delivery'} {reference}" for reference in unknown]
    problems += [f"{entry.id} is {entry.state}: it is left as it is" for entry in outcome.left]
    if problems:
        raise WorkFailed("\n".join(problems))
    return 0


def _print_replay(settings: Settings, number: int, entries: Sequence[Entry], dry_run: bool) -> None:
    out = console()
    if entries:
        print_entries(out, entries, Redaction(settings))
    if number > len(entries) > 0:
        out.print(Text(f"and {number - len(entries):,} more", "dim"))
    what = f"{number:,} deliver{'y' if number == 1 else 'ies'}"
    if not number:
        out.print("nothing to replay")
    elif dry_run:
        out.print(f"{what} would be replayed; nothing was changed")
    else:
        out.print(f"{what} replayed: due now, the running gateway takes over")


def _settings(config: str | None) -> Settings:
    logs.configure(json=False, level=logs.ERROR)
    return load_settings(config)[1]


def _is_many(reference: str) -> bool:
    """Whether the reference names rows of customer events, of which the dead letters are replayed."""
    return reference.startswith("evt_")


def _check_reference(reference: str) -> None:
    is_number = reference.isascii() and reference.isdigit()
    if not is_number and not reference.startswith(("whk_", "exp_", "evt_")):
        raise WrongUse(
            f"{reference}: expected a delivery's number, a webhook's whk_…, an export's exp_… or customer events' evt_…"
        )


async def _check_connection(store: Store, settings: Settings, name: str | None) -> None:
    """`WrongUse` if neither the configuration nor the store knows the connection: work of a removed one is kept."""
    if name is None or name in settings.connections:
        return
    page = await store.read(lambda c: ledger.search(c, Filter(connection=name), 1))
    if not page.entries:
        require_connection(settings, name)


def _with_store(settings: Settings, work: Callable[[Store], Awaitable[T]]) -> T | None:
    """What `work` returns; None if the store is a file that no gateway has made yet."""
    file = sqlite_file(settings.storage.url)
    if file is not None and not file.exists():
        return None

    async def opened() -> T:
        store = store_of(settings.storage)
        await asyncio.to_thread(store.open)
        try:
            return await work(store)
        finally:
            await asyncio.to_thread(store.close)

    try:
        return asyncio.run(opened())
    except StoreUnavailable as error:
        raise WorkFailed(str(error)) from None


def _write_json(value: object) -> None:
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(value)).decode() + "\n")
