"""`gateway check`: validates, signs in to every remote system read-only, and prints what to paste where."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table
from rich.text import Text

from adapters import registry
from adapters.aixon.client import AixonClient
from adapters.contract import Account, RemoteError
from adapters.deadline import Deadline
from gateway import logs
from gateway.commands.configuration import load_settings
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
    console = Console(highlight=False, soft_wrap=True)
    count = len(settings.connections)
    console.print(f"configuration  [green]ok[/]  {path}: {count} connection{'' if count == 1 else 's'}")
    results = [] if offline else asyncio.run(_sign_in_everywhere(settings))
    for result in results:
        word = Text("ok", "green") if result.ok else Text("FAILED", "bold red")
        console.print(Text.assemble(f"{result.connection}  {result.system}  ", word, f"  {result.line}"))
    for connection in settings.connections.values():
        _print_guide(console, settings, connection)
    return 0 if all(result.ok for result in results) else 1


async def _sign_in_everywhere(settings: Settings) -> list[_Result]:
    found = await asyncio.gather(*(_sign_in(each) for each in settings.connections.values()))
    return [result for results in found for result in results]


async def _sign_in(settings: ConnectionSettings) -> list[_Result]:
    live = open_connection(settings)
    try:
        checks: list[tuple[str, Callable[[Deadline], Awaitable[Account]]]] = [(settings.crm, live.adapter.check)]
        if live.vainu is not None:
            checks.append(("vainu", live.vainu.check))
        aixon = AixonClient(settings.aixon) if settings.aixon is not None else None
        if aixon is not None:
            checks.append(("aixon", aixon.check))
        results = await asyncio.gather(*(_checked(live, system, check) for system, check in checks))
        if aixon is not None:
            await aixon.aclose()
        return results
    finally:
        await live.close()


async def _checked(live: LiveConnection, system: str, check: Callable[[Deadline], Awaitable[Account]]) -> _Result:
    try:
        account = await check(Deadline.after(_SECONDS))
    except RemoteError as error:
        return _Result(live.name, system, False, f"{error.reason}: {live.redact(error.detail)}")
    return _Result(live.name, system, True, live.redact(account.summary))


def _print_guide(console: Console, settings: Settings, connection: ConnectionSettings) -> None:
    base, name = settings.public_url, connection.name
    title = registry.spec(connection.crm).title or connection.crm
    table = Table(title=f"\n{name}: into Vainu, Settings > Integrations > Customer API Configuration", box=None)
    table.title_justify, table.show_header = "left", False
    rows = [
        ("Endpoint name", f"{title} ({name})"),
        ("Endpoint URL", f"{base}/vainu/{name}/exports"),
        ("Create Customer Data entity", "on"),
        ("Wait for API response", "on"),
        ("Response timeout", f"3 s (the gateway answers within {connection.export.budget_ms / 1000:g} s)"),
        ("Activity Feed URL", f"{base}/vainu/{name}/activities/{{}}"),
        ("Fetch activity feed", "on"),
        ("Base URL for links", f"{base}/vainu/{name}/records/{{}}"),
        ("Authentication", _credentials(connection)),
    ]
    for label, value in rows:
        table.add_row(Text(label), Text(value))
    console.print(table)
    console.print(Text(f"\n{name}: into {title}'s webhook settings, where it has them"))
    console.print(Text(f"  URL  {base}/crm/{name}/webhooks"))


def _credentials(connection: ConnectionSettings) -> str:
    """Which kinds of credentials admit; never a credential."""
    auth = connection.auth
    kinds = [
        ("header API-Key", bool(auth.api_keys)),
        (f"Basic, user {', '.join(each.username for each in auth.basic)}", bool(auth.basic)),
        ("Bearer, a JWT", auth.jwt is not None),
        ("?token=… in the address", bool(auth.url_tokens)),
    ]
    return " or ".join(kind for kind, there in kinds if there)
