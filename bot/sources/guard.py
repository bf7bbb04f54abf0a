"""Which network addresses may be dialled: public ones, and those the operator opened (threat rows 9-13).

The decision is made on the address that is about to be connected to, after DNS and for every redirect hop, so that
neither a spelling nor a second DNS answer gets past it. `ipaddress.is_global` is not used: in Python 3.11 it calls
NAT64, 6to4 and IPv4-compatible forms of loopback global.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

#: IANA IPv4 Special-Purpose Address Registry, multicast and class E
_DENIED_V4 = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
#: only global unicast is dialled (RFC 4291 section 2.4) ...
_GLOBAL_V6 = IPv6Network("2000::/3")
#: ... less IETF protocol assignments (Teredo among them), documentation and 6to4
_DENIED_V6 = tuple(IPv6Network(text) for text in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"))
#: RFC 6052: the last 32 bits are the IPv4 address that a NAT64 gateway dials
_NAT64 = IPv6Network("64:ff9b::/96")

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


class AddressRefused(OSError):
    """Not a public address. One text for all, so that answers tell nothing of what listens there."""

    def __init__(self) -> None:
        super().__init__("the address is not a public one")


class Guard:
    """Says of one address whether it may be dialled."""

    def __init__(self, allow_private: bool | Sequence[str] = False) -> None:
        """`allow_private` is True (dial anything) or the networks opened by the operator, in CIDR form.

        Raises ValueError for a text that is not a network.
        """
        self._everything = allow_private is True
        texts: Sequence[str] = () if isinstance(allow_private, bool) else allow_private
        self._allowed: tuple[Network, ...] = tuple(ip_network(text, strict=False) for text in texts)

    def check(self, host: str) -> None:
        """Raises AddressRefused unless this IP address may be dialled; a text that is no IP address is refused too."""
        if self._everything:
            return
        try:
            address = unwrap(ip_address(host.partition("%")[0]))
        except ValueError:
            raise AddressRefused from None
        if not is_public(address) and not any(address in network for network in self._allowed):
            raise AddressRefused


def unwrap(address: Address) -> Address:
    """The IPv4 address that an IPv4-mapped or NAT64 address stands for, else the address itself."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _NAT64:
            return IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def is_public(address: Address) -> bool:
    """Whether web servers of the public Internet can have this (unwrapped) address."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _DENIED_V4)
    return address in _GLOBAL_V6 and not any(address in network for network in _DENIED_V6)
