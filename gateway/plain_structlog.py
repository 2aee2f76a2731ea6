"""structlog without rich.

Where rich is installed, structlog imports it for tracebacks with every local variable, which we never print
(gateway.tracebacks): 4 MB of memory, and a tenth of a second of every start. Whoever imports structlog first decides.
"""

import sys

_is_unused = "rich" not in sys.modules and "structlog" not in sys.modules
if _is_unused:
    # an import of it fails now, for which structlog is prepared
    sys.modules["rich"] = None  # type: ignore[assignment]  # what the import system takes for "there is none"
try:
    import structlog
finally:
    if _is_unused:
        # the commands that print tables may have it
        del sys.modules["rich"]

__all__ = ["structlog"]
