"""One search for several people: how long its filters are, and who of those found is whose."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.parse import unquote

from hypothesis import given
from hypothesis import strategies as st

from clients.skolon.scim import search_filter
from clients.skolon.search.filters import (
    MAX_URL_FILTER_LENGTH,
    batch_filters,
    results_per_user,
    url_encoded,
    url_encoded_length,
)
from schemas.users.attributes import MATCH_KEYS, Attribute, keys_match
from schemas.users.skolon_user import SkolonUser

if TYPE_CHECKING:
    from collections.abc import Mapping

VALUES = st.sampled_from(["a@x.example", "A@X.example", "b@x.example", "Straße", "STRASSE", "1"])
KEYS = st.dictionaries(st.sampled_from(MATCH_KEYS), VALUES)


def user(number: int, attributes: Mapping[Attribute, str | None]) -> SkolonUser:
    return SkolonUser(id=str(number), version=None, attributes=MappingProxyType(dict(attributes)))


@given(found=st.lists(KEYS, max_size=6), people=st.lists(KEYS, min_size=1, max_size=6))
def test_each_gets_whoever_has_one_of_the_values(
    found: list[dict[Attribute, str]], people: list[dict[Attribute, str]]
) -> None:
    """P4: each user gets the results that match its keys, and no others."""
    users = [user(number, attributes) for number, attributes in enumerate(found)]
    for keys, got in zip(people, results_per_user(users, people), strict=True):
        expected = {
            one.id
            for one in users
            for key, value in keys.items()
            if (held := one.attributes.get(key)) is not None and keys_match(key, held, value)
        }
        assert sorted(one.id for one in got) == sorted(expected)


@given(
    people=st.lists(
        st.dictionaries(st.sampled_from(MATCH_KEYS), st.text('aå "\\', max_size=1024)), max_size=12
    )
)
def test_filters_ask_for_everybody_and_stay_short(people: list[dict[Attribute, str]]) -> None:
    """Each term is asked for in order, and only a person who is too long alone makes a filter too long."""
    found = list(batch_filters(people, MAX_URL_FILTER_LENGTH, url_encoded_length))
    terms = [term for one in found for term in one.split(" or ")]
    wanted = [term for keys in people if keys for term in search_filter(keys).split(" or ")]
    assert list(dict.fromkeys(terms)) == list(dict.fromkeys(wanted))
    longest = max((len(url_encoded(search_filter(keys))) for keys in people), default=0)
    assert all(
        len(url_encoded(one)) <= max(MAX_URL_FILTER_LENGTH, longest) + 16 * len(people) for one in found
    )


@given(st.text('aZ09-._~:@/å€😀 "\\&=+#?%'))
def test_a_filter_in_an_address_is_still_the_filter(scim_filter: str) -> None:
    """RFC 3986 section 3.4: what is encoded comes back, and nothing in it ends or parts the query."""
    text = url_encoded(scim_filter)
    assert unquote(text, errors="strict") == scim_filter
    assert not set(text) & set(' "&=+#?')
