"""Decides whether a user is in the scope of a tenant's sync."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from schemas.tenants.scope import Operator

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from schemas.tenants.scope import Scope, ScopeRule
    from schemas.users.graph_user import GraphUser

#: Graph's `userType` of users of another directory. Old accounts of the directory's own may have none.
_GUEST: Final = "guest"


@dataclass(frozen=True, kw_only=True)
class RuleResult:
    """The result of one scope rule for a user: `setting` names the rule, `reason` the fact that it checked.

    The text never holds the user's value: an exclusion may mark a protected identity (promise P6).
    """

    setting: str
    allows: bool
    reason: str


#: Excludes a user that Skolon marks as protected, which is known once it is found.
PROTECTED_IN_SKOLON: Final = RuleResult(
    setting="securityMarking", allows=False, reason="Skolon marks the user as protected"
)


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
        is_member = (user.user_type or "").casefold() != _GUEST
        yield _rule_result("scope.members_only", is_member, "the account is{} a member")
    if scope.include:
        matches = [position for position, rule in enumerate(scope.include) if _holds(rule, user)]
        reason = f"the user matches rule {matches[0]}" if matches else "the user matches no rule"
        yield RuleResult(setting="scope.include", allows=bool(matches), reason=reason)
    for position, rule in enumerate(scope.exclude):
        held = _holds(rule, user)
        reason = "matches the rule" if held else "does not match the rule"
        yield RuleResult(
            setting=f"scope.exclude[{position}]", allows=not held, reason=f"{rule.source} {reason}"
        )


def _holds(rule: ScopeRule, user: GraphUser) -> bool:
    texts = [_folded(text) for text in user.texts(rule.source) or ()]
    wanted = tuple(map(_folded, rule.values))
    match rule.operator:
        case Operator.IS_BLANK:
            return not texts
        case Operator.EQUALS | Operator.ONE_OF:
            return not set(wanted).isdisjoint(texts)
        case Operator.STARTS_WITH:
            return any(text.startswith(wanted) for text in texts)
        case Operator.ENDS_WITH:
            return any(text.endswith(wanted) for text in texts)


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", text.strip()).casefold()


def _rule_result(setting: str, allows: bool, reason: str) -> RuleResult:  # noqa: FBT001 - what was found
    return RuleResult(setting=setting, allows=allows, reason=reason.format("" if allows else " not"))
