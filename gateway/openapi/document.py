"""The document as a whole, and as the YAML that `gateway openapi` prints and `openapi/gateway.yaml` holds."""

from typing import Any

import yaml

import gateway
from gateway.openapi.answers import headers, responses
from gateway.openapi.examples import examples
from gateway.openapi.parameters import parameters
from gateway.openapi.paths import paths
from gateway.openapi.references import Node
from gateway.openapi.schemas import schemas
from gateway.openapi.security import security_schemes

_DESCRIPTION = """\
The gateway between Vainu and a CRM: Vainu exports companies through it, and shows a customer's activity from it.

Every path below `/vainu` and `/crm` carries the name of a **connection**: one Vainu account joined to one CRM
account, with credentials of its own. Every refusal is a problem of RFC 9457, and every answer carries
`X-Request-ID`, which the gateway's log carries too.

Work is kept on disk before it is acknowledged. A push may be sent again at any time: the same company on the same
connection never becomes a second record in the CRM.
"""
_TAGS = (
    ("Export", "Vainu pushes a company to the CRM."),
    ("Activity feed", "Vainu shows what the CRM knows of a customer."),
    ("Webhooks", "Vainu and the CRM tell of changes."),
    ("Customer events", "An integrator pushes events of customers to CRM.COM."),
    ("Operators", "What the console shows and does, for operators' scripts."),
    ("Health", "For whatever runs the gateway, and watches it."),
    ("Contract", "This document, readable without the internet."),
)


def document() -> Node:
    """The OpenAPI document; a fresh copy, so that the caller may change it."""
    return {
        "openapi": "3.1.0",
        "info": _info(),
        "servers": [{"url": "/", "description": "This gateway; `server.public_url` of its configuration."}],
        "tags": [{"name": name, "description": description} for name, description in _TAGS],
        "paths": paths(),
        "components": {
            "securitySchemes": security_schemes(),
            "parameters": parameters(),
            "headers": headers(),
            "responses": responses(),
            "schemas": schemas(),
            "examples": examples(),
        },
    }


def document_yaml() -> str:
    """The document as YAML, keys in the order written, without aliases."""
    return yaml.dump(
        document(), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110, default_flow_style=False
    )


def _info() -> Node:
    return {
        "title": "Vainu gateway",
        "version": gateway.__version__,
        "summary": "Exports from Vainu to a CRM, and the CRM's activity feed for Vainu.",
        "description": _DESCRIPTION,
        "license": {"name": "MIT", "identifier": "MIT"},
    }


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        """No anchors: every part of the document reads by itself."""
        del data
        return True


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


_Dumper.add_representer(str, _text)
