"""Decides whether a user is in the scope of a tenant's sync."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from schemas.details.detail import Detail
from schemas.details.kinds import DetailKind
from schemas.tenants.scope import Operator, folded

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from schemas.tenants.scope import Scope, ScopeRule
    from schemas.users.graph_user import GraphUser

#: Graph's `userType` of users of another directory. Old accounts of the directory's own may have none.
_GUEST: Final = "guest"

_EXCLUDE: Final = "scope.exclude"


@dataclass(frozen=True, kw_only=True)
class RuleResult:
    """The result of one scope rule for a user: `setting` names the rule, `reason` the fact that it checked.

    The texts never hold the user's value: an exclusion may mark a protected identity (promise P6). `rule` is
    the rule of `scope.exclude` that excludes the user, or the one of `scope.include` that includes the user.
    """

    setting: str
    allows: bool
    reason: Detail
    rule: ScopeRule | None = None


#: Excludes a user that Skolon marks as protected, which is known once it is found.
PROTECTED_IN_SKOLON: Final = RuleResult(
    setting="securityMarking", allows=False, reason=Detail(DetailKind.PROTECTED_IN_SKOLON)
)


def evaluate_scope(user: GraphUser, scope: Scope, *, is_ignored: bool = False) -> tuple[RuleResult, ...]:
    """Return the results of the rules, up to and including the first one that excludes the user.

    `is_ignored` says that an administrator has decided to leave the user alone.
    """
    if is_ignored:
        reason = Detail(DetailKind.IGNORED_BY_DECISION)
        return (RuleResult(setting="matches ignore", allows=False, reason=reason),)
    results = []
    for result in _rule_results(user, scope):
        results.append(result)
        if not result.allows:
            break
    return tuple(results)


def exclusion_reason(results: Sequence[RuleResult]) -> Detail | None:
    """Return the first rule that excludes the user, with its reason, or None if in scope."""
    return next((_as_reason(each.setting, each.reason) for each in results if not each.allows), None)


def exclusion_reasons(scope: Scope) -> dict[ScopeRule, Detail]:
    """Return what `exclusion_reason` says of users that each rule of `scope.exclude` excludes."""
    matches = Detail(DetailKind.EXCLUDED_BY_RULE)
    reasons = (_as_reason(f"{_EXCLUDE} {label}", matches) for label in scope.exclude_labels)
    return dict(zip(scope.exclude, reasons, strict=True))


def _as_reason(setting: str, reason: Detail) -> Detail:
    return Detail(DetailKind.EXCLUDED, setting=setting, fact=reason)


def _rule_results(user: GraphUser, scope: Scope) -> Iterator[RuleResult]:
    if scope.enabled_only:
        is_enabled = user.account_enabled is True
        kind = DetailKind.ACCOUNT_ENABLED if is_enabled else DetailKind.ACCOUNT_NOT_ENABLED
        yield RuleResult(setting="scope.enabled_only", allows=is_enabled, reason=Detail(kind))
    if scope.members_only:
        is_member = (user.user_type or "").casefold() != _GUEST
        kind = DetailKind.ACCOUNT_MEMBER if is_member else DetailKind.ACCOUNT_NOT_MEMBER
        yield RuleResult(setting="scope.members_only", allows=is_member, reason=Detail(kind))
    if scope.include:
        match = next((rule for rule in scope.include if _holds(rule, user)), None)
        reason = (
            Detail(DetailKind.INCLUDED_BY_NO_RULE)
            if match is None
            else Detail(DetailKind.INCLUDED_BY_RULE, rule=match.label)
        )
        yield RuleResult(setting="scope.include", allows=match is not None, reason=reason, rule=match)
    for rule, label in zip(scope.exclude, scope.exclude_labels, strict=True):
        held = _holds(rule, user)
        reason = Detail(DetailKind.EXCLUDED_BY_RULE if held else DetailKind.NOT_EXCLUDED_BY_RULE)
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
