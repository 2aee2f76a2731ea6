"""Node-RED: an HTTP node that gives the raw body, a function node that checks the signature, an answer."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench.parts import servers
from tests.bench.parts.signed import KEY
from tests.bench.peers.server import Place

_SETTINGS = """
module.exports = {
  uiHost: "127.0.0.1",
  uiPort: %d,
  flowFile: "flows.json",
  httpAdminRoot: false,
  functionGlobalContext: { crypto: require("crypto") },
  logging: { console: { level: "off", metrics: false, audit: false } },
  telemetry: { enabled: false, updateNotification: false },
};
"""
_FUNCTION = """
const digest = global.get("crypto").createHmac("sha256", %s).update(msg.payload).digest("hex");
const expected = Buffer.from("sha256=" + digest);
const given = Buffer.from(msg.req.headers["x-signature"] || "");
const genuine = given.length === expected.length && global.get("crypto").timingSafeEqual(given, expected);
msg.statusCode = genuine ? 202 : 401;
msg.event = genuine ? JSON.parse(msg.payload) : null;
msg.payload = { taken: genuine };
return msg;
"""


@contextmanager
def serve(program: Path, folder: Path) -> Iterator[Place]:
    """One flow of three nodes."""
    port = servers.free_port()
    (folder / "settings.js").write_text(_SETTINGS % port)
    (folder / "flows.json").write_text(json.dumps(_flow()))
    command = [str(program), "--userDir", str(folder), "--settings", str(folder / "settings.js")]
    with servers.process(command, port, "Node-RED", folder=folder, seconds=60):
        servers.wait_for_path(port, "/hooks/acme")
        yield Place(port, "/hooks/acme")


def _flow() -> list[dict[str, object]]:
    place = {"z": "flow", "x": 100, "y": 100}
    return [
        {"id": "flow", "type": "tab", "label": "bench", "disabled": False},
        {
            "id": "in", "type": "http in", "url": "/hooks/acme", "method": "post", "skipBodyParsing": True,
            "wires": [["check"]], **place,
        },
        {
            "id": "check", "type": "function", "func": _FUNCTION % json.dumps(KEY.decode()), "outputs": 1,
            "wires": [["out"]], **place,
        },
        {"id": "out", "type": "http response", "wires": [], **place},
    ]  # fmt: skip
