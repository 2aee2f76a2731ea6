"""What people use in the gateway's place to take webhooks, where it is installed; a benchmark installs nothing.

Each is given the same job by its own configuration: read a webhook of 1 kB, check `X-Signature: sha256=<HMAC-SHA256 of
the body>`, answer 2xx; a wrong signature gets no 2xx. What each holds when it answers differs, and stands beside its
figures.
"""

import os
import shutil
import subprocess
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from tests.bench.peers import debian_webhook, hookspool, n8n, node_red
from tests.bench.peers.server import Place

VARIABLE = "BENCH_PEERS"
"""Names the folder that the peers were installed into, as README.md says; else they are looked for on the PATH."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A program that takes webhooks."""

    name: str
    program: str
    """As the PATH knows it."""
    places: tuple[str, ...]
    """Below the folder of `BENCH_PEERS`."""
    get: str
    """How to get it, from that folder."""
    guarantee: str
    """What it holds when it answers, as its documents and its configuration here say."""
    serve: Callable[[Path, Path], AbstractContextManager[Place]]
    """Starts it, given its program and an empty folder of its own."""

    def find(self) -> Path | None:
        """Its program; None where it is not installed."""
        folder = os.environ.get(VARIABLE)
        if folder:
            installed = [Path(folder).resolve() / place for place in self.places]
            return next((path for path in installed if path.exists()), None)
        on_path = shutil.which(self.program)
        return Path(on_path) if on_path else None

    def version(self, program: Path) -> str:
        """What it says of itself."""
        flag = "-version" if self.program == "webhook" else "--version"
        said = subprocess.run([str(program), flag], capture_output=True, text=True, timeout=60, check=False).stdout
        return next((word for word in said.split() if word.lstrip("v")[:1].isdigit()), "of a version it does not tell")


PEERS = (
    Peer(
        "hookspool",
        "hookspool",
        ("hookspool/bin/hookspool",),
        "python3 -m venv hookspool && hookspool/bin/pip install hookspool",
        "in SQLite with synchronous=FULL before it answers; repeats recognised",
        hookspool.serve,
    ),
    Peer(
        "webhook",
        "webhook",
        ("usr/bin/webhook",),
        "apt-get download webhook && dpkg -x webhook_*.deb .",
        "nothing on disk: a command is started, and its outcome known to nobody",
        debian_webhook.serve,
    ),
    Peer(
        "Node-RED",
        "node-red",
        ("node-red/node_modules/.bin/node-red",),
        "npm install --prefix node-red node-red",
        "nothing on disk: the message goes through the flow in memory",
        node_red.serve,
    ),
    Peer(
        "n8n",
        "n8n",
        ("n8n/node_modules/.bin/n8n",),
        "npm install --prefix n8n n8n",
        "the execution in SQLite before it runs, as synchronous as SQLite is by default; a repeat is news",
        n8n.serve,
    ),
)
