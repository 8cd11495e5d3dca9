"""Decides which values stay in Skolon although Entra has others: pure decisions.

An address whose source goes blank is mostly a mistake or a passing state. The next source may hold what
belongs to others: siblings share a parent's address in `otherMails`. And a server may cut, trim or reformat a
value: then it differs in each run, and writing it changes nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.users.attributes import ATTRIBUTE_TABLE, SOURCE_ORDERED_ATTRIBUTES, Attribute

if TYPE_CHECKING:
    from collections.abc import Mapping

    from schemas.tenants.tenant import Tenant
    from schemas.users.skolon_user import SkolonUser
    from store.changes.last_writes import LastWrites
    from workers.rules.mapping import ResolvedSource


def later_sources(sources: Mapping[Attribute, ResolvedSource], tenant: Tenant) -> dict[Attribute, str]:
    """Return the attributes whose value comes from another source than their first, each with that source."""
    return {
        attribute: each.source
        for attribute, each in sources.items()
        if attribute in SOURCE_ORDERED_ATTRIBUTES
        and each.known
        and each.source is not None
        and each.source != tenant.sources[attribute][0]
    }


def replaced_by_later_source(
    user: SkolonUser, changes: Mapping[Attribute, str | None], later: Mapping[Attribute, str], tenant: Tenant
) -> frozenset[Attribute]:
    """Return the attributes of which a later source would replace what Skolon has."""
    return frozenset(
        attribute
        for attribute in later
        if changes.get(attribute) is not None
        and user.attributes.get(attribute) is not None
        and attribute not in tenant.replace_from_later_sources
    )


def keeps_value(
    source: str,
    order: tuple[str, ...],
    remembered: str | None,
    *,
    may_replace: bool,
) -> bool:
    """Say whether a value in Skolon stays, though a later `source` in the tenant's `order` has another one.

    It stays if it came from an earlier source (`remembered`): that one has gone blank. A value that always
    came from this source is replaced, such as the renamed user principal name of a school without mail, also
    when a source that has never had a value was put before it. If nothing is remembered, only a value that
    `may_replace` another one does, such as the user's own.
    """
    if remembered is None or remembered not in order:
        return not may_replace
    return order.index(remembered) < order.index(source)


def altered_values(
    user: SkolonUser, changes: Mapping[Attribute, str | None], last: LastWrites | None
) -> frozenset[Attribute]:
    """Return the attributes whose new value a run has written already, and Skolon does not show as written.

    The user's version tells that nothing has changed it since. Where Skolon gives no versions, or had only
    accepted the update (202), the value is the one that it showed right after the run had written. Otherwise
    nothing is known: another source may have replaced the value, and it is written.
    """
    if last is None or user.id != last.skolon_id:
        return frozenset()
    is_same = user.version is not None and user.version == last.version
    has_no_version = user.version is None or last.version is None
    return frozenset(
        attribute
        for attribute, value in changes.items()
        if last.wrote(attribute, value)
        and (is_same or (has_no_version and last.showed(attribute, user.attributes.get(attribute))))
    )


def in_order(attributes: frozenset[Attribute]) -> tuple[Attribute, ...]:
    """Return attributes in the table's order."""
    return tuple(attribute for attribute in ATTRIBUTE_TABLE if attribute in attributes)
