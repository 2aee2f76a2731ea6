"""A start is quick and small because it loads what every gateway needs, and nothing else."""

import subprocess
import sys

SPARED = {
    "alembic": "a store that is up to date",
    "authlib": "no sign-in by an identity provider",
    "cryptography": "no JWT, and no key to seal by",
    "jinja2": "nobody has asked for a page",
    "joserfc": "no JWT",
    "pygments": "no command that prints",
    "rich": "no command that prints",
    "watchfiles": "no reloader",
    "yaml": "nobody has asked for the contract",
}
"""Package → where it is not needed."""
_LOADED = "import sys, gateway.commands.serving; print(*{name.partition('.')[0] for name in sys.modules})"


def test_what_few_gateways_need_is_not_loaded_with_the_service() -> None:
    """What the service begins with holds none of what takes memory and time for a few."""
    said = subprocess.run([sys.executable, "-c", _LOADED], capture_output=True, text=True, check=True)
    loaded = set(said.stdout.split())
    assert "sqlalchemy" in loaded, "the service is loaded"
    assert loaded & SPARED.keys() == set()
