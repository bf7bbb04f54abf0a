"""What a service manager is told: ready, stopping, still alive (sd_notify(3), https://www.freedesktop.org/software/systemd/man/sd_notify.html)."""

from __future__ import annotations

import contextlib
import socket


def tell(address: str, state: str) -> None:
    """One datagram such as "READY=1"; nothing at all without an address. "@" stands for the abstract namespace.

    A manager that does not listen costs the bot nothing: a failed message is not news that anybody could act on.
    """
    if not address:
        return
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
        out.setblocking(False)
        out.connect("\0" + address[1:] if address.startswith("@") else address)
        out.send(state.encode())
