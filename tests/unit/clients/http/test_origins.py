"""Where addresses lead: the same scheme, host and port, or somewhere else."""

from __future__ import annotations

import pytest

from clients.http.origins import is_same_origin, origin_of

OURS = "https://login.microsoftonline.com/tenant"


@pytest.mark.parametrize(
    "link",
    [
        "https://login.microsoftonline.com/tenant/oauth2/v2.0/token",
        "https://login.microsoftonline.com:443/x",
        "https://LOGIN.microsoftonline.com/x?y#z",
    ],
)
def test_addresses_of_the_same_origin(link: str) -> None:
    """RFC 6454: the path does not count, nor how a host is spelled, nor a port that is implied."""
    assert is_same_origin(OURS, link)


@pytest.mark.parametrize(
    "link",
    [
        "http://login.microsoftonline.com/x",
        "https://login.microsoftonline.com:444/x",
        "https://login.microsoftonline.com.evil.example/x",
        "https://evil.example/login.microsoftonline.com",
        "https://login.microsoftonline.com@evil.example/x",
        "https://evil.example\\@login.microsoftonline.com/x",
        "https://login.microsoftonline.com\t.evil.example/x",
        "https://evil.example#@login.microsoftonline.com/",
        "//login.microsoftonline.com/x",
        "/x",
        "file://login.microsoftonline.com/x",
        "https://login.microsoftonline.com:0x1/x",
        "https:///x",
        "",
    ],
)
def test_addresses_that_lead_elsewhere(link: str) -> None:
    """What is another host, port or scheme, or may be read as one, is not ours."""
    assert not is_same_origin(OURS, link)


def test_an_origin_is_written_without_anything_else() -> None:
    """P6: of an address, an error shows the origin, and nothing that could be a value or move a terminal."""
    assert str(origin_of("https://evil.example:444/a?b=c")) == "https://evil.example:444"
    assert str(origin_of("https://[::1]/")) == "https://[::1]"
    assert origin_of("https://ev\x1bil.example/") is None
    assert origin_of("https://anna@evil.example/") is None
