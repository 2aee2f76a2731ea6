"""The configuration: one frozen object, read once from TOML, every fault found at once (CONTRACT section 3)."""

from gateway.settings.faults import Fault, InvalidSettings
from gateway.settings.load import config_path, load, read
from gateway.settings.model import (
    ConnectionSettings,
    ExportSettings,
    FeedSettings,
    OperatorSettings,
    ServerSettings,
    Settings,
    StorageSettings,
    WebhookSettings,
)

__all__ = [
    "ConnectionSettings",
    "ExportSettings",
    "Fault",
    "FeedSettings",
    "InvalidSettings",
    "OperatorSettings",
    "ServerSettings",
    "Settings",
    "StorageSettings",
    "WebhookSettings",
    "config_path",
    "load",
    "read",
]
