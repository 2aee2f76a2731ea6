"""hookspool's intake, with its generic bobbin for signed JSON; without its dispatcher, so that it does nothing else."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench.parts import load, servers
from tests.bench.parts.signed import KEY
from tests.bench.peers.server import Place

_CONFIG = """
[intake]
listen = "127.0.0.1:{port}"
# a thread serves a connection as long as it is kept: fewer would keep callers waiting for ever
threads = {threads}

[limits]
min_free_bytes = 1000000

[destinations."script:nothing"]
argv = ["/bin/true"]

[bobbins.acme]
bobbin = "hookspool.webhook"
secrets.secret = {{ file = "{secret}" }}
outputs = {{ "*" = "script:nothing" }}

[bobbins.acme.settings]
scheme = "hmac-sha256-hex"
header = "X-Signature"
prefix = "sha256="
key = ["customerId"]
dedup = "header:X-Delivery"
"""


@contextmanager
def serve(program: Path, folder: Path) -> Iterator[Place]:
    """The intake, on a fresh spool."""
    secret, port = folder / "secret", servers.free_port()
    secret.write_bytes(KEY)
    secret.chmod(0o600)
    (folder / "config.toml").write_text(_CONFIG.format(port=port, threads=2 * load.CALLERS, secret=secret))
    command = [str(program), "--home", str(folder)]
    environ = {**os.environ, "HOOKSPOOL_ALERT_DRY": "1"}
    subprocess.run([*command, "migrate"], env=environ, stdout=subprocess.DEVNULL, timeout=60, check=True)
    with servers.process([*command, "intake"], port, "hookspool", folder=folder, environ=environ):
        yield Place(port, "/hooks/acme")
