"""Where a browser is, by what the connection and the proxies say."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from hub.client_address import client_network

PROXIES = [ip_network("127.0.0.0/8"), ip_network("::1"), ip_network("10.1.0.0/16")]


@pytest.mark.parametrize(
    ("peer", "forwarded", "network"),
    [
        ("127.0.0.1", "", "127.0.0.1"),
        ("127.0.0.1", "192.0.2.7", "192.0.2.7"),
        ("127.0.0.1", "192.0.2.7:50123", "192.0.2.7"),
        ("::1", "[2001:db8:1:2:3::4]:50123", "2001:db8:1:2::/64"),
        ("::1", "2001:db8:1:2:ffff::9", "2001:db8:1:2::/64"),
        ("127.0.0.1", "::ffff:192.0.2.7", "192.0.2.7"),
        # What the browser has sent itself stands in front, and is not believed.
        ("127.0.0.1", "198.51.100.1, 192.0.2.7", "192.0.2.7"),
        ("10.1.2.3", "192.0.2.7, 10.1.9.9", "192.0.2.7"),
        ("10.2.2.3", "192.0.2.7", "10.2.2.3"),
        ("192.0.2.9", "198.51.100.1", "192.0.2.9"),
        ("127.0.0.1", "unknown", "127.0.0.1"),
        ("127.0.0.1", "192.0.2.7, _hidden", "127.0.0.1"),
        ("127.0.0.1", "[192.0", "127.0.0.1"),
        ("", "192.0.2.7", ""),
    ],
)
def test_a_browser_is_where_the_nearest_believed_proxy_says(peer: str, forwarded: str, network: str) -> None:
    """A port is none of the address, a proxy that is not believed is the browser, and IPv6 counts by /64."""
    assert client_network(peer, forwarded, PROXIES) == network
