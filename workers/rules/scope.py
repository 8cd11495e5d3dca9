"""Whom the sync looks at: a decision about one Entra user."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from schemas.tenants.tenant import Scope
    from schemas.users.graph_user import GraphUser

#: Graph's word for a person of the directory's own (`userType`); the other one is Guest.
_MEMBER: Final = "member"


@dataclass(frozen=True, kw_only=True)
class Ruling:
    """What one rule of a scope says of a user: `setting` names the rule, `because` what it looked at.

    The text never holds the user's value: an exclusion may mark a protected identity (promise P6).
    """

    setting: str
    allows: bool
    because: str


def rulings(user: GraphUser, scope: Scope) -> tuple[Ruling, ...]:
    """Return what the rules say, up to and with the first that leaves the user alone."""
    said = []
    for ruling in _rulings(user, scope):
        said.append(ruling)
        if not ruling.allows:
            break
    return tuple(said)


def why_out_of_scope(said: Sequence[Ruling]) -> str | None:
    """Return why the sync leaves the user alone of whom that was said, or None if it does not."""
    return next((f"{each.setting}: {each.because}" for each in said if not each.allows), None)


def _rulings(user: GraphUser, scope: Scope) -> Iterator[Ruling]:
    if scope.enabled_only:
        yield _ruling("scope.enabled_only", user.account_enabled is True, "the account is{} enabled")
    if scope.members_only:
        is_member = (user.user_type or "").casefold() == _MEMBER
        yield _ruling("scope.members_only", is_member, "the account is{} a member")
    for position, rule in enumerate(scope.exclude):
        wanted = rule.equals.strip().casefold()
        held = any(text.casefold() == wanted for text in user.texts(rule.source) or ())
        because = "holds the value that excludes" if held else "does not hold the value that excludes"
        yield Ruling(
            setting=f"scope.exclude[{position}]", allows=not held, because=f"{rule.source} {because}"
        )


def _ruling(setting: str, allows: bool, because: str) -> Ruling:  # noqa: FBT001 - what was found
    return Ruling(setting=setting, allows=allows, because=because.format("" if allows else " not"))
