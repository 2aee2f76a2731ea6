"""The alert rules and the dashboard: tested with recorded series, on metrics that there are, with a way to act."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.metrics.catalogue import CATALOGUE, Family
from tests.deploy.alert_cases import CASES
from tests.deploy.promtool import promtool

ROOT = Path(__file__).parents[2]
RULES = ROOT / "deploy" / "prometheus" / "alerts.yaml"
DASHBOARD = ROOT / "deploy" / "grafana" / "gateway.json"
RUNBOOK = ROOT / "deploy" / "docs" / "RUNBOOK.md"
SELECTOR = re.compile(r"\b(gateway_\w+|up)\b(?:\{([^}]*(?:\{\w+\}[^}]*)*)\})?")
BY = re.compile(r"\b(?:by|on) \(([^)]*)\)")
OF_PROMETHEUS = {"instance", "job"}
SERIES: dict[str, Family] = {
    f"{each.name}{suffix}": each
    for each in CATALOGUE
    for suffix in (("_bucket", "_count", "_sum") if each.kind == "histogram" else ("",))
}


def rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"] for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    return [each for each in json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"] if each["type"] != "row"]


def expressions() -> Iterator[tuple[str, str]]:
    """Every expression of the rules and of the dashboard, and where it stands."""
    yield from ((rule["alert"], rule["expr"]) for rule in rules())
    yield from ((panel["title"], target["expr"]) for panel in panels() for target in panel["targets"])


def test_the_rules_are_well_formed() -> None:
    """promtool takes them."""
    assert f"{len(rules())} rules found" in promtool("check", "rules", str(RULES), folder=ROOT)


def test_every_rule_fires_when_it_should_and_only_then(tmp_path: Path) -> None:
    """On recorded series, with the labels and the summary that an operator is told."""
    by_name = {rule["alert"]: rule for rule in rules()}

    def expected(alert: str, labels: dict[str, str], summary: str) -> dict[str, Any]:
        rule = by_name[alert]
        annotations = {**rule["annotations"], "summary": summary}
        return {"exp_labels": {**labels, **rule["labels"]}, "exp_annotations": annotations}

    files = []
    for alert, rule in by_name.items():
        tests = [
            {
                "interval": case.every,
                "input_series": [{"series": name, "values": values} for name, values in case.series.items()],
                "alert_rule_test": [
                    {
                        "eval_time": case.at,
                        "alertname": case.alert,
                        "exp_alerts": [expected(case.alert, labels, summary) for labels, summary in case.fires],
                    }
                ],
            }
            for case in CASES
            if case.alert == alert
        ]
        # each rule by itself: promtool would evaluate all of them for every case, twenty times as much work
        alone, file = tmp_path / f"{alert}.rules.yaml", tmp_path / f"{alert}.yaml"
        # JSON is YAML
        alone.write_text(json.dumps({"groups": [{"name": alert, "rules": [rule]}]}))
        (every,) = {case.every for case in CASES if case.alert == alert}
        file.write_text(json.dumps({"rule_files": [alone.name], "evaluation_interval": every, "tests": tests}))
        files.append(str(file))
    assert promtool("test", "rules", *files, folder=tmp_path).count("SUCCESS") == len(by_name)


def test_every_rule_has_a_case_that_fires_and_one_that_does_not() -> None:
    """No rule is untested, and none is tested in one direction only."""
    names = [rule["alert"] for rule in rules()]
    assert len(set(names)) == len(names)
    assert {case.alert for case in CASES if case.fires} == set(names)
    assert {case.alert for case in CASES if not case.fires} == set(names)


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_every_rule_tells_what_to_do(rule: dict[str, Any]) -> None:
    """A summary, a description, a severity, and a section of the runbook that there is."""
    assert rule["labels"]["severity"] in ("page", "ticket")
    assert rule["annotations"].keys() == {"summary", "description", "runbook_url"}
    place, _, anchor = rule["annotations"]["runbook_url"].partition("#")
    assert (place, anchor) == (str(RUNBOOK.relative_to(ROOT)), rule["alert"].lower())
    if RUNBOOK.exists():
        headings = re.findall(r"^#+ +`?(\w+)`?", RUNBOOK.read_text(encoding="utf-8"), re.MULTILINE)
        assert rule["alert"] in headings


@pytest.mark.parametrize(("place", "expression"), list(expressions()))
def test_only_metrics_and_labels_that_there_are(place: str, expression: str) -> None:
    """Rules and dashboard ask for what the exposition has."""
    found = SELECTOR.findall(expression)
    assert found, place
    for name, matchers in found:
        if name == "up":
            continue
        family = SERIES[name]
        asked = set(re.findall(r"(\w+)(?:=~|!~|!=|=)\"", matchers))
        has = {*family.labels, *OF_PROMETHEUS, *(["le"] if name.endswith("_bucket") else [])}
        assert asked <= has, (place, name)
        for bound in re.findall(r'le="([^"]+)"', matchers):
            assert float(bound) in family.buckets
    labels = {label for _name, _matchers in found for label in SERIES.get(_name, CATALOGUE[0]).labels}
    grouped = {label.strip() for group in BY.findall(expression) for label in group.split(",")}
    assert grouped <= labels | OF_PROMETHEUS | {"le"}, place


def test_every_metric_serves_somebody() -> None:
    """Each metric is in a rule or on the dashboard."""
    used = {
        SERIES[name].name
        for _place, text in expressions()
        for name, _matchers in SELECTOR.findall(text)
        if name != "up"
    }
    assert {each.name for each in CATALOGUE} - used == set()


def test_the_dashboard(tmp_path: Path) -> None:
    """Panels have a title, a description and a unit, do not overlap, and ask what Prometheus understands."""
    ids, places = [], []
    for panel in panels():
        assert panel["title"]
        assert panel["description"].endswith(".")
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        assert panel["targets"], panel["title"]
        ids.append(panel["id"])
        at = panel["gridPos"]
        assert 0 <= at["x"] <= at["x"] + at["w"] <= 24
        places += [(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])]
    assert len(set(ids)) == len(ids)
    assert len(set(places)) == len(places)
    assert len({panel["title"] for panel in panels()}) == len(panels())
    variables = {each["name"] for each in json.loads(DASHBOARD.read_text(encoding="utf-8"))["templating"]["list"]}
    asked = [target["expr"] for panel in panels() for target in panel["targets"]]
    assert {name for text in asked for name in re.findall(r"\$(\w+)", text)} <= variables | {"__rate_interval"}
    plain = [re.sub(r"\$(\w+)", lambda name: "5m" if name[1] == "__rate_interval" else ".*", text) for text in asked]
    recorded = [{"record": f"panel:{number}", "expr": text} for number, text in enumerate(plain)]
    file = tmp_path / "dashboard.yaml"
    file.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": recorded}]}))
    assert f"{len(asked)} rules found" in promtool("check", "rules", str(file), folder=tmp_path)
