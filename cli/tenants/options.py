"""Options for single settings of a tenant, as changes to the contract's object."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from schemas.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

_STDIN: Final = "-"

#: Bytes of a file of settings, and levels of JSON in it: a tenant has a few KiB, and four levels.
LARGEST_FILE: Final = 1024 * 1024
DEEPEST_JSON: Final = 20

_PLAIN: Final = (
    "name", "entra_tenant_id", "client_id", "organisation", "client_secret_expires", "ssn_country",
    "birthdays", "schedule", "time_zone", "enabled", "give_up_after_hours", "trust_receipts_days",
)  # fmt: skip

_OPTIONS: Final = (
    click.option("--from", "source_file", metavar="FILE", help="A JSON object; - is standard input."),
    click.option(
        "--client-secret-file", metavar="FILE", help="The secret's Value alone; - is standard input."
    ),
    click.option("--name"),
    click.option("--entra-tenant-id", help="The directory (tenant) id."),
    click.option("--client-id"),
    click.option("--organisation", help="Skolon's."),
    click.option("--client-secret-expires", metavar="YYYY-MM-DD"),
    click.option("--source", "source", multiple=True, metavar="ATTRIBUTE=SOURCE,…", help="May be repeated."),
    click.option("--match-keys", metavar="KEY,…"),
    click.option("--erase-blank", metavar="ATTRIBUTE,…"),
    click.option("--ssn-country", metavar="SE|NO|DK|FI"),
    click.option("--birthdays/--no-birthdays", default=None),
    click.option("--enabled-only/--all-accounts", default=None),
    click.option("--members-only/--with-guests", default=None),
    click.option("--exclude", multiple=True, metavar="SOURCE=VALUE", help="May be repeated."),
    click.option("--give-up-after-hours", type=float),
    click.option("--trust-receipts-days", type=int),
    click.option("--schedule", metavar="CRON", help="Five fields of crontab, such as '30 2 * * *'."),
    click.option("--no-schedule", is_flag=True, help="Nothing is triggered by itself."),
    click.option("--time-zone", metavar="ZONE", help="Of the schedule, such as Europe/Stockholm."),
    click.option("--enabled/--disabled", default=None),
)


def tenant_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options for a tenant's settings."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def changes_from(options: dict[str, Any]) -> dict[str, Any]:
    """Return the object that the options make; single settings win over the file's.

    Raises `UsageError` when a file cannot be read, or an option has the wrong form.
    """
    if options["source_file"] == options["client_secret_file"] == _STDIN:
        raise UsageError("Only one of --from and --client-secret-file can be standard input.")
    changes = read_object(options["source_file"]) if options["source_file"] else {}
    changes |= {name: options[name] for name in _PLAIN if options[name] is not None}
    if options["no_schedule"]:
        if options["schedule"] is not None:
            raise UsageError("Only one of --schedule and --no-schedule can be.")
        changes["schedule"] = None
    for name in ("match_keys", "erase_blank"):
        if options[name] is not None:
            changes[name] = split_list(options[name])
    if options["source"]:
        pairs = [pair(text, "--source") for text in options["source"]]
        changes["sources"] = _merged(changes.get("sources"), {name: split_list(rest) for name, rest in pairs})
    scope = {name: options[name] for name in ("enabled_only", "members_only") if options[name] is not None}
    if options["exclude"]:
        pairs = [pair(text, "--exclude") for text in options["exclude"]]
        scope["exclude"] = [{"source": source, "equals": value} for source, value in pairs]
    if scope:
        changes["scope"] = _merged(changes.get("scope"), scope)
    if options["client_secret_file"]:
        changes["client_secret"] = _text(options["client_secret_file"]).strip()
    return changes


def _merged(given: Any, named: dict[str, Any]) -> Any:
    """Return what the file gives with the options in it; what is no object is left to be refused later."""
    return {**(given or {}), **named} if given is None or isinstance(given, dict) else given


def read_object(path: str) -> dict[str, Any]:
    """Return the JSON object in a file (- is standard input); raise `UsageError` if there is none."""
    text = _text(path)
    try:
        value = json.loads(text)
    except RecursionError:
        raise _too_deep(path) from None
    except ValueError as error:
        # The text itself may hold the secret; a position does not.
        place = f" (line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
        raise UsageError(f"{path} is no JSON{place}.") from None
    if not isinstance(value, dict):
        raise UsageError(f"{path} holds no JSON object.")
    if _depth(value) > DEEPEST_JSON:
        raise _too_deep(path)
    return value


def _too_deep(path: str) -> UsageError:
    return UsageError(f"{path} is nested deeper than {DEEPEST_JSON} levels: that is no tenant.")


def _depth(value: object) -> int:
    """Return how many objects and lists lie in each other at most."""
    depth, level = 0, [value]
    while level := [each for each in level if isinstance(each, dict | list)]:
        depth += 1
        level = [inner for each in level for inner in (each.values() if isinstance(each, dict) else each)]
    return depth


def _text(path: str) -> str:
    """Return the text of a file or of standard input, of which no more is read than is allowed."""
    try:
        if path == _STDIN:
            content = sys.stdin.buffer.read(LARGEST_FILE + 1)
        else:
            with Path(path).open("rb") as file:
                content = file.read(LARGEST_FILE + 1)
        if len(content) > LARGEST_FILE:
            raise UsageError(f"{path} is larger than {LARGEST_FILE // 1024} KiB: that is no tenant.")
        return content.decode()
    except (OSError, UnicodeError) as error:
        raise UsageError(f"{path} cannot be read: {type(error).__name__}.") from None


def split_list(text: str) -> list[str]:
    """Return what stands between commas."""
    return [word.strip() for word in text.split(",") if word.strip()]


def pair(text: str, option: str) -> tuple[str, str]:
    """Return the two sides of NAME=VALUE; raise `UsageError` if there is only one."""
    name, equals, rest = text.partition("=")
    if not equals:
        raise UsageError(f"{option} wants NAME=VALUE.")
    return name.strip(), rest
