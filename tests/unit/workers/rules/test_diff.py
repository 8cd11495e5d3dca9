"""What always holds of the difference between Skolon and what it should hold."""

from __future__ import annotations

from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.users.attributes import Attribute, values_match
from schemas.users.skolon_user import SkolonUser
from tests.unit.workers.factories import skolon_user
from workers.rules.diff import difference, kept_blanks

VALUES: Final = (
    st.none() | st.sampled_from(["a@b.example", "A@B.example", "Öberg", "öberg"]) | st.text(min_size=1)
)
HELD: Final = st.fixed_dictionaries(dict.fromkeys(Attribute, VALUES))
MAPPED: Final = st.dictionaries(st.sampled_from(list(Attribute)), VALUES)
ERASED: Final = st.frozensets(st.sampled_from(list(Attribute)))

Held = dict[Attribute, str | None]


def user(held: Held) -> SkolonUser:
    return SkolonUser(id="s1", version=None, attributes=held)


@given(held=HELD, mapped=MAPPED, erased=ERASED)
def test_applying_it_gives_the_mapped_values(held: Held, mapped: Held, erased: frozenset[Attribute]) -> None:
    """With the difference written, Skolon holds every mapped value, and all else is as it was."""
    after = {**held, **difference(user(held), mapped, erased)}
    for attribute in Attribute:
        if attribute not in mapped or (mapped[attribute] is None and attribute not in erased):
            assert after[attribute] == held[attribute]
        else:
            assert values_match(attribute, after[attribute], mapped[attribute])


@given(held=HELD, mapped=MAPPED, erased=ERASED)
def test_blank_does_not_erase(held: Held, mapped: Held, erased: frozenset[Attribute]) -> None:
    """P5: an attribute is emptied only when the tenant has named it."""
    changes = difference(user(held), mapped, erased)
    assert {attribute for attribute, value in changes.items() if value is None} <= erased
    assert None not in difference(user(held), mapped, ()).values()


@given(held=HELD, mapped=MAPPED, erased=ERASED)
def test_twice_is_once(held: Held, mapped: Held, erased: frozenset[Attribute]) -> None:
    """P4: when the difference has been written, there is none any more."""
    after = {**held, **difference(user(held), mapped, erased)}
    assert difference(user(after), mapped, erased) == {}


@given(held=HELD, erased=ERASED)
def test_equal_users_do_not_differ(held: Held, erased: frozenset[Attribute]) -> None:
    """A Skolon user that holds what it should is left alone."""
    assert difference(user(held), held, erased) == {}


@given(held=HELD, mapped=MAPPED, erased=ERASED)
def test_it_writes_nothing_that_was_not_mapped(
    held: Held, mapped: Held, erased: frozenset[Attribute]
) -> None:
    """P5: what is unknown in Entra is never written, blank or not."""
    changes = difference(user(held), mapped, erased)
    assert changes.items() <= mapped.items()


def test_case_alone_is_no_change_of_an_address() -> None:
    """Row 15: servers write addresses in small letters; an Idp identifier in another case is another one."""
    old, new = "Anna@Skola.example", "anna@skola.example"
    held = skolon_user(eppn=old, user_name=old, email=old, idp_identifier=old)
    mapped: Held = dict.fromkeys(
        (Attribute.EPPN, Attribute.USER_NAME, Attribute.EMAIL, Attribute.IDP_IDENTIFIER), new
    )
    assert difference(held, mapped, ()) == {Attribute.IDP_IDENTIFIER: new}


@pytest.mark.parametrize("attribute", list(Attribute))
def test_each_attribute_is_erased_only_when_named(attribute: Attribute) -> None:
    """P5: for each of the fourteen, blank in Entra empties Skolon exactly when `erase_blank` names it."""
    held = skolon_user(**{str(attribute): "something"})
    assert difference(held, {attribute: None}, ()) == {}
    assert difference(held, {attribute: None}, [other for other in Attribute if other != attribute]) == {}
    assert difference(held, {attribute: None}, [attribute]) == {attribute: None}


@pytest.mark.parametrize("attribute", list(Attribute))
@pytest.mark.parametrize(
    ("held", "value", "erase", "kept"),
    [
        ("something", None, False, True),
        ("something", None, True, False),
        (None, None, False, False),
        ("something", "something", False, False),
        ("something", "another", False, False),
        (None, "another", False, False),
    ],
    ids=["blank", "erased", "blank in both", "equal", "other value", "filled"],
)
def test_kept_are_the_blanks_that_would_erase(
    attribute: Attribute,
    held: str | None,
    value: str | None,
    erase: bool,  # noqa: FBT001 - a table
    kept: bool,  # noqa: FBT001 - a table
) -> None:
    """P5: an attribute is kept when Entra has it blank, Skolon has a value, and no setting erases it."""
    found = kept_blanks(
        user({attribute: held}), {attribute: value}, [attribute] if erase else set(Attribute) - {attribute}
    )
    assert found == ((attribute,) if kept else ())
