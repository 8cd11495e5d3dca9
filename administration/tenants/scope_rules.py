"""Adds and removes single rules of a tenant's scope, and tells which rules a change takes away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from schemas.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: The lists of rules that a scope has.
RULE_LISTS: Final = ("include", "exclude")

Rule = dict[str, Any]


def edit_rules(
    name: str, saved: Sequence[Rule], *, added: Sequence[Rule] = (), removed: Sequence[Rule] = ()
) -> list[Rule]:
    """Return the rules of the list `name` with some removed and others added, each once.

    Raises `UsageError` for a rule that is to be removed and is not there.
    """
    missing = [rule for rule in removed if rule not in saved]
    if missing:
        there = ", ".join(map(rule_as_text, saved)) or "none"
        raise UsageError(
            f"There is no {name} rule {', '.join(map(rule_as_text, missing))}. Those there are: {there}."
        )
    kept = [rule for rule in saved if rule not in removed]
    return kept + [rule for place, rule in enumerate(added) if rule not in [*kept, *added[:place]]]


def lost_rules(saved: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, list[Rule]]:
    """Return the saved rules that a change takes away, by their list; `changes` may be of any form."""
    scope = changes.get("scope")
    found = {}
    for name in RULE_LISTS:
        named = scope.get(name) if isinstance(scope, dict) else None
        if isinstance(named, list) and (lost := [rule for rule in saved[name] if rule not in named]):
            found[name] = lost
    return found


def rule_as_text(rule: Mapping[str, Any]) -> str:
    """Return a rule as the options of `tenants set` take it."""
    [(operator, value)] = [(name, value) for name, value in rule.items() if name != "source"]
    if value is True:
        return f"{rule['source']}:{operator}"
    values = ",".join(value) if isinstance(value, list) else value
    return f"{rule['source']}={values}" if operator == "equals" else f"{rule['source']}:{operator}={values}"
