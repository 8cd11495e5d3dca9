"""Graph's links to further pages: opaque, and followed only to Graph itself."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

_LINK: Final = re.compile(r"[\x21-\x7e]+\Z")


def leads_to(graph_url: str, link: str) -> bool:
    """Say whether a link leads to Graph itself: the token goes along, and must not go elsewhere."""
    return bool(_LINK.match(link)) and _origin(link) == _origin(graph_url)


def _origin(url: str) -> tuple[str, str | None, int | None] | None:
    """Return scheme, host and port, None for what has none or names a user (RFC 6454 section 4)."""
    if "\\" in url:
        return None
    try:
        parts = urlsplit(url)
        port = parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    except ValueError:
        return None
    return None if "@" in parts.netloc else (parts.scheme, parts.hostname, port)
