"""Options of `tenants set` that add, remove or clear rules of the scope, and what asks before rules go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from administration.tenants.scope_rules import RULE_LISTS, edit_rules, lost_rules, rule_as_text
from cli.confirmation import confirm
from cli.output import echo
from cli.tenants.options import RULE, scope_rule
from schemas.crypto.encryption import DecryptionError
from schemas.errors import UsageError
from schemas.tenants.tenant import dump_tenant

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from store.tenants.tenants import Tenants

_OPTIONS: Final = tuple(
    option
    for name in RULE_LISTS
    for option in (
        click.option(f"--add-{name}", multiple=True, metavar=RULE, help=f"Add one {name} rule. Repeatable."),
        click.option(
            f"--remove-{name}", multiple=True, metavar=RULE, help=f"Remove one {name} rule. Repeatable."
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

    These are named by an option that removes a rule, so it need not be asked about. Raises `UsageError` for
    options that exclude each other, and `DecryptionError` when no key opens the saved rules.
    """
    removing = []
    for name in RULE_LISTS:
        added, removed = ([scope_rule(text, f"--{verb}-{name}") for text in options[f"{verb}_{name}"]]
                          for verb in ("add", "remove"))  # fmt: skip
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
            saved = dump_tenant(tenants.settings(key))["scope"][name]
            changes["scope"] = {**scope, name: edit_rules(name, saved, added=added, removed=removed)}
            removing.append(name)
    return tuple(removing)


def confirm_lost_rules(
    key: str, changes: Mapping[str, Any], tenants: Tenants, *, asked_for: tuple[str, ...], yes: bool
) -> None:
    """Say which rules a change takes away, and ask; not about the lists that are `asked_for`.

    Raises `click.UsageError` if there is no terminal to ask on. A change of other settings is not asked
    about.
    """
    scope = changes.get("scope")
    if not isinstance(scope, dict) or set(scope).isdisjoint(RULE_LISTS):
        return
    try:
        lost = lost_rules(dump_tenant(tenants.settings(key))["scope"], changes)
    except DecryptionError:
        echo("The saved rules of the scope go. No key opens them, so they cannot be shown.", err=True)
        confirm("Change it all the same?", yes=yes)
        return
    unasked = {name: rules for name, rules in lost.items() if name not in asked_for}
    for name, rules in unasked.items():
        echo(f"These {name} rules go: {', '.join(map(rule_as_text, rules))}", err=True)
        if changes["scope"][name]:
            echo(f"To keep them, add a rule with --add-{name}.", err=True)
    if unasked:
        confirm("Take these rules away?", yes=yes)
