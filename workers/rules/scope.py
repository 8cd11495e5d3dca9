"""Decides whether a user is in the scope of a tenant's sync."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from schemas.tenants.scope import Operator, folded

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from schemas.tenants.scope import Scope, ScopeRule
    from schemas.users.graph_user import GraphUser

#: Graph's `userType` of users of another directory. Old accounts of the directory's own may have none.
_GUEST: Final = "guest"

_EXCLUDE: Final = "scope.exclude"
_MATCHES: Final = "the user matches the rule"


@dataclass(frozen=True, kw_only=True)
class RuleResult:
    """The result of one scope rule for a user: `setting` names the rule, `reason` the fact that it checked.

    The texts never hold the user's value: an exclusion may mark a protected identity (promise P6). `rule` is
    the rule of `scope.exclude` that excludes the user, or the one of `scope.include` that includes the user.
    """

    setting: str
    allows: bool
    reason: str
    rule: ScopeRule | None = None


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
    return next((_as_reason(each.setting, each.reason) for each in results if not each.allows), None)


def exclusion_reasons(scope: Scope) -> dict[ScopeRule, str]:
    """Return what `exclusion_reason` says of users that each rule of `scope.exclude` excludes."""
    reasons = (_as_reason(f"{_EXCLUDE} {label}", _MATCHES) for label in scope.exclude_labels)
    return dict(zip(scope.exclude, reasons, strict=True))


def _as_reason(setting: str, reason: str) -> str:
    return f"{setting}: {reason}"


def _rule_results(user: GraphUser, scope: Scope) -> Iterator[RuleResult]:
    if scope.enabled_only:
        yield _rule_result("scope.enabled_only", user.account_enabled is True, "the account is{} enabled")
    if scope.members_only:
        is_member = (user.user_type or "").casefold() != _GUEST
        yield _rule_result("scope.members_only", is_member, "the account is{} a member")
    if scope.include:
        match = next((rule for rule in scope.include if _holds(rule, user)), None)
        reason = "the user matches no rule" if match is None else f"the user matches {match.label}"
        yield RuleResult(setting="scope.include", allows=match is not None, reason=reason, rule=match)
    for rule, label in zip(scope.exclude, scope.exclude_labels, strict=True):
        held = _holds(rule, user)
        reason = _MATCHES if held else "the user does not match the rule"
        yield RuleResult(setting=f"{_EXCLUDE} {label}", allows=not held, reason=reason, rule=rule)


def _holds(rule: ScopeRule, user: GraphUser) -> bool:
    texts = [folded(text) for text in user.texts(rule.source) or ()]
    wanted = tuple(map(folded, rule.values))
    match rule.operator:
        case Operator.IS_BLANK:
            return not texts
        case Operator.EQUALS | Operator.ONE_OF:
            return not set(wanted).isdisjoint(texts)
        case Operator.STARTS_WITH:
            return any(text.startswith(wanted) for text in texts)
        case Operator.ENDS_WITH:
            return any(text.endswith(wanted) for text in texts)


def _rule_result(setting: str, allows: bool, reason: str) -> RuleResult:  # noqa: FBT001 - what was found
    return RuleResult(setting=setting, allows=allows, reason=reason.format("" if allows else " not"))
