"""`gateway secret new`: a key for the caller, and what to store of it."""

import re
from pathlib import Path

from adapters.secrets import digest
from tests.harness import KEY, Upstream, configuration, run_command, running_gateway


def test_the_stored_form_admits_the_key(upstream: Upstream, tmp_path: Path) -> None:
    """The key is printed with its hash; a gateway that holds the hash admits the key, and nothing else."""
    ended = run_command("secret", "new")
    assert (ended.returncode, ended.stderr) == (0, "")
    key, stored = re.findall(r"\b[0-9a-f]{64}\b", ended.stdout)
    assert digest(key) == stored
    assert f'{{ sha256 = "{stored}" }}' in ended.stdout
    document = configuration(upstream.url, tmp_path, connections={"acme": {"auth": {"api_keys": [{"sha256": stored}]}}})
    with running_gateway(document) as gateway:
        answers = {
            candidate: gateway.feed("acme", "none", headers={"API-Key": candidate}).status_code
            for candidate in (key, stored, KEY)
        }
    assert {key: 404, stored: 401, KEY: 401} == answers


def test_every_key_is_new() -> None:
    """Two keys are never the same."""
    assert run_command("secret", "new").stdout != run_command("secret", "new").stdout
