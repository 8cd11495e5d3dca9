"""Adds and removes single rules of a tenant's scope, and tells which rules a change adds and takes away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from schemas.crypto.encryption import DecryptionError
from schemas.errors import UsageError
from schemas.tenants.scope import ScopeRuleSchema
from schemas.tenants.tenant import change_tenant
from workers.rules.scope import exclusion_reasons

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from schemas.tenants.scope import ScopeRule
    from schemas.tenants.tenant import Tenant
    from store.store import Store

#: The lists of rules that a scope has.
RULE_LISTS: Final = ("include", "exclude")

_SCHEMA: Final = ScopeRuleSchema()


@dataclass(frozen=True, kw_only=True)
class RuleChange:
    """A rule of the list `name` that a change adds or removes.

    Of a rule that goes, `users` is how many users it left out in `run`, the last full run; None if that is
    not known.
    """

    name: str
    rule: ScopeRule
    is_added: bool
    run: int | None = None
    users: int | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object."""
        return {
            "list": self.name,
            "rule": rule_as_json(self.rule),
            "change": "added" if self.is_added else "removed",
            "run": None if self.run is None else str(self.run),
            "users": self.users,
        }


def edit_rules(
    name: str,
    saved: Sequence[ScopeRule],
    *,
    added: Sequence[ScopeRule] = (),
    removed: Sequence[ScopeRule] = (),
) -> list[ScopeRule]:
    """Return the rules of the list `name` with some removed and others added.

    Rules are the same if they compare alike. Raises `UsageError` for a rule that is to be removed and is not
    there, and for one that is to be added and removed.
    """
    both = _among(added, removed)
    if both:
        raise UsageError(f"{_texts(both)}: one command cannot both add and remove an {name} rule.")
    missing = [rule for rule in removed if not _among([rule], saved)]
    if missing:
        there = f"Those there are: {_texts(saved)}" if saved else "There is none"
        raise UsageError(f"There is no {name} rule {_texts(missing)}. {there}.")
    gone = {rule.comparison for rule in removed}
    return [*(rule for rule in saved if rule.comparison not in gone), *added]


def known_rules(saved: Sequence[ScopeRule], added: Sequence[ScopeRule]) -> list[ScopeRule]:
    """Return the saved rules that compare as one of those that are to be added."""
    return _among(saved, added)


def saved_rule_changes(key: str, changes: Mapping[str, Any], store: Store) -> tuple[RuleChange, ...] | None:
    """Return the rules that a change of settings would add and remove, those that go first.

    None if no key opens the saved rules. Raises `InvalidTenantError` for settings that are none.
    """
    try:
        tenant = store.tenants.settings(key)
    except DecryptionError:
        return None
    after, _ = change_tenant(tenant, changes)
    removed, added = list[RuleChange](), list[RuleChange]()
    for name in RULE_LISTS:
        old, new = getattr(tenant.scope, name), getattr(after.scope, name)
        removed += [RuleChange(name=name, rule=rule, is_added=False) for rule in _without(old, new)]
        added += [RuleChange(name=name, rule=rule, is_added=True) for rule in _without(new, old)]
    return (*_counted(tenant, removed, store), *added)


def rule_as_json(rule: ScopeRule) -> dict[str, Any]:
    """Return a rule as a tenant's settings have it."""
    shown: dict[str, Any] = _SCHEMA.dump(rule)
    return shown


def rule_as_text(rule: Mapping[str, Any]) -> str:
    """Return a rule of a tenant's settings as the options of `tenants set` take it."""
    loaded: ScopeRule = _SCHEMA.load(rule)
    return loaded.text


def _counted(tenant: Tenant, removed: Sequence[RuleChange], store: Store) -> list[RuleChange]:
    last = store.scope_exits.left_out_by_last_run(tenant.key) if removed else None
    if last is None:
        return list(removed)
    reasons = exclusion_reasons(tenant.scope)
    return [
        RuleChange(
            name=each.name,
            rule=each.rule,
            is_added=False,
            run=last.run,
            users=last.users.get(reasons[each.rule], 0),
        )
        if each.name == "exclude"
        else each
        for each in removed
    ]


def _among(rules: Iterable[ScopeRule], others: Iterable[ScopeRule]) -> list[ScopeRule]:
    comparisons = {rule.comparison for rule in others}
    return [rule for rule in rules if rule.comparison in comparisons]


def _without(rules: Iterable[ScopeRule], others: Iterable[ScopeRule]) -> list[ScopeRule]:
    comparisons = {rule.comparison for rule in others}
    return [rule for rule in rules if rule.comparison not in comparisons]


def _texts(rules: Iterable[ScopeRule]) -> str:
    return ", ".join(rule.text for rule in rules)
