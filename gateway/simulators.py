"""All upstream simulators in one application, under /vainu, /apptivo, /crmcom, /aixon."""

from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import ASGIApp

from adapters.aixon import simulator as aixon
from adapters.apptivo import simulator as apptivo
from adapters.apptivo.simulated_firm import DEMO_ACCESS_KEY, DEMO_API_KEY
from adapters.crmcom import simulator as crmcom
from adapters.vainu import simulator as vainu


def simulators() -> ASGIApp:
    """The application; every call makes fresh simulators."""
    return Starlette(
        routes=[
            Mount("/vainu", vainu.simulator()),
            Mount("/apptivo", apptivo.simulator()),
            Mount("/crmcom", crmcom.simulator()),
            Mount("/aixon", aixon.simulator()),
        ]
    )


def describe(address: str) -> str:
    """What is there, for a person: one line a simulator, with its credentials (made up, good for nothing else)."""
    return "\n".join(
        [
            f"Vainu    {address}/vainu    API-Key {vainu.FAKE_API_KEY}",
            f"Apptivo  {address}/apptivo  apiKey {DEMO_API_KEY}  accessKey {DEMO_ACCESS_KEY}",
            f"CRM.COM  {address}/crmcom/crmapi/rest/v2  {crmcom.ORGANISATION} {crmcom.USERNAME} {crmcom.PASSWORD}",
            f"Aixon    {address}/aixon    x-api-key {aixon.FAKE_API_KEY}",
            "Each also answers /_records, /_calls and /_reset, and POST /_faults breaks it on purpose, such as",
            f'  curl -d \'{{"fault": "delay", "seconds": 5, "times": 3}}\' {address}/apptivo/_faults',
        ]
    )
