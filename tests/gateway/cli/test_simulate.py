"""`gateway simulate`: the four upstream systems, made up."""

import signal
from typing import Any

import httpx
import pytest

from adapters.apptivo.simulated_firm import DEMO_ACCESS_KEY, DEMO_API_KEY
from adapters.crmcom import simulator as crmcom


def test_all_four_answer_with_what_is_printed(start: Any) -> None:
    """The addresses and the credentials that are printed are good; Ctrl-C stops it with exit 0."""
    running = start("simulate", "--port", "0")
    printed = {name: running.line_with(name).split() for name in ("Vainu", "Apptivo", "CRM.COM", "Aixon")}
    running.line_with("Ctrl-C")
    with httpx.Client(trust_env=False, timeout=10) as http:
        _, vainu, _, key = printed["Vainu"]
        assert http.get(f"{vainu}/api/v2/customer_data/", headers={"API-Key": key}).json()["total_results"] == 0
        _, apptivo, _, api_key, _, access_key = printed["Apptivo"]
        assert (api_key, access_key) == (DEMO_API_KEY, DEMO_ACCESS_KEY)
        form = {"apiKey": api_key, "accessKey": access_key}
        config = http.post(f"{apptivo}/app/dao/v6/customers?a=getConfigData", data=form)
        assert "statuses" in config.json()
        _, address, organisation, username, password = printed["CRM.COM"]
        assert crmcom.PREFIX in address
        login = {"username": username, "password": password, "organisation": organisation}
        assert http.post(f"{address}/authentication/token", json=login).json()["status"]["code"] == "OK"
        _, aixon, _, key = printed["Aixon"]
        assert http.get(f"{aixon}/api_upload/v1/csv-upload", headers={"x-api-key": key}).status_code == 200
        for each in (vainu, apptivo, address.removesuffix(crmcom.PREFIX), aixon):
            assert http.get(f"{each}/_calls").json()
    code, rest = running.end(signal.SIGINT)
    assert (code, rest.partition("curl")[0].strip()) == (0, "")


@pytest.mark.parametrize("port", ["1.2.3.4:80", "70000"])
def test_only_a_port(command: Any, port: str) -> None:
    """The simulators stay on this machine: there is no host to choose."""
    ended = command("simulate", "--port", port)
    assert ended.returncode == 2
    assert len(ended.stderr.splitlines()) == 1
