"""The demo's configuration: everything in it is made up, and good for nothing but the simulators."""

from pathlib import Path

from adapters.apptivo.simulated_firm import DEMO_ACCESS_KEY, DEMO_API_KEY
from adapters.crmcom import simulator as crmcom
from adapters.vainu.simulator import FAKE_API_KEY

API_KEY = "demo-vainu-key"
OPERATOR_TOKEN = "demo-operator-token"  # noqa: S105 - made up
WEBHOOK_CONNECTION = "acme"
WEBHOOK_SECRET = "whsec_ZGVtby13ZWJob29rLXNlY3JldA=="  # noqa: S105 - made up
CONNECTIONS = {"acme": "Apptivo", "globex": "CRM.COM"}
"""Connection → the CRM's name for people."""


def configuration(upstream: str, folder: Path) -> str:
    """The TOML of a gateway whose remote systems are the simulators at `upstream`."""
    return f"""\
[storage]
url = "sqlite:///{folder / "gateway.db"}"

[operator]
tokens = ["{OPERATOR_TOKEN}"]

[connections.acme]
crm = "apptivo"
timezone = "Europe/Helsinki"
auth.api_keys = ["{API_KEY}"]
webhooks.hmac = [{{ secret = "{WEBHOOK_SECRET}" }}]

[connections.acme.apptivo]
base_url = "{upstream}/apptivo"
api_key = "{DEMO_API_KEY}"
access_key = "{DEMO_ACCESS_KEY}"
record_url = "https://app.apptivo.com/customers/{{}}"

[connections.acme.vainu]
base_url = "{upstream}/vainu"
api_key = "{FAKE_API_KEY}"

[connections.globex]
crm = "crmcom"
timezone = "Europe/Helsinki"
auth.api_keys = ["{API_KEY}"]

[connections.globex.crmcom]
base_url = "{upstream}/crmcom{crmcom.PREFIX}"
username = "{crmcom.USERNAME}"
password = "{crmcom.PASSWORD}"
organisation = "{crmcom.ORGANISATION}"
unit = "Admin Unit"
"""
