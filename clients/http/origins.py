"""Scheme, host and port of an address (RFC 6454): credentials and links stay on those that are configured."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

_ADDRESS: Final = re.compile(r"[\x21-\x7e]+\Z")
_HOST: Final = re.compile(r"[a-z0-9.:_-]{1,253}\Z", re.ASCII)
_PORTS: Final = {"https": 443, "http": 80}


@dataclass(frozen=True)
class Origin:
    """Where an address leads, whatever its path; fit for a log."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        """Return it as an address is written."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}" + ("" if self.port == _PORTS[self.scheme] else f":{self.port}")


def origin_of(url: str) -> Origin | None:
    """Return the origin of an address; None for what has none, names a user, or is read in several ways."""
    if "\\" in url or not _ADDRESS.match(url):
        return None
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        return None
    host = parts.hostname
    if port is None or host is None or parts.scheme not in _PORTS or "@" in parts.netloc:
        return None
    return Origin(parts.scheme, host, port) if _HOST.match(host) else None


def is_same_origin(configured: str, link: str) -> bool:
    """Say whether a link leads to where a configured address does."""
    origin = origin_of(link)
    return origin is not None and origin == origin_of(configured)
