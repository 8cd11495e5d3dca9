"""What the properties of one Entra user hold for the attributes, beside the Skolon user: no values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.runs.totals.source_facts import ATTRIBUTES_BY_SOURCE, DIGEST_LENGTH, Fit, format_facts
from schemas.users.attributes import values_match
from workers.rules.mapping import invalid_values, resolve_source

if TYPE_CHECKING:
    from collections.abc import Callable

    from schemas.tenants.tenant import Tenant
    from schemas.users.attributes import Attribute
    from schemas.users.graph_user import GraphUser
    from schemas.users.skolon_user import SkolonUser


def source_facts(
    user: GraphUser, held: SkolonUser | None, tenant: Tenant, digest: Callable[[str], str]
) -> str:
    """Return the facts as a receipt keeps them; `held` is the matched Skolon user, None for none.

    `digest` returns a keyed digest of a text.
    """
    facts = []
    for source, attributes in ATTRIBUTES_BY_SOURCE.items():
        texts = user.texts(source)
        if texts:
            fits = [_fit(attribute, user, source, held, tenant) for attribute in attributes]
            facts.append((source, digest(texts[0].lower())[-DIGEST_LENGTH:], fits))
    return format_facts(facts)


def _fit(attribute: Attribute, user: GraphUser, source: str, held: SkolonUser | None, tenant: Tenant) -> Fit:
    value = resolve_source(attribute, user, (source,)).value
    if value is None:
        return Fit.NONE
    if invalid_values({attribute: value}, tenant):
        return Fit.INVALID
    if held is None:
        return Fit.ALONE
    other = held.attributes.get(attribute)
    if other is None:
        return Fit.BLANK
    return Fit.AGREES if values_match(attribute, other, value) else Fit.DIFFERS
