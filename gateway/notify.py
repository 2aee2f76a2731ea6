"""Tells whoever manages services that this one is ready (sd_notify(3) of systemd)."""

import socket

import structlog

log = structlog.get_logger()


def ready(address: str | None) -> None:
    """Say so at `address`, the value of NOTIFY_SOCKET; nothing to do where nobody asked for it."""
    if not address:
        return
    # an address that begins with @ is of the abstract namespace
    place = "\0" + address[1:] if address.startswith("@") else address
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sending:
            sending.connect(place)
            sending.sendall(b"READY=1")
    except OSError as error:
        log.warning("serve.cannot_notify", detail=error.strerror)
