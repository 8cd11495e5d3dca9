"""Links from one page of Graph's lists to the next: followed as long as they stay on Graph's own server."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote, urljoin, urlsplit

from clients.http.origins import is_same_origin

#: What an address may have as it is (RFC 3986 section 2): a token in it is opaque, `%` and `+` included.
_KEPT: Final = "".join(map(chr, range(0x21, 0x7F)))


def followable_link(link: str, *, base: str) -> str | None:
    """Return the address that a link leads to, None if it leads to another server than `base` or nowhere.

    `base` is the address whose answer held the link: a relative link begins there (RFC 3986 section 5.2).
    Spaces and letters such as `å` that stand in the link as they are become percent-encoded.
    """
    if not link or not link.isprintable():
        return None
    encoded = quote(link, safe=_KEPT)
    try:
        address = encoded if urlsplit(encoded).scheme else urljoin(base, encoded)
    except ValueError:
        return None
    return address if is_same_origin(base, address) else None
