"""The command line. Exit codes: 0 done, 1 the work failed, 2 wrong use or wrong configuration (CONTRACT section 2).

Everything heavy is imported inside the command that needs it: `gateway --help` must be quick.
"""

import sys
from typing import Annotated, NoReturn

import typer

app = typer.Typer(
    help="The gateway between Vainu and the CRM.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
secret = typer.Typer(help="API keys.", no_args_is_help=True)
app.add_typer(secret, name="secret")

Config = Annotated[
    str | None,
    typer.Option("--config", metavar="FILE", help="Configuration file; else $GATEWAY_CONFIG, else ./gateway.toml."),
]


@app.command()
def serve(
    config: Config = None,
    host: Annotated[str | None, typer.Option(help="Instead of server.host.")] = None,
    port: Annotated[int | None, typer.Option(help="Instead of server.port.", min=0, max=65535)] = None,
    workers: Annotated[int, typer.Option(help="Processes that share the work.", min=1, max=64)] = 1,
    fd: Annotated[int | None, typer.Option(hidden=True)] = None,
) -> None:
    """Run the service."""
    from gateway.commands.serving import run

    _exit(run(config, host, port, workers, fd))


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
        app()
