"""Which addresses a webhook may be sent to: none of our own networks (server-side request forgery).

The address that is checked is the one that is connected to: a name that leads elsewhere a moment later
helps nobody.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any, Final

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


def is_within(address: str, networks: Networks) -> bool:
    """Say whether a numeric address is in one of the networks."""
    return any(each in network for each in _meant(address)[-1:] for network in networks)


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
