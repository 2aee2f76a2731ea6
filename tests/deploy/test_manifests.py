"""The files of compose and Kubernetes: they parse, they agree with each other, and they lock down what they run."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.installed import DEPLOY, ETC, SECRETS

COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose" / "compose.yaml").read_text())
MANIFESTS = sorted((DEPLOY / "kubernetes").glob("*.yaml"))
EXAMPLE = (DEPLOY / "gateway.example.toml").read_text()
ASKED_FOR = set(re.findall(rf'file = "({ETC}/secrets/[a-z_]+)"', EXAMPLE))


def manifest(name: str) -> dict[str, Any]:
    found = yaml.safe_load((DEPLOY / "kubernetes" / f"{name}.yaml").read_text())
    assert isinstance(found, dict)
    return found


POD = manifest("deployment")["spec"]["template"]


def test_yamllint_finds_nothing() -> None:
    """Every YAML file of compose and Kubernetes is in order, by deploy/yamllint.yaml."""
    folders = [str(DEPLOY / name) for name in ("compose", "kubernetes")]
    command = [
        str(Path(sys.executable).with_name("yamllint")),
        "--strict",
        "--config-file",
        str(DEPLOY / "yamllint.yaml"),
    ]
    done = subprocess.run([*command, *folders], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_example_s_secrets_are_known_here() -> None:
    """The tests' secrets are those that the example configuration reads, and the store's address."""
    assert {Path(each).name for each in ASKED_FOR} == {*SECRETS, "database_url"}


@pytest.mark.parametrize("name", ["gateway-1", "gateway-2"])
def test_compose_gives_a_gateway_its_files_and_little_else(name: str) -> None:
    """Secrets come as files, all that the configuration reads; the root is read-only, no capability is left."""
    gateway = COMPOSE["services"][name]
    assert {each["target"] for each in gateway["secrets"]} == ASKED_FOR
    assert {each["source"] for each in gateway["secrets"]} < set(COMPOSE["secrets"])
    assert gateway["configs"] == [{"source": "gateway_toml", "target": f"{ETC}/gateway.toml"}]
    assert gateway["read_only"] is True
    assert gateway["cap_drop"] == ["ALL"]
    assert gateway["security_opt"] == ["no-new-privileges:true"]
    assert "environment" not in gateway
    assert "ports" not in gateway, "only the proxy is reached from outside"


def test_compose_s_files_are_of_one_folder() -> None:
    """Each secret and the configuration are files of one folder, which may be another than /etc/vainu-gateway."""
    files = {name: each["file"] for name, each in COMPOSE["secrets"].items()}
    assert files == {name: f"${{GATEWAY_ETC:-{ETC}}}/secrets/{name}" for name in files}
    assert COMPOSE["configs"]["gateway_toml"]["file"] == f"${{GATEWAY_ETC:-{ETC}}}/gateway.toml"


def test_compose_keeps_the_database_inside() -> None:
    """PostgreSQL takes its password from a file, and is on a network that leads nowhere else."""
    postgres = COMPOSE["services"]["postgres"]
    assert postgres["environment"]["POSTGRES_PASSWORD_FILE"] == f"/run/secrets/{postgres['secrets'][0]}"
    assert postgres["networks"] == ["store"]
    assert COMPOSE["networks"]["store"] == {"internal": True}
    assert "ports" not in postgres


def test_compose_waits_for_what_it_needs() -> None:
    """Every service has a health check, the image's or its own, and is started after those it needs are well."""
    services = COMPOSE["services"]
    assert set(services) == {"gateway-1", "gateway-2", "postgres", "caddy"}
    assert services["gateway-1"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    assert set(services["caddy"]["depends_on"]) == {"gateway-1", "gateway-2"}
    assert all("healthcheck" in services[name] for name in ("postgres", "caddy"))
    assert {
        name for name, each in services.items() if re.search(r":(latest)?$", each["image"].split("-}")[-1])
    } == set()


def test_the_configmap_is_the_example() -> None:
    """Kubernetes gets the same configuration as everybody."""
    assert manifest("configuration")["data"]["gateway.toml"] == EXAMPLE


def test_a_pod_gets_its_files() -> None:
    """The configuration and every secret that it reads lie where it looks for them, for the pod's group to read."""
    (container,) = POD["spec"]["containers"]
    etc = next(each for each in container["volumeMounts"] if each["name"] == "etc")
    volume = next(each["projected"] for each in POD["spec"]["volumes"] if each["name"] == "etc")
    items = [item for source in volume["sources"] if "secret" in source for item in source["secret"]["items"]]
    assert {f"{etc['mountPath']}/{item['path']}" for item in items} == ASKED_FOR
    assert volume["defaultMode"] == 0o440
    assert {item["key"] for item in items} == set(manifest("secret.example")["stringData"])
    assert POD["spec"]["securityContext"]["fsGroup"] == 10001


def test_a_pod_is_locked_down() -> None:
    """What the restricted Pod Security Standard wants, and a read-only root."""
    (container,) = POD["spec"]["containers"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert POD["spec"]["securityContext"]["runAsNonRoot"] is True
    assert POD["spec"]["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert POD["spec"]["automountServiceAccountToken"] is False
    assert manifest("namespace")["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    assert {"cpu", "memory"} <= set(container["resources"]["requests"])


def test_a_pod_is_probed_where_the_gateway_answers() -> None:
    """Live and ready are the gateway's two routes; a start has minutes, for a store that is brought up to date."""
    (container,) = POD["spec"]["containers"]
    probes = {kind: container[f"{kind}Probe"] for kind in ("startup", "liveness", "readiness")}
    paths = {kind: probe["httpGet"]["path"] for kind, probe in probes.items()}
    assert paths == {"startup": "/health/live", "liveness": "/health/live", "readiness": "/health/ready"}
    assert container["lifecycle"]["preStop"] == {"exec": {"command": ["sleep", "5"]}}
    assert probes["startup"]["periodSeconds"] * probes["startup"]["failureThreshold"] >= 600
    assert [port["name"] for port in container["ports"]] == [probes["liveness"]["httpGet"]["port"]]


def test_the_manifests_speak_of_the_same_pods() -> None:
    """Service, budget, scaling and network policy mean the deployment's pods; a roll-out never has fewer than two."""
    labels = POD["metadata"]["labels"]
    deployment = manifest("deployment")
    assert deployment["spec"]["selector"]["matchLabels"] == labels
    assert manifest("service")["spec"]["selector"] == labels
    assert manifest("disruption")["spec"]["selector"]["matchLabels"] == labels
    assert manifest("network")["spec"]["podSelector"]["matchLabels"] == labels
    target = manifest("scaling")["spec"]["scaleTargetRef"]
    assert (target["kind"], target["name"]) == ("Deployment", deployment["metadata"]["name"])
    assert deployment["spec"]["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}
    assert manifest("scaling")["spec"]["minReplicas"] == deployment["spec"]["replicas"] == 2


def test_kustomize_takes_every_manifest_but_the_template() -> None:
    """No file is forgotten, and no secret is written into the folder."""
    resources = set(manifest("kustomization")["resources"])
    assert resources == {path.name for path in MANIFESTS} - {"kustomization.yaml", "secret.example.yaml"}


def test_the_ingress_shows_no_metrics() -> None:
    """What callers and people need is routed; /metrics is not."""
    (rule,) = manifest("ingress")["spec"]["rules"]
    paths = [each["path"] for each in rule["http"]["paths"]]
    assert {"/vainu/", "/crm/", "/health/"} < set(paths)
    assert not any("/metrics".startswith(path) for path in paths)
