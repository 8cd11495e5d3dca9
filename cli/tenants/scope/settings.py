"""Options that set a scope: the same ones for `tenants add`, `tenants set` and `tenants preview`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from administration.tenants.scope_rules import RULE_LISTS, rule_as_json
from cli.tenants.scope.rule import RULE, scope_rule

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def for_new(default: str) -> str:
    """Return how the default of a setting is shown: `tenants set` keeps the setting."""
    return f"{default} for a new tenant"


SCOPE_OPTIONS: Final = (
    click.option(
        "--enabled-only/--all-accounts",
        default=None,
        show_default=for_new("--all-accounts"),
        help="Whether disabled accounts are left out.",
    ),
    click.option(
        "--members-only/--with-guests",
        default=None,
        show_default=for_new("--members-only"),
        help="Whether guests are left out.",
    ),
    click.option(
        "--include",
        multiple=True,
        metavar="RULE",
        show_default=for_new("none"),
        help="Sync only users that one of these rules fits. Replaces all include rules. May be repeated. "
        f"{RULE}",
    ),
    click.option(
        "--exclude",
        multiple=True,
        metavar="RULE",
        show_default=for_new("none"),
        help="Sync no user that one of these rules fits. Replaces all exclude rules. May be repeated.",
    ),
)


def scope_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that set a scope."""
    for option in reversed(SCOPE_OPTIONS):
        command = option(command)
    return command


def add_scope(changes: dict[str, Any], options: Mapping[str, Any]) -> None:
    """Put what the options say of the scope into `changes` of settings."""
    named: dict[str, Any] = {
        name: options[name] for name in ("enabled_only", "members_only") if options[name] is not None
    }
    for name in RULE_LISTS:
        if options[name]:
            named[name] = [rule_as_json(scope_rule(text, f"--{name}")) for text in options[name]]
    if named:
        changes["scope"] = merged(changes.get("scope"), named)


def merged(given: Any, named: dict[str, Any]) -> Any:
    """Return the file's value with the options merged in; what is not an object is refused later."""
    return {**(given or {}), **named} if given is None or isinstance(given, dict) else given
