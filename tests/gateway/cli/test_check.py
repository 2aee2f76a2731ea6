"""`gateway check`: signs in everywhere, read-only, and prints what to paste where."""

from pathlib import Path
from typing import Any

import pytest

from adapters.aixon.simulator import FAKE_API_KEY as AIXON_KEY
from tests.harness import Upstream, configuration, running_upstream, toml


def _check(command: Any, document: dict[str, Any], folder: Path, *options: str) -> tuple[int, list[str], str]:
    config = folder / "gateway.toml"
    config.write_text(toml(document), encoding="utf-8")
    ended = command("check", "--config", str(config), *options)
    return ended.returncode, ended.stdout.splitlines(), ended.stderr


def _standing(lines: list[str]) -> dict[str, str]:
    """What was checked → ok or FAILED."""
    table = lines[: lines.index("")]
    return {" ".join(line.split()[:2]): "FAILED" if " FAILED " in line else "ok" for line in table[1:]}


def test_everything_is_well(command: Any, upstream: Upstream, tmp_path: Path) -> None:
    """One line each, exit 0; every call only read."""
    aixon = {"base_url": f"{upstream.url}/aixon", "api_key": AIXON_KEY}
    document = configuration(upstream.url, tmp_path, connections={"acme": {"aixon": aixon}})
    records = {system: upstream.records(system) for system in ("apptivo", "vainu", "aixon")}
    code, lines, errors = _check(command, document, tmp_path)
    assert (code, errors) == (0, "")
    assert lines[0].startswith("configuration ")
    assert _standing(lines) == {"acme apptivo": "ok", "acme vainu": "ok", "acme aixon": "ok", "globex crmcom": "ok"}
    for system in ("apptivo", "vainu", "crmcom", "aixon"):
        assert upstream.calls(system)
    assert records == {system: upstream.records(system) for system in records}


def test_offline_calls_nobody(command: Any, upstream: Upstream, tmp_path: Path) -> None:
    """The configuration is read and the guide printed; no simulator hears of it."""
    code, lines, _errors = _check(command, configuration(upstream.url, tmp_path), tmp_path, "--offline")
    assert code == 0
    assert any("Endpoint URL" in line for line in lines)
    assert [upstream.calls(system) for system in ("apptivo", "vainu", "crmcom", "aixon")] == [[], [], [], []]


def test_wrong_keys(command: Any, upstream: Upstream, tmp_path: Path) -> None:
    """Each that does not sign in is FAILED with its reason, exit 1; the others are checked all the same."""
    document = configuration(
        upstream.url,
        tmp_path,
        connections={
            "acme": {
                "apptivo": {"api_key": "wrong-apptivo-key"},
                "vainu": {"api_key": "wrong-vainu-key"},
                "aixon": {"base_url": f"{upstream.url}/aixon", "api_key": "wrong-aixon-key"},
            }
        },
    )
    code, lines, errors = _check(command, document, tmp_path)
    assert (code, errors) == (1, "")
    standing = _standing(lines)
    assert standing.pop("globex crmcom") == "ok"
    assert standing == {"acme apptivo": "FAILED", "acme vainu": "FAILED", "acme aixon": "FAILED"}
    assert sum("credentials: " in line for line in lines) == 3
    assert not any("wrong-" in line for line in lines)


def test_a_crm_that_is_down(command: Any, tmp_path: Path) -> None:
    """Nobody listening is FAILED, too, and no traceback."""
    with running_upstream() as upstream:
        document = configuration(upstream.url, tmp_path)
    code, lines, errors = _check(command, document, tmp_path)
    assert (code, errors) == (1, "")
    assert {"FAILED"} == set(_standing(lines).values())
    assert sum("unreachable: " in line for line in lines) == 3


@pytest.mark.parametrize("fault", ["html", "empty", "nonsense", "500", "cut", "drop"])
def test_a_crm_that_answers_nonsense(command: Any, upstream: Upstream, tmp_path: Path, fault: str) -> None:
    """Whatever a CRM answers, it is one FAILED line."""
    for system in ("apptivo", "crmcom", "vainu"):
        upstream.fault(system, fault)
    code, lines, errors = _check(command, configuration(upstream.url, tmp_path), tmp_path)
    assert (code, errors) == (1, "")
    assert {"FAILED"} == set(_standing(lines).values())


def test_what_to_paste(command: Any, upstream: Upstream, tmp_path: Path) -> None:
    """The values for Vainu's page and the CRM's, whole on their lines, and no secret among them."""
    long = "https://" + "gateway." * 20 + "example.com"
    document = configuration(
        upstream.url,
        tmp_path,
        server={"public_url": long},
        connections={
            "acme": {
                "auth": {"basic": [{"username": "vainu", "password": "planted-1"}], "url_tokens": ["planted-2"]},
                "webhooks": {"hmac": [{"secret": "planted-3"}], "url_tokens": ["planted-4"]},
                "export": {"budget_ms": 2000},
            }
        },
    )
    code, lines, _errors = _check(command, document, tmp_path, "--offline")
    assert code == 0
    guide = {line[2:29].rstrip(): line[31:] for line in lines if line.startswith("  ")}
    text = "\n".join(lines)
    for value in (
        f"{long}/vainu/acme/exports",
        f"{long}/vainu/acme/activities/{{}}",
        f"{long}/vainu/acme/records/{{}}",
        f"{long}/vainu/acme/webhooks",
        f"{long}/crm/acme/webhooks",
        f"{long}/vainu/globex/activities/{{}}",
        f"{long}/crm/globex/webhooks",
    ):
        assert f"  {value}\n" in text
    assert {"Endpoint name", "Endpoint URL", "Activity Feed URL", "Base URL for links", "Webhook URL"} <= set(guide)
    assert "tick" == guide["Create Customer Data entity"] == guide["Wait for API response"]
    assert guide["Fetch activity feed"] == "tick"
    assert "3 s (the gateway answers within 2 s)" in text
    assert "header API-Key or Basic, user vainu or ?token=… at the end of the addresses" in text
    assert "a Standard Webhooks signature or ?token=… at the end of the address" in text
    assert text.count("leads nowhere until record_url is set in [connections.globex.crmcom]") == 1
    assert text.count("leads nowhere") == 1
    assert "planted" not in text
    assert "server.public_url is not set" not in text


def test_without_a_public_address(command: Any, upstream: Upstream, tmp_path: Path) -> None:
    """Addresses that only this machine reaches are printed with a warning."""
    _code, lines, _errors = _check(command, configuration(upstream.url, tmp_path), tmp_path, "--offline")
    assert lines[-1] == "server.public_url is not set: these addresses are good on this machine only"
    assert any(line.endswith("http://127.0.0.1:8080/vainu/acme/exports") for line in lines)


def test_files_that_everybody_may_read_are_told(config: Path, tmp_path: Path, command: Any) -> None:
    """A configuration that holds secrets, or a store, that others may read is a warning, not a failure."""
    store = tmp_path / "gateway.db"
    store.touch(0o644)
    config.chmod(0o644)
    warned = command("check", "--offline", "--config", str(config))
    config.chmod(0o600)
    store.chmod(0o640)
    silent = command("check", "--offline", "--config", str(config))
    assert (warned.returncode, silent.returncode) == (0, 0)
    assert f"chmod 600 {config}" in warned.stdout
    assert f"chmod 600 {store}*" in warned.stdout
    assert "chmod" not in silent.stdout


def test_a_readable_file_without_secrets_is_fine(config: Path, command: Any) -> None:
    """Where every secret comes from the environment, a file, or is a digest, the configuration may be read."""
    config.write_text('[operator]\ntokens = [{ sha256 = "' + "ab" * 32 + '" }]\n', encoding="utf-8")
    config.chmod(0o644)
    assert "chmod" not in command("check", "--offline", "--config", str(config)).stdout


def test_a_name_that_leads_inside_is_told_for_every_system(command: Any, upstream: Upstream, tmp_path: Path) -> None:
    """Any remote system whose name leads to a private address is not called, and its line says what to set."""
    # the C library resolves it to 127.0.0.1 as it would a name
    inside = {"base_url": "https://0x7f000001:9/crmapi/rest/v2"}
    changes = {"apptivo": inside, "vainu": inside, "aixon": {**inside, "api_key": AIXON_KEY}}
    document = configuration(upstream.url, tmp_path, connections={"acme": changes, "globex": {"crmcom": inside}})
    code, lines, _errors = _check(command, document, tmp_path)
    refused = [line for line in lines if "private address: set allow_private = true" in line]
    assert code == 1
    assert {" ".join(line.split()[:2]) for line in refused} == {
        "acme apptivo", "acme vainu", "acme aixon", "globex crmcom",
    }  # fmt: skip


def test_tls_of_every_system_is_set_beside_its_address(command: Any, upstream: Upstream, tmp_path: Path) -> None:
    """A ca_file that cannot be used is a fault of the configuration with its path, before anything is called."""
    tls = {"tls": {"ca_file": "/nowhere/ca.pem"}}
    changes = {"apptivo": tls, "vainu": tls, "auth": {"jwt": {
        "issuer": "https://idp.example.com", "audience": "a", "jwks_url": "https://idp.example.com/jwks", **tls,
    }}}  # fmt: skip
    code, _lines, errors = _check(
        command, configuration(upstream.url, tmp_path, connections={"acme": changes}), tmp_path
    )
    assert code == 2
    for path in ("apptivo.tls", "vainu.tls", "auth.jwt.tls"):
        assert f"connections.acme.{path}: ca_file /nowhere/ca.pem: expected PEM certificates" in errors
