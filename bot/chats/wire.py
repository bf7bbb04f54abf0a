"""What a platform is sent arrives soon or not at all.

A machine that was cut off must not hand over what it had begun to send when it is back a minute later: another has sent
that since. The kernel would try for minutes, also after the connection was closed.
"""

from __future__ import annotations

import socket

#: milliseconds for which the kernel tries; a machine that is cut off keeps its chats for longer (bot/jobs.py)
_TRIES = 8_000

#: of every connection to a platform; nothing where the system has no such option
OPTIONS: tuple[tuple[int, int, int], ...] = (
    ((socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _TRIES),) if hasattr(socket, "TCP_USER_TIMEOUT") else ()
)


def make_socket(address: tuple[int | socket.AddressFamily, int | socket.SocketKind, int, str, object]) -> socket.socket:
    """As aiohttp's connectors want one, with the options."""
    family, kind, protocol, *_ = address
    made = socket.socket(family, kind, protocol)
    for option in OPTIONS:
        made.setsockopt(*option)
    return made
