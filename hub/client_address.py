"""The address of a browser, as far as the connection and the proxies in between tell it."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    Address = ipaddress.IPv4Address | ipaddress.IPv6Address
    Network = ipaddress.IPv4Network | ipaddress.IPv6Network

#: The bits of an IPv6 address that its owner does not choose: a subscriber has at least a /64 (RFC 6177).
_IPV6_PREFIX: Final = 64


def client_network(peer: str, forwarded: str, proxies: Sequence[Network]) -> str:
    """Return where a browser is: its IPv4 address, or the /64 of its IPv6 address.

    `peer` is who is connected, and `forwarded` the header `X-Forwarded-For`. From its end, what a proxy says
    is believed as long as the one that says it is among the `proxies`.
    """
    address = _read(peer)
    for named in reversed(forwarded.split(",")):
        if address is None or not any(address in network for network in proxies):
            break
        before = _read(named)
        if before is None:
            break
        address = before
    if address is None:
        return peer
    if isinstance(address, ipaddress.IPv6Address):
        return str(ipaddress.IPv6Network((address, _IPV6_PREFIX), strict=False))
    return str(address)


def _read(text: str) -> Address | None:
    """Read an address that may have a port behind it, and brackets around it; None if it is none."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return mapped or address
