"""Whether a value stays in Skolon when its source in Entra goes blank."""

from __future__ import annotations

from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.users.attributes import ATTRIBUTE_TABLE, SOURCE_ORDERED_ATTRIBUTES, Attribute
from schemas.users.graph_user import load_graph_user
from schemas.users.value_sources import RememberedSources, format_value_sources, parse_value_sources
from tests.unit.workers.factories import ENTRA_ID, skolon_user, tenant
from workers.rules.kept_values import keeps_value, later_sources, replaced_by_later_source
from workers.rules.mapping import resolve_sources

ORDER: Final = ("mail", "otherMails", "userPrincipalName")


@pytest.mark.parametrize(
    ("source", "remembered", "may_replace", "kept"),
    [
        ("otherMails", "mail", False, True),
        ("userPrincipalName", "mail", True, True),
        ("userPrincipalName", "otherMails", True, True),
        ("userPrincipalName", "userPrincipalName", True, False),
        ("otherMails", "otherMails", False, False),
        ("otherMails", "userPrincipalName", False, False),
        ("otherMails", None, False, True),
        ("userPrincipalName", None, True, False),
        ("userPrincipalName", "extensionAttribute1", True, False),
    ],
)
def test_what_came_from_an_earlier_source_stays(
    source: str,
    remembered: str | None,
    may_replace: bool,  # noqa: FBT001 - one column of the table
    kept: bool,  # noqa: FBT001 - likewise
) -> None:
    """Without a memory, or with one of another order, only the user's own value replaces another."""
    assert keeps_value(source, ORDER, remembered, may_replace=may_replace) is kept


def test_only_filled_identity_is_looked_at() -> None:
    """A blank value is filled from any source, and other attributes have no order."""
    user = load_graph_user({"id": ENTRA_ID, "mail": None, "otherMails": ["p@k.example"], "city": "Falun"})
    settings = tenant()
    later = later_sources(resolve_sources(user, settings), settings)
    assert later[Attribute.EPPN] == later[Attribute.EMAIL] == "otherMails"
    held = skolon_user(eppn="anna@k.example")
    changes = dict.fromkeys((Attribute.EPPN, Attribute.EMAIL, Attribute.CITY), "new@k.example")
    assert replaced_by_later_source(held, changes, later, settings) == {Attribute.EPPN}
    chosen = tenant(replace_from_later_sources=frozenset([Attribute.EPPN]))
    assert replaced_by_later_source(held, changes, later, chosen) == frozenset()


@given(st.dictionaries(st.sampled_from(SOURCE_ORDERED_ATTRIBUTES), st.integers(0, 17), max_size=4))
def test_a_receipt_remembers_sources(chosen: dict[Attribute, int]) -> None:
    """What is written is read again, and fits the column."""
    sources = {
        name: ATTRIBUTE_TABLE[name].sources[number % len(ATTRIBUTE_TABLE[name].sources)]
        for name, number in chosen.items()
    }
    text = format_value_sources(sources)
    remembered = RememberedSources(sources=parse_value_sources(text))
    assert {name: remembered.source(name) for name in sources} == sources
    assert len(text) <= 200
