"""Which addresses a webhook may be sent to: none of our own networks (server-side request forgery).

The address that is checked is the one that is connected to: a name that leads elsewhere a moment later
helps nobody.
"""

from __future__ import annotations

import ipaddress
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from clients.http.allow_list import AllowListAdapter
from clients.http.connections import BoundedHTTPConnection, BoundedHTTPSConnection
from schemas.errors import UpdateSyncError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

    from clients.http.deadlines import Deadline

    Networks = Sequence[IPv4Network | IPv6Network]

#: IPv4 addresses within IPv6 (RFC 6052).
_TRANSLATED: Final = ipaddress.IPv6Network("64:ff9b::/96")


class AddressRefusedError(UpdateSyncError):
    """A host has an address that nothing must be sent to."""


class PublicAdapter(AllowListAdapter):
    """Sends to public addresses by TLS, and to the operator's own `networks` also in the clear."""

    def __init__(self, *args: Any, networks: Networks, **options: Any) -> None:
        self._networks = networks
        super().__init__(*args, **options)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Make the pools of connections."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _pools(self._networks)


def is_public(address: str) -> bool:
    """Say whether a numeric address is one that the whole internet can reach."""
    return all(each.is_global and not each.is_multicast for each in _meant(address))


def may_be_asked(url: str, networks: Networks) -> bool:
    """Say whether a webhook's URL may be asked, as far as that is known without looking its name up.

    What a name leads to is checked when it is connected to.
    """
    parts = urlsplit(url)
    host = (parts.hostname or "").rstrip(".")
    is_local = host == "localhost" or host.endswith(".localhost")  # RFC 6761 section 6.3
    address = "127.0.0.1" if is_local else _numeric(host)
    if address is None:
        return parts.scheme == "https" or bool(networks)
    return is_within(address, networks) or (parts.scheme == "https" and is_public(address))


def is_within(address: str, networks: Networks) -> bool:
    """Say whether a numeric address is in one of the networks."""
    return any(each in network for each in _meant(address)[-1:] for network in networks)


def _numeric(host: str) -> str | None:
    """Return the address that a host without a name is; None of a name."""
    with suppress(ValueError):
        ipaddress.ip_address(host.partition("%")[0])
        return host
    with suppress(OSError):
        # Also as the resolver takes it: 2130706433, 0x7f.1
        return socket.inet_ntoa(socket.inet_aton(host))
    return None


def _meant(address: str) -> list[IPv4Address | IPv6Address]:
    """Return an address, and the one of IPv4 that it stands for, if it does, in its place."""
    found = ipaddress.ip_address(address.strip("[]").partition("%")[0])
    if isinstance(found, ipaddress.IPv4Address):
        return [found]
    if found.ipv4_mapped is not None:
        return [found.ipv4_mapped]
    if found.sixtofour is not None:
        return [found, found.sixtofour]
    if found in _TRANSLATED:
        return [found, ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)]
    # Teredo's addresses are not global, whatever they stand for.
    return [found]


def _pools(networks: Networks) -> dict[str, type[HTTPConnectionPool]]:
    class _Http(BoundedHTTPConnection):
        def _addresses(self, deadline: Deadline) -> list[str]:
            found = super()._addresses(deadline)
            # In the clear, to the operator's networks alone.
            if not all(is_within(each, networks) for each in found):
                raise AddressRefusedError("nothing must be sent in the clear to this address")
            return found

    class _Https(BoundedHTTPSConnection):
        def _addresses(self, deadline: Deadline) -> list[str]:
            found = super()._addresses(deadline)
            if not all(is_public(each) or is_within(each, networks) for each in found):
                raise AddressRefusedError("nothing must be sent to this address")
            return found

    class _HttpPool(HTTPConnectionPool):
        ConnectionCls = _Http  # type: ignore[mutable-override] # a kind of it

    class _HttpsPool(HTTPSConnectionPool):
        ConnectionCls = _Https  # type: ignore[mutable-override] # a kind of it

    return {"http": _HttpPool, "https": _HttpsPool}
