"""Links between Graph's pages."""

from __future__ import annotations

import pytest

from clients.graph.links import followable_link

BASE = "https://graph.example/v1.0/users?$select=id"


@pytest.mark.parametrize(
    ("link", "address"),
    [
        ("https://graph.example/v1.0/users?$skiptoken=a%2Bb+c", None),
        ("https://graph.example/v1.0/users?", None),
        ("HTTPS://GRAPH.example:443/v1.0/users?$skiptoken=a", None),
        ("//graph.example/v1.0/users?$skiptoken=a", "https://graph.example/v1.0/users?$skiptoken=a"),
        ("/v1.0/users?$skiptoken=a", "https://graph.example/v1.0/users?$skiptoken=a"),
        ("users?$skiptoken=a:b", "https://graph.example/v1.0/users?$skiptoken=a:b"),
        ("?$skiptoken=a", "https://graph.example/v1.0/users?$skiptoken=a"),
        (
            "https://graph.example/v1.0/users?$skiptoken=å b%20c",
            "https://graph.example/v1.0/users?$skiptoken=%C3%A5%20b%20c",
        ),
    ],
)
def test_a_link_on_the_host_is_followed(link: str, address: str | None) -> None:
    """A relative link begins at its page, raw signs are encoded, and the rest stays to the letter."""
    assert followable_link(link, base=BASE) == (address or link)


@pytest.mark.parametrize(
    "link",
    [
        "",
        "//evil.example/v1.0/users",
        "https://evil.example/v1.0/users?$skiptoken=å b",
        "http://graph.example/v1.0/users",
        "https://graph.example:8443/v1.0/users",
        "https://graph.example@evil.example/",
        "https://graph.example\\@evil.example/",
        "\\\\evil.example/users",
        "https://gräph.example/v1.0/users",
        "https://[::1/v1.0/users",
        "javascript:alert(1)",
        "/v1.0/users\n",
        "/v1.0/\u200busers",
        "/v1.0/users?\ud83d",
    ],
)
def test_a_link_elsewhere_is_not_followed(link: str) -> None:
    """The token goes along with a request, so a link to another server, port or scheme is refused."""
    assert followable_link(link, base=BASE) is None
