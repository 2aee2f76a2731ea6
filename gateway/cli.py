"""The command line. Exit codes: 0 done, 1 the work failed, 2 wrong use or wrong configuration (CONTRACT section 2).

Everything heavy is imported inside the command that needs it: `gateway --help` must be quick.
"""

import gc
import sys
from typing import Annotated, NoReturn

import typer

app = typer.Typer(
    help="The gateway between Vainu and the CRM.",
    invoke_without_command=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
secret = typer.Typer(help="API keys.")
app.add_typer(secret, name="secret")
deliveries = typer.Typer(help="What is kept: exports, webhooks, customer events, dead letters; and their replay.")
app.add_typer(deliveries, name="deliveries")
events = typer.Typer(help="Customer events, in bulk.")
app.add_typer(events, name="events")
store = typer.Typer(help="The store as a whole.")
app.add_typer(store, name="store")

_INTERRUPTED = 130
"""What typer makes of Ctrl-C; ours is 1, as section 2 knows no other."""

Config = Annotated[
    str | None,
    typer.Option("--config", metavar="FILE", help="Configuration file; else $GATEWAY_CONFIG, else ./gateway.toml."),
]


@app.callback()
def _without_command(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        _exit(2)


@app.command()
def serve(
    config: Config = None,
    host: Annotated[str | None, typer.Option(help="Instead of server.host.")] = None,
    port: Annotated[int | None, typer.Option(help="Instead of server.port.", min=0, max=65535)] = None,
    workers: Annotated[int, typer.Option(help="Processes that share the work.", min=1, max=64)] = 1,
    fd: Annotated[int | None, typer.Option(hidden=True)] = None,
    siblings_fd: Annotated[int | None, typer.Option(hidden=True)] = None,
) -> None:
    """Run the service."""
    # what is loaded now stays, and the collector would look at all of it time and again: an eighth of the start
    gc.disable()
    from gateway.commands.serving import run

    _exit(run(config, host, port, workers, fd, siblings_fd))


@app.command()
def demo(
    once: Annotated[bool, typer.Option("--once", help="Show everything, then exit: 0 if every step worked.")] = False,
) -> None:
    """Try it: simulated CRMs, a real gateway, an export, its feed, the addresses to play with."""
    from gateway.commands.demo import run

    _exit(run(once))


@app.command()
def simulate(
    port: Annotated[int, typer.Option(help="Where to listen, on loopback.", min=0, max=65535)] = 8090,
) -> None:
    """Run the upstream simulators alone, under /vainu, /apptivo, /crmcom, /aixon."""
    from gateway.commands.simulate import run

    _exit(run(port))


@app.command()
def check(
    config: Config = None,
    offline: Annotated[bool, typer.Option("--offline", help="Read the configuration only; call nobody.")] = False,
) -> None:
    """Validate the configuration, sign in to every remote system, print what to paste where."""
    from gateway.commands.check import run

    _exit(run(config, offline))


@app.command()
def feed(
    connection: Annotated[str, typer.Argument(metavar="CONNECTION")],
    unique_id: Annotated[str, typer.Argument(metavar="UNIQUE_ID")],
    as_json: Annotated[bool, typer.Option("--json", help="Exactly what Vainu would get.")] = False,
    config: Config = None,
) -> None:
    """Show a customer's activity feed as Vainu would get it, and what was left out and why."""
    from gateway.commands.feed import run

    _exit(run(config, connection, unique_id, as_json))


@app.command()
def openapi() -> None:
    """Print the gateway's OpenAPI document."""
    from gateway.openapi import document_yaml

    sys.stdout.write(document_yaml())


When = Annotated[
    str | None,
    typer.Option(metavar="WHEN", help="Kept at or after then: 2h, 3d, 2026-01-31, 2026-01-31T08:00Z, Unix time."),
]
Until = Annotated[str | None, typer.Option(metavar="WHEN", help="Kept before then.")]
States = Annotated[
    list[str] | None,
    typer.Option("--state", metavar="STATE", help="pending, running, done, dead or ignored; repeatable."),
]
OfConnection = Annotated[str | None, typer.Option("--connection", metavar="NAME", help="Of this connection.")]
OfKind = Annotated[
    str | None, typer.Option("--kind", metavar="KIND", help="Of this kind, such as export or crm_webhook.")
]

OfReason = Annotated[
    str | None, typer.Option("--reason", metavar="WORD", help="That ended, or wait, for this: timeout, refused …")
]


@app.command()
def sync(
    connection: Annotated[str, typer.Argument(metavar="CONNECTION")],
    to: Annotated[str, typer.Option(metavar="TARGET", help="vainu or aixon.")] = "vainu",
    since: Annotated[
        str | None,
        typer.Option(metavar="WHEN", help="Only customers changed since: 2h, 3d, 2026-01-31, 2026-01-31T08:00Z."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Compare and tell; change nothing.")] = False,
    delete: Annotated[bool, typer.Option("--delete", help="Delete at Vainu what the CRM has deleted.")] = False,
    full: Annotated[bool, typer.Option("--full", help="Begin anew and send every customer again.")] = False,
    report: Annotated[
        str | None, typer.Option(metavar="FILE", help="Write what became of each customer, as JSON Lines.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON, and nothing else.")] = False,
    config: Config = None,
) -> None:
    """Send the CRM's customers to Vainu's customer data, or to Aixon: those that changed; resumable."""
    from gateway.commands.sync import order_of, run

    _exit(run(config, order_of(connection, to, since, dry_run, delete, full), report, as_json))


@deliveries.command("list")
def deliveries_list(
    state: States = None,
    connection: OfConnection = None,
    kind: OfKind = None,
    reason: OfReason = None,
    since: When = None,
    until: Until = None,
    limit: Annotated[int, typer.Option(help="At most so many.", min=1, max=100_000)] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    config: Config = None,
) -> None:
    """List deliveries, newest first."""
    from gateway.commands.deliveries import filter_of, run_list

    _exit(run_list(config, filter_of(state or (), connection, kind, since, until, reason), limit, as_json))


@deliveries.command("show")
def deliveries_show(
    delivery: Annotated[str, typer.Argument(metavar="ID", help="A delivery's number, or a whk_…, exp_… or evt_… id.")],
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    config: Config = None,
) -> None:
    """Show one delivery: its attempts, the remote's answers, its payload, what to do next."""
    from gateway.commands.deliveries import run_show

    _exit(run_show(config, delivery, as_json))


@deliveries.command("replay")
def deliveries_replay(
    delivery: Annotated[
        list[str] | None, typer.Argument(metavar="[ID]...", help="Numbers, or whk_…, exp_… or evt_… ids.")
    ] = None,
    state: States = None,
    connection: OfConnection = None,
    kind: OfKind = None,
    reason: OfReason = None,
    since: When = None,
    until: Until = None,
    everything: Annotated[bool, typer.Option("--all", help="Every dead letter, or every one of --state.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count and list only.")] = False,
    config: Config = None,
) -> None:
    """Try finished deliveries again: those named, or the dead letters (or --state) that the options narrow down."""
    from gateway.commands.deliveries import filter_of, run_replay

    wanted = filter_of(state or (), connection, kind, since, until, reason)
    _exit(run_replay(config, delivery or (), wanted, everything, dry_run))


@events.command("push")
def events_push(
    connection: Annotated[str, typer.Argument(metavar="CONNECTION")],
    kind: Annotated[str, typer.Argument(metavar="KIND", help="Such as purchases or web.")],
    file: Annotated[str, typer.Argument(metavar="FILE", help="A JSON array or JSON Lines; - is stdin.")],
    report: Annotated[
        str | None, typer.Option(metavar="FILE", help="Write every row's outcome there, as JSON.")
    ] = None,
    wait: Annotated[
        float | None, typer.Option(metavar="SECONDS", help="Wait so long for the rows to be finished.", min=0)
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Push rows of this file that were pushed before.")] = False,
    config: Config = None,
) -> None:
    """Push a file of customer events to the CRM, every row checked first, and tell row by row what became of it."""
    from gateway.commands.events import push_of, run

    _exit(run(config, push_of(connection, kind, file, again, wait), report))


@app.command()
def backup(
    file: Annotated[str, typer.Argument(metavar="FILE")],
    force: Annotated[bool, typer.Option("--force", help="Overwrite FILE.")] = False,
    config: Config = None,
) -> None:
    """Copy the SQLite store to FILE while the service runs, verified."""
    from gateway.commands.backup import run_backup

    _exit(run_backup(config, file, force))


@app.command()
def restore(file: Annotated[str, typer.Argument(metavar="FILE")], config: Config = None) -> None:
    """Put a backup in the place of the SQLite store while no gateway runs; what it replaces is kept beside it."""
    from gateway.commands.backup import run_restore

    _exit(run_restore(config, file))


@store.command("copy")
def store_copy(
    to: Annotated[str, typer.Option("--to", metavar="TARGET", help="An empty database: its storage URL, or a FILE.")],
    source: Annotated[
        str | None,
        typer.Option(
            "--from", metavar="SOURCE", help="Instead of the configuration's store: its storage URL, or a FILE."
        ),
    ] = None,
    config: Config = None,
) -> None:
    """Copy a whole store to another database, SQLite or PostgreSQL, while no gateway runs on either; verified.

    SOURCE and TARGET are storage URLs, or configuration files whose storage.url is meant: no password need be typed.
    """
    from gateway.commands.store import run_copy

    _exit(run_copy(config, source, to))


@store.command("reencrypt")
def store_reencrypt(config: Config = None) -> None:
    """Seal by storage.encryption_key what is clear or sealed by an earlier key, while the service runs."""
    from gateway.commands.reencrypt import run

    _exit(run(config))


@secret.command("new")
def secret_new() -> None:
    """Print a new API key, and the form of it to store in the configuration."""
    from secrets import token_hex

    from adapters.secrets import digest

    key = token_hex(32)
    typer.echo(f"key:    {key}")
    typer.echo(f'stored: {{ sha256 = "{digest(key)}" }}')


def _exit(code: int) -> NoReturn:
    raise typer.Exit(code)


def main() -> None:
    """Run the command line; errors are one or two plain lines on stderr, never a traceback."""
    from gateway.commands.failures import plain_errors

    with plain_errors():
        code = app(prog_name="gateway", standalone_mode=False)
        if code == _INTERRUPTED:
            raise KeyboardInterrupt
        # a reader of our output who has gone is found out here, not by the interpreter at its end
        sys.stdout.flush()
        raise SystemExit(code)
