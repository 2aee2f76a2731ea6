"""`/metrics`: for operators, and with label values that no caller can add to."""

import pytest

from tests.gateway.http.conftest import World
from tests.gateway.http.problems import problem
from tests.gateway.http.wire import exchange
from tests.harness import AUTH, KEY, OPERATOR, client


@pytest.mark.parametrize("headers", [{}, AUTH, {"Authorization": "Bearer wrong"}, {"Authorization": f"Bearer {KEY}"}])
def test_metrics_are_for_operators(world: World, headers: dict[str, str]) -> None:
    """Without an operator token /metrics is 401 with a Bearer challenge; a connection's key opens nothing here."""
    with client(world.gateway.url, headers=headers) as http:
        answer = http.get("/metrics")
    problem(answer, 401)
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert world.gateway.http.get("/metrics", headers=OPERATOR).status_code == 200


def test_labels_of_metrics_are_bounded(world: World) -> None:
    """Whatever a caller puts into paths, queries, headers, methods and bodies adds no series and is in no label."""

    def labels() -> set[str]:
        text = world.gateway.http.get("/metrics", headers=OPERATOR).text
        return {line.rpartition(" ")[0] for line in text.splitlines() if line.startswith("gateway_")}

    def visit(mark: str) -> None:
        for path in (
            f"/{mark}",
            f"/vainu/{mark}/activities/a",
            f"/vainu/acme/activities/{mark}",
            f"/vainu/acme/activities/{mark}?limit={mark}&type={mark}",
            f"/vainu/acme/exports/{mark}",
            f"/crm/{mark}/webhooks",
            f"/crm/acme/webhooks?token={mark}",
            f"/crm/globex/customer-events/{mark}",
            f"/crm/globex/customer-events/purchases/{mark}",
        ):
            for method in ("GET", "POST", "PROPFIND", "MKCOL", "REPORT"):
                world.gateway.http.request(method, path, headers=hostile(mark), content=f'"{mark}"')
        for body in ({mark: mark}, [mark], {"company_name": {mark: mark}}, mark):
            world.gateway.http.post("/vainu/acme/exports", json=body)
            world.gateway.http.post("/vainu/acme/webhooks", json=body)
        world.gateway.http.get("/health/live", headers={"API-Key": mark, "Authorization": f"Bearer {mark}"})
        exchange(world.gateway.url, f"{mark} / HTTP/1.1\r\n\r\n".encode())

    labels()
    visit("planted-one")
    before = labels()
    visit('planted-two"\\{}=,')
    assert labels() == before
    assert not [line for line in before if "planted" in line or "PROPFIND" in line]


def hostile(mark: str) -> dict[str, str]:
    """Headers that hold the mark, of which none keeps a caller out."""
    return {"X-Request-ID": mark, "User-Agent": mark, "Referer": mark, "Cookie": mark, "X-Forwarded-For": mark}
