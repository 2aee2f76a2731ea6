"""`gateway check`: validates, signs in to every remote system read-only, and prints what to paste where."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from rich.console import Console
from rich.text import Text

from adapters.contract import Account, RemoteError
from adapters.deadline import Deadline
from gateway import logs
from gateway.commands.configuration import load_settings
from gateway.commands.guide import guide
from gateway.commands.output import console
from gateway.runtime import LiveConnection, open_connection
from gateway.settings import ConnectionSettings, Settings

_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class _Result:
    connection: str
    system: str
    ok: bool
    line: str


def run(config: str | None, offline: bool) -> int:
    """Check everything; 1 if any sign-in failed."""
    logs.configure(json=False, level=logs.ERROR)
    path, settings = load_settings(config)
    shown = console()
    count = len(settings.connections)
    text = f"{path}: {count} connection{'' if count == 1 else 's'}"
    results = [_Result("configuration", "", True, text)]
    results += [] if offline else asyncio.run(_sign_in_everywhere(settings))
    _print_results(shown, results)
    for connection in settings.connections.values():
        shown.print(Text("\n" + guide(settings, connection)), soft_wrap=True)
    if settings.server.public_url is None and settings.connections:
        shown.print("\nserver.public_url is not set: these addresses are good on this machine only", soft_wrap=True)
    return 0 if all(result.ok for result in results) else 1


def _print_results(shown: Console, results: list[_Result]) -> None:
    whats = [f"{result.connection} {result.system}".strip() for result in results]
    width = max(map(len, whats))
    for what, result in zip(whats, results, strict=True):
        word = Text("ok    ", "green") if result.ok else Text("FAILED", "bold red")
        shown.print(Text.assemble(f"{what:{width}}  ", word, f"  {result.line}"), soft_wrap=True)


async def _sign_in_everywhere(settings: Settings) -> list[_Result]:
    found = await asyncio.gather(*(_sign_in(each) for each in settings.connections.values()))
    return [result for results in found for result in results]


async def _sign_in(settings: ConnectionSettings) -> list[_Result]:
    live = open_connection(settings)
    try:
        checks: list[tuple[str, Callable[[Deadline], Awaitable[Account]]]] = [(settings.crm, live.adapter.check)]
        if live.vainu is not None:
            checks.append(("vainu", live.vainu.check))
        if live.aixon is not None:
            checks.append(("aixon", live.aixon.check))
        return await asyncio.gather(*(_checked(live, system, check) for system, check in checks))
    finally:
        await live.close()


async def _checked(live: LiveConnection, system: str, check: Callable[[Deadline], Awaitable[Account]]) -> _Result:
    try:
        account = await check(Deadline.after(_SECONDS))
    except RemoteError as error:
        return _Result(live.name, system, False, f"{error.reason}: {live.redact(error.detail)}")
    return _Result(live.name, system, True, live.redact(account.summary))
