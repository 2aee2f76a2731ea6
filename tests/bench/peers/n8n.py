"""n8n (2.x): a webhook node that gives the raw body, a crypto node that makes the digest, a comparison, two answers.

With nodes of its own and no code node: those run in a process apart, and take longer.
"""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench.parts import servers
from tests.bench.parts.signed import KEY
from tests.bench.peers.server import Place

_SAME = {
    "value1": "={{ $json.headers['x-signature'] }}",
    "operation": "equal",
    "value2": "={{ 'sha256=' + $json.digest }}",
}


@contextmanager
def serve(program: Path, folder: Path) -> Iterator[Place]:
    """One active workflow, on SQLite; nothing is told to its makers."""
    port = servers.free_port()
    environ = {
        **os.environ,
        "N8N_USER_FOLDER": str(folder),
        "N8N_LISTEN_ADDRESS": "127.0.0.1",
        "N8N_HOST": "127.0.0.1",
        "N8N_PORT": str(port),
        "N8N_DIAGNOSTICS_ENABLED": "false",
        "N8N_VERSION_NOTIFICATIONS_ENABLED": "false",
        "N8N_TEMPLATES_ENABLED": "false",
        "EXECUTIONS_DATA_SAVE_ON_SUCCESS": "all",
    }
    workflow = folder / "workflow.json"
    workflow.write_text(json.dumps(_workflow()))
    for arguments in (["import:workflow", f"--input={workflow}"], ["publish:workflow", "--id=bench"]):
        subprocess.run(
            [str(program), *arguments],
            env=environ,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=180,
            check=True,
        )
    with servers.process([str(program), "start"], port, "n8n", folder=folder, environ=environ, seconds=120):
        servers.wait_for_path(port, "/webhook/acme")
        yield Place(port, "/webhook/acme")


def _workflow() -> dict[str, object]:
    nodes = [
        _node(
            "in", "webhook", 2, httpMethod="POST", path="acme", responseMode="responseNode", options={"rawBody": True}
        ),
        _node(
            "digest",
            "crypto",
            1,
            action="hmac",
            binaryData=True,
            binaryPropertyName="data",
            type="SHA256",
            secret=KEY.decode(),
            encoding="hex",
            dataPropertyName="digest",
        ),
        _node("genuine", "if", 1, conditions={"string": [_SAME]}),
        _node("taken", "respondToWebhook", 1, respondWith="noData", options={"responseCode": 202}),
        _node("refused", "respondToWebhook", 1, respondWith="noData", options={"responseCode": 401}),
    ]
    return {
        "id": "bench",
        "name": "bench",
        "active": False,
        "nodes": nodes,
        "connections": {
            "in": {"main": [[_to("digest")]]},
            "digest": {"main": [[_to("genuine")]]},
            "genuine": {"main": [[_to("taken")], [_to("refused")]]},
        },
        "settings": {},
    }


def _node(name: str, kind: str, version: int, **parameters: object) -> dict[str, object]:
    return {
        "id": name,
        "name": name,
        "type": f"n8n-nodes-base.{kind}",
        "typeVersion": version,
        "position": [0, 0],
        "webhookId": f"bench-{name}",
        "parameters": parameters,
    }


def _to(name: str) -> dict[str, object]:
    return {"node": name, "type": "main", "index": 0}
