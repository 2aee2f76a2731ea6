"""What operators may see and do, without HTTP: the console renders it, `/api/…` answers it as JSON (CONTRACT 4, 10)."""

from gateway.operator.auditing import Actor
from gateway.operator.errors import BadQuery, Conflict, CrmFailed, NoSuch, OperatorError
from gateway.operator.service import OperatorService

__all__ = ["Actor", "BadQuery", "Conflict", "CrmFailed", "NoSuch", "OperatorError", "OperatorService"]
