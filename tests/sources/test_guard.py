from ipaddress import ip_address

import pytest

from bot.sources.guard import AddressRefused, Guard, is_public, unwrap

PRIVATE = [
    "127.0.0.1", "127.255.255.254", "0.0.0.0", "0.1.2.3", "10.1.2.3", "100.64.0.1", "100.127.255.255", "169.254.169.254",
    "172.16.0.1", "172.31.255.255", "192.0.0.8", "192.0.2.1", "192.88.99.1", "192.168.0.1", "198.18.0.1", "198.51.100.1",
    "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "::", "::1", "::127.0.0.1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:0:127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a00:1", "64:ff9b:1::1",
    "100::1", "2001::1", "2001:0:7f00:1::", "2001:10::1", "2001:db8::1", "2002:7f00:1::", "2002:808:808::1", "3fff::1",
    "5f00::1", "fc00::1", "fd12:3456::1", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "4000::1",
]  # fmt: skip
PUBLIC = ["8.8.8.8", "1.1.1.1", "100.128.0.1", "172.32.0.1", "192.0.1.1", "2606:4700::1111", "2a00:1450:4001:80b::200e",
          "::ffff:8.8.8.8", "64:ff9b::808:808"]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_row_11_private_addresses(address: str) -> None:
    """Row 11: special-purpose ranges in every wrapping, also those that Python 3.11 calls global."""
    with pytest.raises(AddressRefused):
        Guard().check(address)
    Guard(allow_private=True).check(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses(address: str) -> None:
    """The web itself stays open, also through NAT64."""
    Guard().check(address)


def test_networks_opened_by_the_operator() -> None:
    """A network opened is open in its wrapped forms too, and nothing beside it."""
    guard = Guard(["10.1.0.0/16", "fd00::/64"])
    for address in ("10.1.2.3", "::ffff:10.1.2.3", "fd00::1", "8.8.8.8"):
        guard.check(address)
    for address in ("10.2.0.1", "127.0.0.1", "fd00:0:0:1::1", "not an address", ""):
        with pytest.raises(AddressRefused):
            guard.check(address)
    with pytest.raises(ValueError, match="not-a-network"):
        Guard(["not-a-network"])


def test_everything_the_guard_lets_through_is_global() -> None:
    """Where Python's own table is right it is at least as open as ours: sampled over the whole IPv4 space."""
    for number in range(0, 2**32, 65_521):
        address = ip_address(number)
        assert not is_public(address) or address.is_global
        assert unwrap(address) == address
