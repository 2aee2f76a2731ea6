"""`gateway demo`: simulated upstream systems, a real gateway process, and the data's way through both CRMs, shown."""

import asyncio
import contextlib
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.text import Text

from adapters.serving import serving
from adapters.vainu.pusher import Answer, fetch_feed, push_export
from adapters.vainu.samples import SampleCompany, samples
from gateway.commands.demo_config import (
    API_KEY,
    CONNECTIONS,
    OPERATOR_TOKEN,
    WEBHOOK_CONNECTION,
    WEBHOOK_SECRET,
    configuration,
)
from gateway.commands.failures import WorkFailed
from gateway.commands.feed_table import print_feed
from gateway.commands.output import console
from gateway.serve import bind
from gateway.simulators import describe, simulators

_READY_SECONDS = 20.0


class Steps:
    """Prints each step with its outcome, and remembers whether all worked."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.all_worked = True

    def show(self, worked: bool, text: str) -> None:
        """Print one step with its outcome."""
        self.all_worked &= worked
        mark = Text("✓ ", "green") if worked else Text("✗ ", "bold red")
        self.console.print(Text.assemble(mark, text), soft_wrap=True)


def run(once: bool) -> int:
    """Show it all; with `once` exit then, else keep everything running to be played with."""
    # told to stop, stop the gateway that we started too
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    shown = console()
    steps = Steps(shown)
    with tempfile.TemporaryDirectory(prefix="gateway-demo-") as folder, serving(simulators()) as upstream:
        config = Path(folder) / "gateway.toml"
        config.write_text(configuration(upstream, Path(folder)), encoding="utf-8")
        with _gateway(config) as address:
            steps.show(True, f"simulators of Vainu, Apptivo, CRM.COM and Aixon at {upstream}; a gateway at {address}")
            steps.show(True, f"the console at {address}/console/; sign in with the token {OPERATOR_TOKEN}")
            asyncio.run(show(steps, address, upstream))
            if steps.all_worked and not once:
                _invite(shown, address, upstream, config)
                _wait()
    return 0 if steps.all_worked else 1


@contextlib.contextmanager
def _gateway(config: Path) -> Iterator[str]:
    """A gateway process on a free port; its address."""
    listening = bind("127.0.0.1", 0)
    address = f"http://127.0.0.1:{listening.getsockname()[1]}"
    log = config.with_name("gateway.log")
    command = [sys.executable, "-m", "gateway", "serve", "--config", str(config), "--fd", str(listening.fileno())]
    with log.open("wb") as output:
        process = subprocess.Popen(command, pass_fds=(listening.fileno(),), stderr=output)  # noqa: S603 - our own program
    listening.close()
    try:
        _wait_until_ready(process, address, log)
        yield address
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()


def _wait_until_ready(process: "subprocess.Popen[bytes]", address: str, log: Path) -> None:
    give_up = time.monotonic() + _READY_SECONDS
    while time.monotonic() < give_up and process.poll() is None:
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(f"{address}/health/ready", trust_env=False, timeout=2).status_code == 200:
                return
        time.sleep(0.05)
    said = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    raise WorkFailed("the gateway did not become ready" + (f"; it last said: {said[-1]}" if said else ""))


async def show(steps: Steps, address: str, upstream: str) -> None:
    """Send a company through each CRM of a gateway that runs with the demo's configuration, and a change back."""
    company = samples()["samlink"]
    for connection, title in CONNECTIONS.items():
        steps.console.print()
        unique_id = await _show_connection(steps, f"{address}/vainu/{connection}", title, company)
        if connection == WEBHOOK_CONNECTION:
            steps.console.print()
            await _show_webhook(steps, f"{address}/crm/{connection}/webhooks", upstream, unique_id)


async def _show_webhook(steps: Steps, url: str, upstream: str, unique_id: str) -> None:
    """A deal is won in the CRM: its signed webhook, and what Vainu's customer data says then."""
    change = {"customer": unique_id, "deals": {"won": 1}, "url": url, "secret": WEBHOOK_SECRET}
    async with httpx.AsyncClient(base_url=upstream, trust_env=False, timeout=10) as simulated:
        answer = (await simulated.post("/apptivo/_webhook", json=change)).json()
        told = f"{answer.get('status')}, {answer.get('answer')}"
        steps.show(answer.get("status") == 202, f"a deal is won in Apptivo, which posts a signed webhook: {told}")
        row = await _customer_data_of(simulated, unique_id)
    deals = f"{row.get('won_deals_count')} won, {row.get('open_deals_count')} open, {row.get('lost_deals_count')} lost"
    steps.show(bool(row), f"Vainu's customer data of {unique_id} is up to date: {deals}")


async def _customer_data_of(simulated: httpx.AsyncClient, unique_id: str) -> dict[str, Any]:
    """The row of the simulated Vainu, once the gateway's worker has brought it; {} if it does not come."""
    give_up = time.monotonic() + _READY_SECONDS
    while time.monotonic() < give_up:
        rows = (await simulated.get("/vainu/_records")).json()["customer_data"]
        found = [row for row in rows if row.get("unique_id") == unique_id]
        if found:
            return dict(found[0])
        await asyncio.sleep(0.05)
    return {}


async def _show_connection(steps: Steps, base: str, title: str, company: SampleCompany) -> str:
    name = company.prospect["company_name"]
    first = await push_export(f"{base}/exports", company.push_body(), api_key=API_KEY)
    unique_id = first.body.get("unique_id", "") if isinstance(first.body, dict) else ""
    steps.show(first.status == 201, f"Vainu pushes {name}; {title} has a new customer: {_told(first)}")
    again = await push_export(f"{base}/exports", company.push_body(), api_key=API_KEY)
    same = isinstance(again.body, dict) and again.body.get("unique_id") == unique_id
    steps.show(again.status == 200 and same, f"pushed again, it is updated, not doubled: {_told(again)}")
    feed = await fetch_feed(f"{base}/activities/{{}}", unique_id, api_key=API_KEY)
    events = feed.body if isinstance(feed.body, list) else []
    steps.show(
        feed.status == 200 and bool(events), f"its activity feed from {title}: {len(events)} events, {_ms(feed)}"
    )
    print_feed(steps.console, events, "")
    return unique_id


def _told(answer: Answer) -> str:
    body = answer.body if isinstance(answer.body, dict) else {}
    told = f"unique_id {body.get('unique_id')}, {body.get('status')}" if body.get("unique_id") else str(answer.body)
    return f"{answer.status}, {told}, {_ms(answer)}"


def _ms(answer: Answer) -> str:
    return f"{answer.seconds * 1000:.0f} ms"


def _invite(console: Console, address: str, upstream: str, config: Path) -> None:
    first = next(iter(CONNECTIONS))
    console.print(
        f"\nTry it yourself; everything here is made up, in {config.parent}, and gone when you press Ctrl-C:\n\n"
        f"  curl -H 'API-Key: {API_KEY}' -H 'Content-Type: application/json' \\\n"
        f'       -d \'{{"company_name": "My Company Oy", "country": "FI"}}\' {address}/vainu/{first}/exports\n'
        f"  curl -H 'API-Key: {API_KEY}' {address}/vainu/{first}/activities/UNIQUE_ID\n"
        f"  curl {address}/health/ready\n"
        f"  curl -H 'Authorization: Bearer {OPERATOR_TOKEN}' {address}/metrics\n"
        f"  the API, readable: {address}/docs\n"
        f"  the console: {address}/console/, sign in with the token {OPERATOR_TOKEN}\n"
        f"  gateway feed {first} UNIQUE_ID --config {config}\n"
        f"  gateway check --config {config}\n\n{describe(upstream)}",
        soft_wrap=True,
        markup=False,
    )


def _wait() -> None:
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            time.sleep(3600)
