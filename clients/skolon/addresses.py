"""The URLs to which requests may go (promise P1)."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import requests

from clients.http.errors import TRANSPORT_ERRORS
from clients.skolon.scim import SEARCH_REQUEST_PREFIX
from clients.skolon.search.requests import SEARCH
from clients.skolon.server.descriptions import DESCRIPTIONS

if TYPE_CHECKING:
    from collections.abc import Callable

#: The place of the organisation in the URL.
ORGANISATION: Final = "{organisation}"


def user_addresses(url: str, rest: str) -> re.Pattern[str]:
    """Return a pattern of the URLs of any organisation that end with `rest` (promise P1)."""
    stand_in = "organisation-stand-in"
    address = url.replace(ORGANISATION, stand_in)
    with suppress(*TRANSPORT_ERRORS):  # an unusable URL is reported by the first request
        # As requests spells it: the pattern is matched against prepared URLs.
        address = str(requests.Request("GET", address).prepare().url)
    pattern = "[^/]+".join(re.escape(part) for part in address.split(stand_in))
    return re.compile(pattern + rest)


def harmless_requests(url: str) -> Callable[[requests.PreparedRequest], bool]:
    """Return a predicate for searches by POST and for what a server says of itself (promise P1)."""
    is_search = searches_by_post(url)
    descriptions = user_addresses(url, f"({'|'.join(map(re.escape, DESCRIPTIONS))})")

    def is_one(request: requests.PreparedRequest) -> bool:
        is_description = request.method == "GET" and descriptions.fullmatch(request.url or "")
        return bool(is_description) or is_search(request)

    return is_one


def harmless_requests_and_replacements(url: str) -> Callable[[requests.PreparedRequest], bool]:
    """Return a predicate for harmless requests, and for a PUT of one user on condition that it exists."""
    is_harmless = harmless_requests(url)
    users = user_addresses(url, "/Users/[^/]+")

    def is_one(request: requests.PreparedRequest) -> bool:
        is_replacement = (
            request.method == "PUT"
            and bool(request.headers.get("If-Match"))
            and users.fullmatch(request.url or "") is not None
        )
        return is_replacement or is_harmless(request)

    return is_one


def searches_by_post(url: str) -> Callable[[requests.PreparedRequest], bool]:
    """Return a predicate for searches by POST, which change nothing."""
    addresses = user_addresses(url, f"/Users{re.escape(SEARCH)}")

    def is_one(request: requests.PreparedRequest) -> bool:
        return (
            request.method == "POST"
            and addresses.fullmatch(request.url or "") is not None
            and isinstance(request.body, bytes)
            and request.body.startswith(SEARCH_REQUEST_PREFIX)
        )

    return is_one
