"""Decides whether a delta's data of a user are complete enough.

A delta leaves out properties. A missing property is unknown: it may be blank or not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.users.attributes import BIRTHDAY, Attribute

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schemas.tenants.tenant import Tenant
    from schemas.users.graph_user import GraphUser


def missing_properties(user: GraphUser, tenant: Tenant) -> set[str]:
    """Return the missing properties that would decide scope, match or an attribute's value.

    A property does not count where it makes no difference: an attribute without any value stays as it is in
    Skolon, whether its source is blank or unknown (promise P5).
    """
    missing = {source for source in _of_scope(tenant) if user.texts(source) is None}
    if tenant.scope.enabled_only and user.account_enabled is None:
        missing.add("accountEnabled")
    for attribute, sources in tenant.sources.items():
        missing |= _of_attribute(user, attribute, sources, tenant)
    return missing


def _of_scope(tenant: Tenant) -> Iterator[str]:
    if tenant.scope.members_only:
        yield "userType"
    yield from tenant.scope.sources


def _of_attribute(
    user: GraphUser, attribute: Attribute, sources: tuple[str, ...], tenant: Tenant
) -> set[str]:
    unknown: set[str] = set()
    for source in sources:
        texts = user.texts(source)
        if texts is None:
            # No page has birthdays: the pipeline reads them one by one.
            if source != BIRTHDAY:
                unknown.add(source)
        elif texts:
            # This source has a value, which decides if the sources before it are blank.
            return unknown
    blank_counts = attribute in tenant.match_keys or attribute in tenant.erase_blank
    return unknown if blank_counts else set()
