"""Every path and operation of `gateway.app.ROUTES`, and nothing else (CONTRACT section 4).

The route of customer events is a path for each kind, because the kind decides what an event's fields are.
"""

from gateway.openapi import service_operations, vainu_operations, webhook_operations
from gateway.openapi.event_operations import event_paths
from gateway.openapi.operator_operations import operator_paths
from gateway.openapi.references import Node, parameter


def paths() -> Node:
    """`paths`."""
    return {
        "/vainu/{connection}/exports": _path("post", vainu_operations.push(), "Connection"),
        "/vainu/{connection}/exports/{export_id}": _path("get", vainu_operations.standing(), "Connection", "ExportId"),
        "/vainu/{connection}/activities/{unique_id}": _path(
            "get", vainu_operations.activities(), "Connection", "UniqueId"
        ),
        "/vainu/{connection}/records/{unique_id}": _path("get", vainu_operations.record(), "Connection", "UniqueId"),
        "/vainu/{connection}/webhooks": _path("post", webhook_operations.from_vainu(), "Connection"),
        "/crm/{connection}/webhooks": _path("post", webhook_operations.from_crm(), "Connection"),
        **{path: _path(method, operation, *of) for path, (method, operation, of) in event_paths().items()},
        "/health/live": _path("get", service_operations.live()),
        "/health/ready": _path("get", service_operations.ready()),
        "/metrics": _path("get", service_operations.metrics()),
        "/openapi.json": _path("get", service_operations.openapi_json()),
        "/docs": _path("get", service_operations.docs()),
        **{path: _path(method, operation, *of) for path, (method, operation, of) in operator_paths().items()},
    }


def _path(method: str, operation: Node, *parameters: str) -> Node:
    return {"parameters": [parameter(name) for name in (*parameters, "RequestId")], method: operation}
