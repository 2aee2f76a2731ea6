"""Traces for OpenTelemetry, an extra: `pip install vainu-gateway[otel]`, and the standard OTEL_* variables.

Without them nothing of this is imported but this file, and nothing is done. With them there is one trace from the
caller's request, whose `traceparent` is honoured, through the delivery in the store to the calls of remote systems,
also where another process does the work, days later. Spans hold routes, names of the configuration, ids of ours and
fixed words: nothing that a caller or a remote system has said.
"""

from collections.abc import Mapping


def is_wanted(environ: Mapping[str, str]) -> bool:
    """Whether the standard variables ask for traces, by OTLP over HTTP.

    https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
    """
    if environ.get("OTEL_SDK_DISABLED", "").lower() == "true" or environ.get("OTEL_TRACES_EXPORTER") == "none":
        return False
    asked = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
    return environ.get("OTEL_TRACES_EXPORTER") == "otlp" or any(environ.get(name) for name in asked)
