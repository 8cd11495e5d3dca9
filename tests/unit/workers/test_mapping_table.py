"""The guide's attribute table, row by row: an expectation of its own against what the mapping makes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from schemas.tenants.tenant import Tenant, change_tenant
from schemas.users.attributes import ATTRIBUTE_TABLE, Attribute
from schemas.users.graph_user import load_graph_user
from tests.unit.workers.factories import map_user

if TYPE_CHECKING:
    from workers.rules.mapping import Mapped

EXTENSIONS: Final = [f"extensionAttribute{number}" for number in range(1, 16)]

#: The guide's table, typed off it: Skolon's name, ours, the allowed sources, the default, configurable.
GUIDE: Final[list[tuple[str, str, list[str], list[str], bool]]] = [
    ("External Id", "external_id", ["id"], ["id"], False),
    (
        "User name",
        "user_name",
        ["userPrincipalName", "mail", "otherMails"],
        ["userPrincipalName", "mail", "otherMails"],
        True,
    ),
    ("E-mail", "email", ["mail", "otherMails"], ["mail", "otherMails"], True),
    (
        "Idp identifier",
        "idp_identifier",
        ["userPrincipalName", "mail", "otherMails", "onPremisesImmutableId"],
        ["userPrincipalName", "mail", "otherMails", "onPremisesImmutableId"],
        True,
    ),
    ("First name", "first_name", ["givenName"], ["givenName"], False),
    ("Last name", "last_name", ["surname"], ["surname"], False),
    ("City", "city", ["city"], ["city"], False),
    ("Address", "address", ["streetAddress"], ["streetAddress"], False),
    ("Zip code", "zip_code", ["postalCode"], ["postalCode"], False),
    ("Birth date", "birth_date", ["birthday"], ["birthday"], False),
    ("Home phone number", "home_phone", ["mobilePhone"], ["mobilePhone"], False),
    ("Mobile phone number", "mobile_phone", ["mobilePhone"], ["mobilePhone"], False),
    (
        "EPPN",
        "eppn",
        ["mail", "otherMails", "userPrincipalName", *EXTENSIONS],
        ["mail", "otherMails", "userPrincipalName"],
        True,
    ),
    ("SSN", "ssn", EXTENSIONS, [], True),
]

#: Rows that have sources by default, for the tests of the default order.
DEFAULTS: Final = [(name, default) for _, name, _, default, _ in GUIDE if default]

#: Every pair of an attribute and a source that the guide allows for it.
PAIRS: Final = [(name, source) for _, name, sources, _, _ in GUIDE for source in sources]

#: A made-up value for each source, good for every attribute that the source may fill.
VALUES: Final[dict[str, str]] = {
    "id": "00000000-0000-4000-8000-000000000001",
    "userPrincipalName": "upn@skola.example",
    "mail": "mail@skola.example",
    "otherMails": "other@skola.example",
    "onPremisesImmutableId": "aW1tdXRhYmxl",
    "givenName": "Åsa-Märta",
    "surname": "Öberg Ærø",
    "city": "Exempelstad",
    "streetAddress": "Storgatan 1",
    "postalCode": "123 45",
    "birthday": "2013-01-01",
    "mobilePhone": "070-174 06 05",
    **{name: f"{name.lower()}@skola.example" for name in EXTENSIONS},
}

#: What counts as blank in a property that holds one text, and in the one that holds a list.
BLANK_TEXTS: Final[list[Any]] = [None, "", " ", "\t \n", "\u00a0\u2003"]
BLANK_LISTS: Final[list[Any]] = [[], [""], [" ", "\t"]]


def blanks(source: str) -> list[Any]:
    if source == "otherMails":
        return BLANK_LISTS
    return BLANK_TEXTS


def entra_user(given: dict[str, Any]) -> dict[str, Any]:
    """Return a user as Graph would give it, each source where Graph has it."""
    plain = {name: value for name, value in given.items() if name not in EXTENSIONS}
    inner = {name: value for name, value in given.items() if name in EXTENSIONS}
    for name, value in plain.items():
        if name == "otherMails" and isinstance(value, str):
            plain[name] = [value]
    if inner:
        plain["onPremisesExtensionAttributes"] = {name: inner.get(name) for name in EXTENSIONS}
    return {"id": VALUES["id"], **plain}


def tenant(**sources: list[str]) -> Tenant:
    plain = Tenant(
        key="exempelkommun",
        name="Exempelkommun",
        entra_tenant_id="00000000-0000-4000-8000-0000000000aa",
        client_id="client",
        organisation="organisation",
    )
    return change_tenant(plain, {"sources": sources})[0]


def mapped(given: dict[str, Any], **sources: list[str]) -> Mapped:
    return map_user(load_graph_user(entra_user(given)), tenant(**sources))


def test_the_table_is_the_guides() -> None:
    """The attribute table as data says what the guide's table says, row by row and in its order."""
    held = [
        (row.title, str(name), list(row.sources), list(row.default), row.configurable)
        for name, row in ATTRIBUTE_TABLE.items()
    ]
    assert held == GUIDE


def test_every_attribute_has_a_row() -> None:
    """There are fourteen attributes, and each has exactly one row under its own name."""
    assert len(GUIDE) == 14
    assert {row.attribute for row in ATTRIBUTE_TABLE.values()} == set(Attribute) == set(ATTRIBUTE_TABLE)


def test_the_attributes_that_lock_people_out_are_the_designs() -> None:
    """User name, EPPN, Idp identifier, SSN and External Id count as identity, and nothing else does."""
    identity = {str(name) for name, row in ATTRIBUTE_TABLE.items() if row.identity}
    assert identity == {"user_name", "eppn", "idp_identifier", "ssn", "external_id"}


@pytest.mark.parametrize(("name", "source"), PAIRS)
def test_each_source_fills_its_attribute(name: str, source: str) -> None:
    """Each of the guide's sources, named alone, fills its attribute with its value."""
    assert mapped({source: VALUES[source]}, **{name: [source]})[Attribute(name)] == VALUES[source]


@pytest.mark.parametrize(("name", "default"), DEFAULTS)
def test_the_first_default_source_wins(name: str, default: list[str]) -> None:
    """With every source filled, the guide's first one decides."""
    given = {source: VALUES[source] for source in VALUES}
    assert mapped(given)[Attribute(name)] == VALUES[default[0]]


@pytest.mark.parametrize(
    ("name", "default", "blank_count"),
    [(name, default, count) for name, default in DEFAULTS for count in range(1, len(default))],
)
def test_a_later_source_fills_in_for_blank_ones(name: str, default: list[str], blank_count: int) -> None:
    """However the earlier sources are blank, the first one after them that is not decides."""
    for position in range(max(len(BLANK_TEXTS), len(BLANK_LISTS))):
        given: dict[str, Any] = {source: VALUES[source] for source in default[blank_count:]}
        for source in default[:blank_count]:
            choices = blanks(source)
            given[source] = choices[position % len(choices)]
        assert mapped(given)[Attribute(name)] == VALUES[default[blank_count]]


@pytest.mark.parametrize(("name", "sources"), [(name, sources) for _, name, sources, _, _ in GUIDE[1:]])
def test_blank_everywhere_is_none(name: str, sources: list[str]) -> None:
    """An attribute all of whose sources are blank is mapped to nothing, which is not to be unknown."""
    for position in range(max(len(BLANK_TEXTS), len(BLANK_LISTS))):
        given = {source: blanks(source)[position % len(blanks(source))] for source in sources}
        result = mapped(given, **{name: sources})
        assert Attribute(name) in result
        assert result[Attribute(name)] is None


@pytest.mark.parametrize(("name", "source"), [pair for pair in PAIRS if pair[1] != "id"])
def test_a_property_that_was_not_given_is_unknown(name: str, source: str) -> None:
    """P5: a property that Graph left out says nothing, so its attribute is left out of the mapping."""
    assert Attribute(name) not in mapped({}, **{name: [source]})


@pytest.mark.parametrize(
    "name", [name for _, name, sources, _, configurable in GUIDE if configurable and len(sources) > 1]
)
def test_an_unknown_earlier_source_leaves_the_attribute_open(name: str) -> None:
    """An earlier source that was not given might have decided, so a later one does not."""
    _, _, sources, _, _ = next(row for row in GUIDE if row[1] == name)
    first, second = sources[0], sources[1]
    if {first, second} <= set(EXTENSIONS):
        given: dict[str, Any] = {}  # Graph gives all the extension attributes together or not at all
    else:
        given = {second: VALUES[second]}
    assert Attribute(name) not in mapped(given, **{name: [first, second]})


def test_a_known_first_source_needs_no_other() -> None:
    """A first source that is filled decides, whether the later ones were given or not."""
    assert mapped({"mail": VALUES["mail"]})[Attribute.EMAIL] == VALUES["mail"]


@pytest.mark.parametrize(
    ("name", "default"), [(name, default) for name, default in DEFAULTS if len(default) > 1]
)
def test_the_tenants_order_counts(name: str, default: list[str]) -> None:
    """With the default order turned round, the last source decides, and blanks fall through the new order."""
    order = list(reversed(default))
    given: dict[str, Any] = {source: VALUES[source] for source in order}
    assert mapped(given, **{name: order})[Attribute(name)] == VALUES[order[0]]
    given[order[0]] = [] if order[0] == "otherMails" else " "
    assert mapped(given, **{name: order})[Attribute(name)] == VALUES[order[1]]


@pytest.mark.parametrize("number", range(1, 16))
def test_an_extension_attribute_may_come_before_the_defaults_of_eppn(number: int) -> None:
    """EPPN may be taken from any of the fifteen extension attributes first, and from mail if it is blank."""
    source = f"extensionAttribute{number}"
    order = [source, "mail"]
    given: dict[str, Any] = {source: VALUES[source], "mail": VALUES["mail"]}
    assert mapped(given, eppn=order)[Attribute.EPPN] == VALUES[source]
    assert mapped({**given, source: None}, eppn=order)[Attribute.EPPN] == VALUES["mail"]


def test_extension_attributes_that_are_null_as_a_whole_are_blank() -> None:
    """`onPremisesExtensionAttributes: null` says that all fifteen are blank, not that they are unknown."""
    user = load_graph_user({"id": VALUES["id"], "onPremisesExtensionAttributes": None})
    result = map_user(user, tenant(ssn=EXTENSIONS))
    assert result[Attribute.SSN] is None


def test_an_extension_attribute_missing_from_the_object_is_blank() -> None:
    """Graph gives the object whole, so what is not in it is not set."""
    user = load_graph_user(
        {"id": VALUES["id"], "onPremisesExtensionAttributes": {"extensionAttribute2": "mönster"}}
    )
    result = map_user(user, tenant(ssn=["extensionAttribute1", "extensionAttribute2"]))
    assert result[Attribute.SSN] == "mönster"


@pytest.mark.parametrize("name", [name for _, name, _, _, _ in GUIDE])
def test_an_empty_source_list_leaves_the_attribute_alone(name: str) -> None:
    """An attribute with no sources is not synced at all, and the others are as before."""
    without = mapped(dict(VALUES), **{name: []})
    assert Attribute(name) not in without
    assert without == {key: value for key, value in mapped(dict(VALUES)).items() if key != name}


def test_ssn_is_not_synced_unless_the_tenant_says_from_where() -> None:
    """SSN has no source by default."""
    assert Attribute.SSN not in mapped(dict(VALUES))


@pytest.mark.parametrize(
    ("mails", "expected"),
    [
        (["a@x.example", "b@x.example"], "a@x.example"),
        (["", "b@x.example"], "b@x.example"),
        ([" ", "\n", "c@x.example", "d@x.example"], "c@x.example"),
        ([*[""] * 249, "z@x.example"], "z@x.example"),
    ],
)
def test_of_a_list_the_first_that_is_not_blank_counts(mails: list[str], expected: str) -> None:
    """`otherMails` gives its first value that is not blank."""
    assert mapped({"mail": None, "otherMails": mails})[Attribute.EMAIL] == expected


@pytest.mark.parametrize(("name", "source"), [pair for pair in PAIRS if pair[1] != "id"])
def test_surrounding_white_space_does_not_count(name: str, source: str) -> None:
    """White space around a value is cut off, and that within it stays."""
    given = {source: f" \t{VALUES[source]}\r\n"}
    assert mapped(given, **{name: [source]})[Attribute(name)] == VALUES[source]


def test_both_phones_come_from_the_one_that_entra_has() -> None:
    """Home and mobile phone number are both Entra's mobilePhone."""
    result = mapped({"mobilePhone": "+46 70 174 06 05"})
    assert result[Attribute.HOME_PHONE] == result[Attribute.MOBILE_PHONE] == "+46 70 174 06 05"


def test_a_whole_user_by_default() -> None:
    """A user with everything filled is mapped as the guide says, attribute by attribute."""
    assert mapped(dict(VALUES)) == {
        Attribute.EXTERNAL_ID: "00000000-0000-4000-8000-000000000001",
        Attribute.USER_NAME: "upn@skola.example",
        Attribute.EMAIL: "mail@skola.example",
        Attribute.IDP_IDENTIFIER: "upn@skola.example",
        Attribute.FIRST_NAME: "Åsa-Märta",
        Attribute.LAST_NAME: "Öberg Ærø",
        Attribute.CITY: "Exempelstad",
        Attribute.ADDRESS: "Storgatan 1",
        Attribute.ZIP_CODE: "123 45",
        Attribute.BIRTH_DATE: "2013-01-01",
        Attribute.HOME_PHONE: "070-174 06 05",
        Attribute.MOBILE_PHONE: "070-174 06 05",
        Attribute.EPPN: "mail@skola.example",
    }
