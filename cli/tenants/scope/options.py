"""Options of `tenants set` that add, remove or clear rules of the scope, and what asks before rules go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from administration.tenants.scope_rules import RULE_LISTS, edit_rules, known_rules, rule_as_json
from cli.confirmation import confirm
from cli.output import echo
from cli.tenants.scope.rule import scope_rule
from schemas.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from administration.tenants.scope_rules import RuleChange
    from schemas.tenants.scope import ScopeRule
    from store.tenants.tenants import Tenants

_OPTIONS: Final = tuple(
    option
    for name in RULE_LISTS
    for option in (
        click.option(
            f"--add-{name}",
            multiple=True,
            metavar="RULE",
            help=f"Add one {name} rule; the others stay. May be repeated.",
        ),
        click.option(
            f"--remove-{name}",
            multiple=True,
            metavar="RULE",
            help=f"Remove one {name} rule; the others stay. May be repeated.",
        ),
        click.option(f"--no-{name}", is_flag=True, help=f"Remove all {name} rules."),
    )
)


def scope_rule_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options for single rules."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def add_rule_edits(
    key: str, changes: dict[str, Any], options: Mapping[str, Any], tenants: Tenants
) -> tuple[str, ...]:
    """Put the lists of rules that the options make into `changes`; return the lists that may lose rules.

    These are named by an option that removes a rule, so it need not be asked about. A rule that is to be
    added and is there already is told. Raises `UsageError` for options that exclude each other, and
    `DecryptionError` when no key opens the saved rules.
    """
    removing = []
    for name in RULE_LISTS:
        added, removed = (
            [scope_rule(text, f"--{verb}-{name}") for text in options[f"{verb}_{name}"]]
            for verb in ("add", "remove")
        )
        scope = changes.get("scope") or {}
        is_named = isinstance(scope, dict) and name in scope
        if is_named + bool(added or removed) + options[f"no_{name}"] > 1:
            raise UsageError(
                f"Give either --{name}, which replaces all rules, or --add-{name} and --remove-{name}, or "
                f"--no-{name}."
            )
        if options[f"no_{name}"]:
            changes["scope"] = {**scope, name: []}
        elif added or removed:
            saved: Sequence[ScopeRule] = getattr(tenants.settings(key).scope, name)
            for rule in known_rules(saved, added):
                echo(f"There is the {name} rule {rule.text} already.", err=True)
            edited = edit_rules(name, saved, added=added, removed=removed)
            changes["scope"] = {**scope, name: [rule_as_json(rule) for rule in edited]}
            removing.append(name)
    return tuple(removing)


def names_rules(changes: Mapping[str, Any]) -> bool:
    """Say whether changes of settings name a list of rules."""
    scope = changes.get("scope")
    return isinstance(scope, dict) and not set(scope).isdisjoint(RULE_LISTS)


def confirm_lost_rules(changes: Sequence[RuleChange] | None, *, asked_for: Sequence[str], yes: bool) -> None:
    """Say which rules a change takes away, and ask; not about the lists that are `asked_for`.

    Without `changes` no key opens the saved rules. Raises `click.UsageError` if there is no terminal to ask
    on.
    """
    if changes is None:
        echo("The saved rules of the scope go. No key opens them, so they cannot be shown.", err=True)
        confirm("Change it all the same?", yes=yes)
        return
    unasked = False
    for name in (name for name in RULE_LISTS if name not in asked_for):
        lost = [each for each in changes if each.name == name and not each.is_added]
        if lost:
            unasked = True
            echo(f"These {name} rules go: {', '.join(_removed(each) for each in lost)}", err=True)
            if any(each.name == name and each.is_added for each in changes):
                echo(f"To keep them, add a rule with --add-{name}.", err=True)
    if unasked:
        confirm("Take these rules away?", yes=yes)


def print_rule_changes(key: str, changes: Sequence[RuleChange]) -> None:
    """Print which rules are gone and which are new, and how many users they concern, if that is known."""
    for each in changes:
        if each.is_added:
            echo(f"Added {each.name} rule {each.rule.text}.")
        else:
            echo(f"Removed {each.name} rule {_removed(each)}.")
    if any(each.is_added for each in changes):
        echo(f"How many users the new rules leave out: update-sync tenants preview {key}")


def _removed(change: RuleChange) -> str:
    if change.users is None:
        return change.rule.text
    users = "no user" if not change.users else f"{change.users} user{'s' if change.users > 1 else ''}"
    return f"{change.rule.text}, which left out {users} in run {change.run}"
