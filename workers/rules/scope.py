"""Decides whether a user is in the scope of a tenant's sync."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from schemas.tenants.tenant import Scope
    from schemas.users.graph_user import GraphUser

#: Graph's `userType` of the directory's own users; the other value is Guest.
_MEMBER: Final = "member"


@dataclass(frozen=True, kw_only=True)
class RuleResult:
    """The result of one scope rule for a user: `setting` names the rule, `reason` the fact that it checked.

    The text never holds the user's value: an exclusion may mark a protected identity (promise P6).
    """

    setting: str
    allows: bool
    reason: str


def evaluate_scope(user: GraphUser, scope: Scope, *, is_ignored: bool = False) -> tuple[RuleResult, ...]:
    """Return the results of the rules, up to and including the first one that excludes the user.

    `is_ignored` says that an administrator has decided to leave the user alone.
    """
    if is_ignored:
        return (RuleResult(setting="matches ignore", allows=False, reason="the user is left alone"),)
    results = []
    for result in _rule_results(user, scope):
        results.append(result)
        if not result.allows:
            break
    return tuple(results)


def exclusion_reason(results: Sequence[RuleResult]) -> str | None:
    """Return the first rule that excludes the user, with its reason, or None if in scope."""
    return next((f"{each.setting}: {each.reason}" for each in results if not each.allows), None)


def _rule_results(user: GraphUser, scope: Scope) -> Iterator[RuleResult]:
    if scope.enabled_only:
        yield _rule_result("scope.enabled_only", user.account_enabled is True, "the account is{} enabled")
    if scope.members_only:
        is_member = (user.user_type or "").casefold() == _MEMBER
        yield _rule_result("scope.members_only", is_member, "the account is{} a member")
    for position, rule in enumerate(scope.exclude):
        wanted = rule.equals.strip().casefold()
        held = any(text.casefold() == wanted for text in user.texts(rule.source) or ())
        reason = "holds the value that excludes" if held else "does not hold the value that excludes"
        yield RuleResult(
            setting=f"scope.exclude[{position}]", allows=not held, reason=f"{rule.source} {reason}"
        )


def _rule_result(setting: str, allows: bool, reason: str) -> RuleResult:  # noqa: FBT001 - what was found
    return RuleResult(setting=setting, allows=allows, reason=reason.format("" if allows else " not"))
