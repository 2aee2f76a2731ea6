"""Libraries that the service needs, without what they import besides where it is installed, and what nobody uses here.

structlog imports rich for tracebacks with every local variable, which we never print (gateway.tracebacks); httpx rich
and pygments for its command line; uvicorn watchfiles for its reloader. That is 6 MB of memory, and a tenth of a second
of every start. Whoever imports them first decides, so the service begins with this module.
"""

import sys

_SPARED = [name for name in ("pygments", "rich", "watchfiles") if name not in sys.modules]
for _name in _SPARED:
    # an import of it fails now, for which all three are prepared
    sys.modules[_name] = None  # type: ignore[assignment]  # what the import system takes for "there is none"
try:
    import httpx
    import structlog
    import uvicorn
finally:
    for _name in _SPARED:
        # the commands that print tables may have it
        del sys.modules[_name]

__all__ = ["httpx", "structlog", "uvicorn"]
