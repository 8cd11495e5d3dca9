"""Whom the sync looks at: a decision about one Entra user."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from schemas.graph_user import GraphUser
    from schemas.tenants import Scope

#: Graph's word for a person of the directory's own (`userType`); the other one is Guest.
_MEMBER: Final = "member"


def why_out_of_scope(user: GraphUser, scope: Scope) -> str | None:
    """Return why the sync leaves this user alone, or None if it does not.

    The text names the setting and never the user's value: an exclusion may mark a protected identity.
    """
    if scope.enabled_only and user.account_enabled is not True:
        return "scope.enabled_only: the account is not enabled"
    if scope.members_only and (user.user_type or "").casefold() != _MEMBER:
        return "scope.members_only: the account is not a member"
    for position, rule in enumerate(scope.exclude):
        wanted = rule.equals.strip().casefold()
        if any(text.casefold() == wanted for text in user.texts(rule.source) or ()):
            return f"scope.exclude[{position}]: {rule.source} holds the value that excludes"
    return None
