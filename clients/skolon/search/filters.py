"""Builds the filters of a search for several users, and assigns its results to them. Pure."""

from __future__ import annotations

import math
from string import ascii_letters, digits
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from clients.skolon.profiles import ASSUMED
from clients.skolon.scim import search_filter
from schemas.users.attributes import normalized_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from clients.skolon.profiles import Profile
    from schemas.users.attributes import Attribute
    from schemas.users.skolon_user import SkolonUser

#: Bytes of a filter in an address: servers and what stands before them take 8,192 for the whole by default.
MAX_URL_FILTER_LENGTH: Final = 6000

#: Characters of a filter in a body. Servers and what stands before them take 1 MiB by default, and many of
#: them put off to a file what is longer than 16 KiB.
MAX_BODY_FILTER_LENGTH: Final = 15_000

#: What a query may hold as it is (RFC 3986 sections 2.3 and 3.4) and a filter often does, beside letters and
#: digits. Our libraries take their time for each sign that is encoded.
_PLAIN: Final = "-._~:@/"
_AS_THEY_ARE: Final = f"{ascii_letters}{digits}{_PLAIN}".encode()


def batch_filters(
    users: Sequence[Mapping[Attribute, str]],
    max_length: int,
    length_of: Callable[[str], int],
    max_terms: int | None = None,
    *,
    profile: Profile = ASSUMED,
) -> Iterator[str]:
    """Yield as few filters for all `users` as possible, none longer than `max_length`.

    None has more than `max_terms` terms, unless one user has more keys.
    """
    most = math.inf if max_terms is None else max_terms
    together: list[Mapping[Attribute, str]] = []
    length, terms = 0, 0
    for keys in filter(None, users):
        more = length_of(search_filter(keys, profile=profile))
        if together and (length + more > max_length or terms + len(keys) > most):
            yield search_filter(*together, profile=profile)
            together, length, terms = [], 0, 0
        together.append(keys)
        length += more
        terms += len(keys)
    if together:
        yield search_filter(*together, profile=profile)


def url_encoded(scim_filter: str) -> str:
    """Return a filter as it stands in an address, percent-encoded."""
    return quote(scim_filter, safe=_PLAIN)


def url_encoded_length(scim_filter: str) -> int:
    """Return how long a filter is in an address, without encoding it."""
    in_bytes = scim_filter.encode()
    return len(in_bytes) + 2 * len(in_bytes.translate(None, _AS_THEY_ARE))


def results_per_user(
    found: Iterable[SkolonUser], users: Sequence[Mapping[Attribute, str]]
) -> list[list[SkolonUser]]:
    """Return for each of `users` the found Skolon users that have any of its values.

    A found user without any of the values is dropped.
    """
    holders: dict[tuple[Attribute, str], dict[str, SkolonUser]] = {}
    wanted = {
        (attribute, normalized_key(attribute, value)) for keys in users for attribute, value in keys.items()
    }
    attributes = {attribute for attribute, _ in wanted}
    for user in found:
        for attribute in attributes:
            value = user.attributes.get(attribute)
            if value is not None and (key := (attribute, normalized_key(attribute, value))) in wanted:
                holders.setdefault(key, {})[user.id] = user
    return [
        list(
            {
                user_id: user
                for attribute, value in keys.items()
                for user_id, user in holders.get((attribute, normalized_key(attribute, value)), {}).items()
            }.values()
        )
        for keys in users
    ]


def users_matching(resource: object, users: Sequence[Mapping[Attribute, str]]) -> list[int]:
    """Return the places of the `users` of which an unreadable resource holds any value, anywhere."""
    texts = set(_texts(resource))
    held = {
        (attribute, normalized_key(attribute, text))
        for attribute in {attribute for keys in users for attribute in keys}
        for text in texts
    }
    return [
        place
        for place, keys in enumerate(users)
        if any((attribute, normalized_key(attribute, value)) in held for attribute, value in keys.items())
    ]


def _texts(value: object) -> Iterator[str]:
    inner = [value]
    while inner:
        one = inner.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, dict):
            inner += one.values()
        elif isinstance(one, list):
            inner += one
