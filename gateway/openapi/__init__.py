"""The gateway's OpenAPI 3.1 document, written by hand as data: what the service is held to."""

from gateway.openapi.document import document, document_yaml

__all__ = ["document", "document_yaml"]
