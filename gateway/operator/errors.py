"""Why an operator's question or action cannot be answered.

OperatorError
├── BadQuery    a filter, a cursor or a body that cannot be read; every fault with its path     422
├── NoSuch      nothing is kept, or configured, under this name or id                           404
├── Conflict    understood, and not possible as things stand                                    409
└── CrmFailed   the CRM, which had to be asked, refused or did not answer                       502, 504
"""

from collections.abc import Sequence

from gateway.pushed import BodyFault


class OperatorError(Exception):
    """The message is one line for the operator, without secrets; `reason` is a fixed word."""

    reason = "refused"


class BadQuery(OperatorError):
    """What was asked cannot be read; `faults` has everything that is wrong."""

    reason = "invalid"

    def __init__(self, faults: Sequence[BodyFault]) -> None:
        super().__init__("; ".join(f"{fault.path}: {fault.message}" for fault in faults))
        self.faults = tuple(faults)


class NoSuch(OperatorError):
    """There is nothing of this name or id."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


class Conflict(OperatorError):
    """It cannot be done as things stand; the message says what stands in the way."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


class CrmFailed(OperatorError):
    """The CRM gave no answer, or none that helps."""

    def __init__(self, detail: str, *, timed_out: bool) -> None:
        super().__init__(detail)
        self.timed_out = timed_out
        self.reason = "crm_timeout" if timed_out else "crm_failed"
