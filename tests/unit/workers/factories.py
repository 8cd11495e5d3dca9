"""Made-up tenants and Entra users for the tests of the pure steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from hypothesis import strategies as st

from schemas.tenants.scope import Operator, ScopeRule
from schemas.tenants.tenant import Tenant
from schemas.users.attributes import ATTRIBUTE_TABLE, EXTENSION_ATTRIBUTES
from schemas.users.skolon_user import SkolonUser
from workers.rules.mapping import invalid_user, invalid_values, mapped_values, resolve_sources

if TYPE_CHECKING:
    from collections.abc import Mapping

    from schemas.users.attributes import Attribute
    from schemas.users.graph_user import GraphUser
    from workers.rules.mapping import Mapped

ENTRA_ID: Final = "00000000-0000-4000-8000-000000000001"

#: Graph's properties that hold one text and fill an attribute.
TEXT_PROPERTIES: Final = (
    "userPrincipalName",
    "mail",
    "onPremisesImmutableId",
    "givenName",
    "surname",
    "city",
    "streetAddress",
    "postalCode",
    "mobilePhone",
)


def tenant(**settings: Any) -> Tenant:
    return Tenant(
        key="exempelkommun",
        name="Exempelkommun",
        entra_tenant_id="00000000-0000-4000-8000-0000000000aa",
        client_id="client",
        organisation="organisation",
        **settings,
    )


def equals(source: str, value: str) -> ScopeRule:
    """Return the commonest rule of a scope."""
    return ScopeRule(source=source, operator=Operator.EQUALS, values=(value,))


def map_user(user: GraphUser, chosen: Tenant) -> Mapped:
    """Return what Skolon should have; raise `PermanentError` that names each value that breaks a rule."""
    mapped = mapped_values(resolve_sources(user, chosen))
    check_values(mapped, chosen)
    return mapped


def check_values(mapped: Mapping[Attribute, str | None], chosen: Tenant) -> None:
    if faults := invalid_values(mapped, chosen):
        raise invalid_user(faults)


def skolon_user(user_id: str = "s1", **attributes: str | None) -> SkolonUser:
    return SkolonUser(
        id=user_id, version=None, attributes={name: attributes.get(str(name)) for name in ATTRIBUTE_TABLE}
    )


def texts(marker: str = "") -> st.SearchStrategy[str]:
    """Give any text: with white space, control characters, quotes, and every alphabet."""
    awkward = st.sampled_from(["", " ", "a@b.example", "a@@b", '"\\', "å@ä.example", "\x00", "x@y z", "Ö"])
    return st.one_of(awkward, st.text(max_size=20)).map(
        lambda text: text and f"{text[:10]}{marker}{text[10:]}"
    )


def graph_users(marker: str = "") -> st.SearchStrategy[dict[str, Any]]:
    """Give users as Graph might; each value that is not empty holds `marker`."""
    text = st.none() | texts(marker)
    return st.fixed_dictionaries(
        {"id": st.just(ENTRA_ID)},
        optional={
            **dict.fromkeys(TEXT_PROPERTIES, text),
            "otherMails": st.lists(texts(marker), max_size=4),
            "onPremisesExtensionAttributes": st.none()
            | st.dictionaries(st.sampled_from(EXTENSION_ATTRIBUTES), text, max_size=5),
        },
    )


def tenants() -> st.SearchStrategy[Tenant]:
    """Give tenants with any sources that the table allows, in any order."""
    sources = st.fixed_dictionaries(
        {
            name: st.lists(st.sampled_from(row.sources), unique=True, max_size=5).map(tuple)
            for name, row in ATTRIBUTE_TABLE.items()
        }
    )
    countries = st.sampled_from([None, "SE", "NO", "DK", "FI"])
    return st.builds(lambda chosen, country: tenant(sources=chosen, ssn_country=country), sources, countries)
