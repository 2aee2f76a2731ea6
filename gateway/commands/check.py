"""`gateway check`: validates, signs in to every remote system read-only, and prints what to paste where."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.text import Text

from adapters.contract import Account, BulkEvents, RemoteError
from adapters.deadline import Deadline
from gateway import logs
from gateway.commands.configuration import load_settings
from gateway.commands.guide import guide
from gateway.commands.output import console
from gateway.file_modes import warnings
from gateway.runtime import LiveConnection, open_connection
from gateway.settings import ConnectionSettings, Settings

_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class _Result:
    connection: str
    system: str
    ok: bool
    line: str


@dataclass(frozen=True, slots=True)
class _Connection:
    """What was found of one connection."""

    settings: ConnectionSettings
    event_kinds: Sequence[str]
    """The kinds of customer events that its CRM takes."""
    results: Sequence[_Result]


def run(config: str | None, offline: bool) -> int:
    """Check everything; 1 if any sign-in failed."""
    logs.configure(json=False, level=logs.ERROR)
    path, settings = load_settings(config)
    shown = console()
    count = len(settings.connections)
    text = f"{path}: {count} connection{'' if count == 1 else 's'}"
    found = asyncio.run(_look_everywhere(settings, offline=offline))
    results = [_Result("configuration", "", True, text), *(result for each in found for result in each.results)]
    _print_results(shown, results)
    for each in found:
        shown.print(Text("\n" + guide(settings, each.settings, each.event_kinds)), soft_wrap=True)
    for warning in warnings(path, settings):
        shown.print(Text(f"\nwarning: {warning}", "yellow"), soft_wrap=True)
    if settings.server.public_url is None and settings.connections:
        shown.print("\nserver.public_url is not set: these addresses are good on this machine only", soft_wrap=True)
    return 0 if all(result.ok for result in results) else 1


def _print_results(shown: Console, results: list[_Result]) -> None:
    whats = [f"{result.connection} {result.system}".strip() for result in results]
    width = max(map(len, whats))
    for what, result in zip(whats, results, strict=True):
        word = Text("ok    ", "green") if result.ok else Text("FAILED", "bold red")
        shown.print(Text.assemble(f"{what:{width}}  ", word, f"  {result.line}"), soft_wrap=True)


async def _look_everywhere(settings: Settings, *, offline: bool) -> list[_Connection]:
    return await asyncio.gather(*(_look(each, offline=offline) for each in settings.connections.values()))


async def _look(settings: ConnectionSettings, *, offline: bool) -> _Connection:
    live = open_connection(settings)
    try:
        kinds = live.adapter.event_kinds if isinstance(live.adapter, BulkEvents) else ()
        return _Connection(settings, kinds, [] if offline else await _sign_in(live))
    finally:
        await live.close()


async def _sign_in(live: LiveConnection) -> list[_Result]:
    checks: list[tuple[str, Callable[[Deadline], Awaitable[Account]]]] = [(live.settings.crm, live.adapter.check)]
    if live.vainu is not None:
        checks.append(("vainu", live.vainu.check))
    if live.aixon is not None:
        checks.append(("aixon", live.aixon.check))
    return await asyncio.gather(*(_checked(live, system, check) for system, check in checks))


async def _checked(live: LiveConnection, system: str, check: Callable[[Deadline], Awaitable[Account]]) -> _Result:
    try:
        account = await check(Deadline.after(_SECONDS))
    except RemoteError as error:
        return _Result(live.name, system, False, f"{error.reason}: {live.redact(error.detail)}")
    return _Result(live.name, system, True, live.redact(account.summary))
