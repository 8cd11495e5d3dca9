"""What always holds of the mapping, whatever Entra gives and whatever the tenant has chosen."""

from __future__ import annotations

import traceback
import unicodedata
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.dead_letter_reasons import Reason
from schemas.errors import PermanentError
from schemas.outcomes import Stage
from schemas.users.attributes import ATTRIBUTE_TABLE, EXTENSION_ATTRIBUTES, Attribute
from schemas.users.graph_user import load_graph_user
from tests.unit.workers.factories import (
    ENTRA_ID,
    check_values,
    graph_users,
    map_user,
    tenant,
    tenants,
)

if TYPE_CHECKING:
    from schemas.tenants.tenant import Tenant
    from workers.rules.mapping import Mapped

#: A text that occurs nowhere but in values of persons.
MARKER: Final = "ŻŻhemligtŻŻ"


def given_texts(raw: dict[str, Any], source: str) -> list[str] | None:
    """Return what is not blank in a source, read straight off the raw user; None if it is unknown."""
    holder: dict[str, Any] = raw
    if source in EXTENSION_ATTRIBUTES:
        if "onPremisesExtensionAttributes" not in raw:
            return None
        holder = dict.fromkeys(EXTENSION_ATTRIBUTES) | (raw["onPremisesExtensionAttributes"] or {})
    if source not in holder:
        return None
    value = holder[source]
    values = value if isinstance(value, list) else [value]
    return [text.strip() for text in values if text is not None and text.strip()]


def mapped_or_refused(raw: dict[str, Any], chosen: Tenant) -> Mapped | PermanentError:
    try:
        return map_user(load_graph_user(raw), chosen)
    except PermanentError as error:
        return error


def is_exempt(attribute: Attribute, value: str | None) -> bool:
    """Say whether a value is one that has a test of its own: a guest's name, an invisible end of a name."""
    ends = (value or "")[:1] + (value or "")[-1:]
    return "#EXT#" in (value or "").upper() or (
        attribute in {Attribute.FIRST_NAME, Attribute.LAST_NAME}
        and any(unicodedata.category(sign) in {"Cf", "Zl", "Zp"} for sign in ends)
    )


@given(raw=graph_users(), chosen=tenants())
def test_a_value_is_the_first_that_is_not_blank(raw: dict[str, Any], chosen: Tenant) -> None:
    """A mapped value is the first non-blank one of the tenant's sources, and from nowhere else."""
    mapped = mapped_or_refused(raw, chosen)
    if isinstance(mapped, PermanentError):
        assert mapped.reason is Reason.INVALID_USER
        return
    for attribute, sources in chosen.sources.items():
        expected: list[str] | None = None
        for source in sources:
            expected = given_texts(raw, source)
            if expected is None or expected:
                break
        if not sources or expected is None:
            assert attribute not in mapped
        else:
            value = expected[0] if expected else None
            assert mapped[attribute] == value or is_exempt(attribute, value)


@given(raw=graph_users(MARKER), chosen=tenants())
def test_a_refusal_holds_no_value(raw: dict[str, Any], chosen: Tenant) -> None:
    """P6: whatever is wrong with a user, the error names attributes and rules, and no value."""
    answer = mapped_or_refused(raw, chosen)
    if isinstance(answer, PermanentError):
        assert MARKER not in f"{answer!r} {answer.__dict__}"
        assert MARKER not in "".join(traceback.format_exception(answer))


@pytest.mark.parametrize(
    "eppn",
    [
        "anna",
        "@skola.example",
        "anna@",
        "anna@@skola.example",
        "a@b@skola.example",
        "an na@skola.example",
        "anna@skola .example",
        "anna@skola\u00a0.example",
    ],
)
def test_an_eppn_has_exactly_one_at(eppn: str) -> None:
    """P6: without exactly one @ between two parts the whole user is invalid, and the value is not told."""
    user = load_graph_user({"id": ENTRA_ID, "mail": eppn, "otherMails": []})
    with pytest.raises(PermanentError) as caught:
        map_user(user, tenant())
    assert caught.value.reason is Reason.INVALID_USER
    assert caught.value.stage is Stage.MAP
    assert caught.value.detail.startswith("EPPN: ")
    assert eppn not in str(caught.value)


@pytest.mark.parametrize("eppn", ["anna@skola.example", "å.ö@räksmörgås.example", "'@\"", "A@B"])
def test_an_eppn_may_hold_anything_else(eppn: str) -> None:
    """An EPPN with one @ between two parts without white space is taken as it is."""
    user = load_graph_user({"id": ENTRA_ID, "mail": eppn, "otherMails": []})
    assert map_user(user, tenant())[Attribute.EPPN] == eppn


@pytest.mark.parametrize("sign", ["\x00", "\x07", "\x1b", "\x7f", "\x85", "\x9f", "\n", "\r", "\t", "\ud800"])
def test_control_characters_make_a_user_invalid(sign: str) -> None:
    """A control character, or half a surrogate pair, within a name is a fault of that attribute."""
    user = load_graph_user({"id": ENTRA_ID, "givenName": f"An{sign}na", "surname": "Öberg"})
    with pytest.raises(
        PermanentError,
        match=r"^invalid_user at map: First name: has a control character, such as a line break$",
    ):
        map_user(user, tenant())


def test_an_address_may_have_several_lines() -> None:
    """A street address of several lines is common in Active Directory and is taken as it is."""
    user = load_graph_user({"id": ENTRA_ID, "streetAddress": "Skolan\r\nStorgatan\t1"})
    assert map_user(user, tenant())[Attribute.ADDRESS] == "Skolan\r\nStorgatan\t1"


@given(
    faults=st.sets(
        st.sampled_from([Attribute.FIRST_NAME, Attribute.LAST_NAME, Attribute.CITY, Attribute.EPPN]),
        min_size=1,
    )
)
def test_every_fault_is_named_at_once(faults: set[Attribute]) -> None:
    """A user with several bad values is refused once, with every attribute named."""
    with pytest.raises(PermanentError) as caught:
        check_values(dict.fromkeys(faults, "a\x00b"), tenant())
    named = {part.partition(":")[0] for part in caught.value.detail.split("; ")}
    assert named == {ATTRIBUTE_TABLE[attribute].title for attribute in faults}


def test_an_ssn_is_checked_only_for_a_country() -> None:
    """A personal number is checked when the tenant names a country, and taken as it is otherwise."""
    sources = {**tenant().sources, Attribute.SSN: ("extensionAttribute1",)}
    user = load_graph_user(
        {"id": ENTRA_ID, "onPremisesExtensionAttributes": {"extensionAttribute1": "201301019800"}}
    )
    assert map_user(user, tenant(sources=sources))[Attribute.SSN] == "201301019800"
    with pytest.raises(
        PermanentError, match=r"^invalid_user at map: SSN: not a valid personal number \(Sweden\)$"
    ):
        map_user(user, tenant(sources=sources, ssn_country="SE"))


@pytest.mark.parametrize("attribute", [each for each in Attribute if each is not Attribute.ADDRESS])
@pytest.mark.parametrize("sign", ["\n", "\r", "\t"])
def test_no_other_attribute_may_have_several_lines(attribute: Attribute, sign: str) -> None:
    """A line break or a tab is a fault of every attribute but the address."""
    with pytest.raises(PermanentError) as raised:
        check_values({attribute: f"a{sign}b", Attribute.ADDRESS: f"a{sign}b"}, tenant())
    assert f"{ATTRIBUTE_TABLE[attribute].title}: has a control character" in raised.value.detail
    assert "Address:" not in raised.value.detail


@pytest.mark.parametrize("sign", ["\u200b", "\ufeff", "\u00ad", "\u202e", "\u2028"])
def test_an_invisible_character_is_named(sign: str) -> None:
    """Row 13: what nobody sees makes an address another one: it is refused, and the code point is told."""
    raw = {"id": ENTRA_ID, "mail": f"an{sign}na@k.example", "userPrincipalName": None, "otherMails": None}
    refused = mapped_or_refused(raw, tenant())
    assert isinstance(refused, PermanentError)
    assert f"EPPN: has the invisible character U+{ord(sign):04X}" in refused.detail
    assert f"E-mail: has the invisible character U+{ord(sign):04X}" in refused.detail


@pytest.mark.parametrize("name", ["\u200bAnna\ufeff", "Anna\u00ad \u200b", "Anna"])
def test_a_name_loses_what_is_invisible_at_its_ends(name: str) -> None:
    """Row 13: names are trimmed; joiners inside stay, which some languages need."""
    mapped = mapped_or_refused({"id": ENTRA_ID, "givenName": name, "surname": "\u200b"}, tenant())
    assert not isinstance(mapped, PermanentError)
    assert mapped[Attribute.FIRST_NAME] == "Anna"
    assert mapped[Attribute.LAST_NAME] is None


@pytest.mark.parametrize("mark", ["#EXT#", "#ext#"])
def test_a_guests_user_principal_name_is_no_source(mark: str) -> None:
    """Row 5: the name of a guest's account in its home directory is not what the guest signs in with."""
    raw = {
        "id": ENTRA_ID,
        "userPrincipalName": f"eva_skola.example{mark}@k.example",
        "mail": "eva@skola.example",
        "otherMails": [],
    }
    mapped = mapped_or_refused(raw, tenant())
    assert not isinstance(mapped, PermanentError)
    assert mapped[Attribute.USER_NAME] == mapped[Attribute.IDP_IDENTIFIER] == "eva@skola.example"
    only_this = mapped_or_refused({**raw, "mail": None}, tenant())
    assert not isinstance(only_this, PermanentError)
    assert only_this[Attribute.USER_NAME] is only_this[Attribute.EPPN] is None
