"""The repository's shape: arrows one way, SQL in one place, vendor folders alike, files short, nothing private."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = sorted([*ROOT.glob("gateway/**/*.py"), *ROOT.glob("adapters/**/*.py")])
VENDORS = sorted(path.parent for path in ROOT.glob("adapters/*/models.py"))
MAX_LINES = 400
STATEMENTS = {"select", "insert", "update", "delete", "text", "table", "literal_column"}
# in parts, so that this file does not hold what it looks for; a word in quotes is somebody else's
LEFT_FOR_LATER = re.compile(r"(?<![\"`])\b(?:TO" + r"DO|FIX" + r"ME|XX" + r"X|HA" + r"CK)\b")
PRIVATE = {
    "a path of somebody's machine": re.compile(r"(?<![\w.:/-])/(?:home|root|Users|work|tm" + r"p)/[\w.-]+"),
    "a package registry's host": re.compile(r"py" + r"pi\.org|python" + r"hosted|artifact" + r"ory|index-url[ =]+http"),
    "a private address": re.compile(
        r"(?<![\d.])(?:10(?:\.\d+){3}|192\.168(?:\.\d+){2}|172\.(?:1[6-9]|2\d|3[01])(?:\.\d+){2})(?![\d.])"
    ),
}
DOCUMENTED_NETWORKS = ("10.0.0.0/8", "192.168.0.0/16", "172.16.0.0/12")
"""Written for what they are: ranges of RFC 1918, in settings and their tests."""
ABOUT_ADDRESSES = (
    "tests/gateway/test_addresses.py",
    "tests/gateway/settings/test_faults.py",
    "tests/adapters/test_reach.py",
)
"""Tests of reading addresses, which are made up."""


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


def tracked() -> list[Path]:
    """The files that belong to the repository, whether or not they are committed yet."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],  # noqa: S607 - git is on the path of a developer
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [path for name in listed.stdout.splitlines() if (path := ROOT / name).is_file()]


def text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


def imports(path: Path) -> Iterator[tuple[str, set[str]]]:
    """Every import of a module: the module, and the names that are taken out of it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, set()) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{relative(path)}: imports are absolute"
            yield node.module or "", {alias.name for alias in node.names}


def imported(path: Path) -> set[str]:
    """The modules that a module imports, the ones taken by name too."""
    return {name for module, names in imports(path) for name in (module, *(f"{module}.{part}" for part in names))}


@pytest.mark.parametrize("path", [path for path in SOURCES if "adapters" in path.parts], ids=relative)
def test_adapters_do_not_know_the_gateway(path: Path) -> None:
    """No module of adapters/ imports gateway/ or the tests."""
    assert {name for name in imported(path) if name.split(".")[0] in ("gateway", "tests")} == set()


def test_the_gateway_does_not_know_the_tests() -> None:
    """No module of gateway/ imports the tests."""
    found = {relative(path) for path in SOURCES if any(name.split(".")[0] == "tests" for name in imported(path))}
    assert found == set()


@pytest.mark.parametrize("vendor", VENDORS, ids=relative)
def test_vendors_do_not_know_each_other(vendor: Path) -> None:
    """No module of one vendor's folder imports from another's."""
    others = {f"adapters.{other.name}" for other in VENDORS} - {f"adapters.{vendor.name}"}
    found = {
        (relative(path), name)
        for path in vendor.rglob("*.py")
        for name in imported(path)
        if ".".join(name.split(".")[:2]) in others
    }
    assert found == set()


def test_shared_parts_do_not_know_the_vendors() -> None:
    """What all adapters share imports no vendor; only the registry names them, as text."""
    vendors = {f"adapters.{vendor.name}" for vendor in VENDORS}
    shared = [path for path in SOURCES if "adapters" in path.parts and path.parent not in VENDORS]
    found = {
        (relative(path), name) for path in shared for name in imported(path) if ".".join(name.split(".")[:2]) in vendors
    }
    assert found == set()


def test_only_the_composition_knows_a_vendor_by_name() -> None:
    """In gateway/, a CRM's folder is imported where simulators are put together and demonstrated, and nowhere else.

    Vainu and Aixon are no CRMs behind a protocol: the gateway speaks to their clients.
    """
    found = {
        relative(path)
        for path in SOURCES
        if "gateway" in path.parts
        for name in imported(path)
        if ".".join(name.split(".")[:2]) in ("adapters.apptivo", "adapters.crmcom")
    }
    assert found <= {"gateway/simulators.py", "gateway/commands/demo.py", "gateway/commands/demo_config.py"}


def test_sql_is_in_the_store() -> None:
    """Statements are built in gateway/store/ only; elsewhere at most the types and errors of SQLAlchemy appear."""
    found = {
        (relative(path), name)
        for path in SOURCES
        if "store" not in path.relative_to(ROOT).parts
        for module, names in imports(path)
        for name in names
        if module.split(".")[0] in ("sqlalchemy", "alembic") and name in STATEMENTS
    }
    assert found == set()
    raw = re.compile(r"\b(?:SELECT .+ FROM|INSERT INTO|UPDATE \w+ SET|DELETE FROM|CREATE TABLE)\b")
    assert {relative(path) for path in SOURCES if "store" not in path.parts and raw.search(text_of(path))} == set()


@pytest.mark.parametrize("vendor", VENDORS, ids=relative)
def test_vendor_folders_are_alike(vendor: Path) -> None:
    """A vendor's folder has its notes, its settings, its simulator, and its calls, each under the same name."""
    names = {path.name for path in vendor.iterdir()}
    assert {"__init__.py", "NOTES.md", "models.py", "simulator.py"} <= names
    assert {"client.py", "adapter.py"} & names


@pytest.mark.parametrize("vendor", [path for path in VENDORS if (path / "adapter.py").exists()], ids=relative)
def test_crm_folders_are_alike(vendor: Path) -> None:
    """A CRM's folder also has the adapter over its client, and its field table."""
    assert {"adapter.py", "client.py", "mapping.py"} <= {path.name for path in vendor.iterdir()}


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_files_are_short(path: Path) -> None:
    """No file of gateway/ or adapters/ has more than 400 lines."""
    assert len(text_of(path).splitlines()) <= MAX_LINES


def test_nothing_private_is_in_the_repository() -> None:
    """No tracked file holds a machine's path, a package registry's host or a private address."""
    found = []
    for path in tracked():
        text = text_of(path)
        for network in DOCUMENTED_NETWORKS:
            text = text.replace(network, "")
        for what, pattern in PRIVATE.items():
            if what != "a private address" or relative(path) not in ABOUT_ADDRESSES:
                found += [f"{relative(path)}: {what}: {match[0]}" for match in pattern.finditer(text)]
    assert found == []


def test_every_exception_of_the_checks_carries_its_reason() -> None:
    """Each `noqa` and `type: ignore` names the rule, and says why, on its line."""
    rule = re.compile(r"#\s*(?:ruff:\s*)?(?:no" + r"qa|type:\s*ign" + r"ore)\b(.*)")
    reasoned = re.compile(r"(?:: ?[A-Z]+\d+(?:, ?[A-Z]+\d+)* +-+ *\w.{3,}|\[[a-z, -]+\] *# *\w.{3,})")
    found = [
        f"{relative(path)}:{number}"
        for path in tracked()
        if path.suffix == ".py"
        for number, line in enumerate(text_of(path).splitlines(), 1)
        if (match := rule.search(line)) and not reasoned.match(match[1])
    ]
    assert found == []


def test_nothing_is_left_for_later() -> None:
    """No tracked file holds a note of work that somebody means to do."""
    found = [
        f"{relative(path)}: {match[0]}"
        for path in tracked()
        if path.suffix in (".py", ".md", ".toml", ".html", ".css", ".js", ".yaml")
        for match in LEFT_FOR_LATER.finditer(text_of(path))
    ]
    assert found == []


def test_names_say_what_is_in_a_file() -> None:
    """No module is named after the fact that its things had no better place."""
    vague = {"utils", "util", "helpers", "helper", "common", "misc", "manager"}
    assert {relative(path) for path in tracked() if path.suffix == ".py" and path.stem in vague} == set()
