"""Debian's webhook (adnanh/webhook): a hook that starts /bin/true, since it can only start a command."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench.parts import servers
from tests.bench.parts.signed import KEY
from tests.bench.peers.server import Place


@contextmanager
def serve(program: Path, folder: Path) -> Iterator[Place]:
    """One hook."""
    port = servers.free_port()
    signature = {
        "type": "payload-hmac-sha256",
        "secret": KEY.decode(),
        "parameter": {"source": "header", "name": "X-Signature"},
    }
    hook = {
        "id": "acme",
        "execute-command": "/bin/true",
        "http-methods": ["POST"],
        "response-message": "taken",
        "trigger-rule": {"match": signature},
        "trigger-rule-mismatch-http-response-code": 401,
    }
    hooks = folder / "hooks.json"
    hooks.write_text(json.dumps([hook]))
    command = [str(program), "-hooks", str(hooks), "-ip", "127.0.0.1", "-port", str(port)]
    with servers.process(command, port, "webhook", folder=folder):
        yield Place(port, "/hooks/acme")
