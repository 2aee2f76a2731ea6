"""No secret is in the repository: detect-secrets over every tracked file, each exception with its reason."""

import subprocess
from collections import Counter
from pathlib import Path

import pytest
from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class
from detect_secrets.core.scan import scan_file
from detect_secrets.settings import transient_settings

ROOT = Path(__file__).parents[1]
CERTAIN = (
    "AWSKeyDetector",
    "GitHubTokenDetector",
    "GitLabTokenDetector",
    "OpenAIDetector",
    "PrivateKeyDetector",
    "PypiTokenDetector",
    "SlackDetector",
    "StripeDetector",
)
"""Detectors that know the form of a real credential. In tests, where every credential is made up and looks the part,
only these count; elsewhere those that go by names, shape and entropy, too."""
NOT_READ = {".lock", ".svg", ".woff2", ".png"}
"""Nor `openapi/`, which is written by what is read."""
MADE_UP = "credentials of a simulator, which anybody may know"
EXAMPLE = "an example in the documentation"
KNOWN = {
    "README.md": (1, EXAMPLE),
    "adapters/aixon/simulator.py": (1, MADE_UP),
    "adapters/apptivo/simulated_firm.py": (1, MADE_UP),
    "adapters/crmcom/NOTES.md": (1, "a list of names of settings"),
    "adapters/crmcom/simulator.py": (1, MADE_UP),
    "adapters/simulated_webhooks.py": (1, EXAMPLE),
    "adapters/testing/__init__.py": (2, EXAMPLE),
    "adapters/vainu/simulated_account.py": (2, MADE_UP),
    "deploy/docs/RUNBOOK.md": (1, EXAMPLE),
    "deploy/kubernetes/configuration.yaml": (1, EXAMPLE),
    "deploy/kubernetes/ingress.yaml": (1, "the name of a Kubernetes secret"),
    "deploy/kubernetes/secret.example.yaml": (1, EXAMPLE),
    "gateway/commands/demo_config.py": (3, MADE_UP),
    "gateway/openapi/operator_operations.py": (2, EXAMPLE),
    "gateway/openapi/answers.py": (1, EXAMPLE),
    "gateway/openapi/event_operations.py": (1, EXAMPLE),
    "gateway/openapi/parameters.py": (2, EXAMPLE),
    "gateway/openapi/webhook_operations.py": (1, EXAMPLE),
}
"""How many findings a file may have, and why."""


def tracked() -> list[str]:
    """Every file of the repository that is text of ours."""
    listed = subprocess.run(
        ["git", "ls-files"],  # noqa: S607 - git is where the developer has it
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    names = [name for name in listed.stdout.splitlines() if not name.startswith("openapi/")]
    return [name for name in names if Path(name).suffix not in NOT_READ]


@pytest.mark.timeout(180)
def test_no_secret_is_in_the_repository() -> None:
    """Whatever looks like a secret is one of the exceptions above; a new one is a finding until it has its reason."""
    plugins = [plugin.__name__ for plugin in get_mapping_from_secret_type_to_class().values()]
    found: Counter[str] = Counter()
    lines: list[str] = []
    for names, wanted in (
        ([name for name in tracked() if not name.startswith("tests/")], plugins),
        ([name for name in tracked() if name.startswith("tests/")], CERTAIN),
    ):
        # without the filters that ask the services themselves whether a secret works
        with transient_settings({"plugins_used": [{"name": name} for name in wanted]}):
            for name in names:
                for secret in scan_file(str(ROOT / name)):
                    found[name] += 1
                    lines.append(f"{name}:{secret.line_number}: {secret.type}")
    allowed = {name: number for name, (number, _why) in KNOWN.items()}
    assert dict(found) == allowed, "\n".join(line for line in lines if line.partition(":")[0] not in allowed)
