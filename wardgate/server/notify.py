"""Tells systemd how the server is, where the unit has ``Type=notify`` (sd_notify(3))."""

import contextlib
import os
import socket
import time


def notify(state: str) -> None:
    """Send a state such as ``READY=1`` to whoever started this process, if they asked for it."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return
    path = "\0" + address[1:] if address[0] == "@" else address
    with (
        contextlib.suppress(OSError),
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender,
    ):
        sender.sendto(state.encode(), path)


def notify_reloading() -> None:
    """Say that the configuration is read again; ``READY=1`` ends it."""
    notify(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")
