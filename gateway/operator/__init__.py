"""What operators may see and do, without HTTP: the console renders it, `/api/…` answers it as JSON (CONTRACT 4, 10)."""

from gateway.operator.errors import BadQuery, Conflict, NoSuch
from gateway.operator.service import OperatorService

__all__ = ["BadQuery", "Conflict", "NoSuch", "OperatorService"]
