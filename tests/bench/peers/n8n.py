"""n8n: a webhook node that gives the raw body, a code node that checks the signature, and an answer by that node."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench.parts import servers
from tests.bench.parts.signed import KEY
from tests.bench.peers.server import Place

_CODE = """
const crypto = require("crypto");
const raw = await this.helpers.getBinaryDataBuffer(0, "data");
const digest = crypto.createHmac("sha256", %s).update(raw).digest("hex");
const genuine = items[0].json.headers["x-signature"] === "sha256=" + digest;
if (!genuine) throw new Error("not genuine");
return [{ json: { taken: true } }];
"""


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
        "N8N_RUNNERS_ENABLED": "false",
        "NODE_FUNCTION_ALLOW_BUILTIN": "crypto",
        "EXECUTIONS_DATA_SAVE_ON_SUCCESS": "all",
    }
    workflow = folder / "workflow.json"
    workflow.write_text(json.dumps(_workflow()))
    for arguments in (["import:workflow", f"--input={workflow}"], ["update:workflow", "--id=bench", "--active=true"]):
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
    webhook = {
        "id": "in",
        "name": "in",
        "type": "n8n-nodes-base.webhook",
        "typeVersion": 2,
        "position": [0, 0],
        "webhookId": "acme",
        "parameters": {
            "httpMethod": "POST",
            "path": "acme",
            "responseMode": "lastNode",
            "options": {"rawBody": True},
        },
    }
    check = {
        "id": "check",
        "name": "check",
        "type": "n8n-nodes-base.code",
        "typeVersion": 2,
        "position": [200, 0],
        "parameters": {"jsCode": _CODE % json.dumps(KEY.decode())},
    }
    return {
        "id": "bench",
        "name": "bench",
        "active": True,
        "nodes": [webhook, check],
        "connections": {"in": {"main": [[{"node": "check", "type": "main", "index": 0}]]}},
        "settings": {},
    }
