"""Options for the settings of a tenant."""

from __future__ import annotations

import codecs
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from administration.tenants.scope_rules import rule_as_json
from cli.tenants.completion import complete_tenants
from cli.tenants.scope.rule import RULE, scope_rule
from schemas.errors import UsageError
from schemas.tenants.skolon_target import SkolonProfile

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

#: A tenant's key.
key_argument: Callable[..., Any] = click.argument("key", metavar="TENANT", shell_complete=complete_tenants)
optional_key_argument: Callable[..., Any] = click.argument(
    "key", metavar="[TENANT]", required=False, shell_complete=complete_tenants
)

#: Instead of a tenant's key.
all_tenants_option: Callable[..., Any] = click.option(
    "--all", "all_tenants", is_flag=True, help="All tenants."
)

_STDIN: Final = "-"

#: Bytes of a file of settings, and levels of JSON in it: a tenant has a few KiB, and four levels.
LARGEST_FILE: Final = 1024 * 1024
DEEPEST_JSON: Final = 20

_PLAIN: Final = (
    "name", "entra_tenant_id", "client_id", "organisation", "client_secret_expires", "ssn_country",
    "skolon_profile", "birthdays", "schedule", "time_zone", "enabled", "give_up_after_hours",
    "trust_receipts_days",
)  # fmt: skip

_OPTIONS: Final = (
    click.option(
        "--from", "source_file", metavar="FILE", help="Settings as a JSON object; - is standard input."
    ),
    click.option(
        "--client-secret-file",
        metavar="FILE",
        help="A file with the secret's Value; - is standard input.",
    ),
    click.option("--name", help="The tenant's name, for people."),
    click.option("--entra-tenant-id", help="The directory (tenant) id."),
    click.option("--client-id", help="The id of the app in Entra that reads the directory."),
    click.option("--organisation", help="The tenant's name in Skolon's address."),
    click.option(
        "--client-secret-expires", metavar="YYYY-MM-DD", help="The date that Entra shows for the secret."
    ),
    click.option(
        "--source",
        "source",
        multiple=True,
        metavar="ATTRIBUTE=SOURCE,…",
        help="Which properties of Entra fill an attribute, in order; none means not synced. May be repeated.",
    ),
    click.option("--match-keys", metavar="KEY,…", help="By what users are found in Skolon, in order."),
    click.option("--erase-blank", metavar="ATTRIBUTE,…", help="Emptied in Skolon when blank in Entra."),
    click.option(
        "--replace-from-later-sources",
        metavar="ATTRIBUTE,…",
        help="Filled by the next source when the source of the value in Skolon goes blank.",
    ),
    click.option("--ssn-country", metavar="SE|NO|DK|FI", help="Whose rules personal numbers follow."),
    click.option(
        "--skolon-profile",
        metavar="|".join(SkolonProfile),
        help="How Skolon's server lays out its users: `ss12000` as Swedish schools do.",
    ),
    click.option("--skolon-lacks", metavar="filters,patch", help="What Skolon's server cannot do."),
    click.option("--birthdays/--no-birthdays", default=None, help="Whether birth dates are synced."),
    click.option(
        "--enabled-only/--all-accounts", default=None, help="Whether disabled accounts are left out."
    ),
    click.option("--members-only/--with-guests", default=None, help="Whether guests are left out."),
    click.option(
        "--include",
        multiple=True,
        metavar=RULE,
        help="Only users like this. Replaces all include rules; may be repeated.",
    ),
    click.option(
        "--exclude",
        multiple=True,
        metavar=RULE,
        help="No users like this. Replaces all exclude rules; may be repeated.",
    ),
    click.option(
        "--guard",
        multiple=True,
        metavar="LIMIT=COUNT,SHARE",
        help="Of the guard: changed, identity_changed, not_found, failed or left_scope. A run halts when it "
        "exceeds both the count and the share, such as changed=1000,0.5; LIMIT=none is no limit.",
    ),
    click.option("--give-up-after-hours", type=float, help="How long an outage is waited for."),
    click.option(
        "--trust-receipts-days",
        type=int,
        help="For how many days a verified user who has not changed in Entra is not looked up in Skolon.",
    ),
    click.option("--schedule", metavar="CRON", help="Five fields of crontab, such as '30 2 * * *'."),
    click.option("--no-schedule", is_flag=True, help="Trigger no runs by schedule."),
    click.option(
        "--time-zone", metavar="ZONE", help="Of schedule and birth dates, such as Europe/Stockholm."
    ),
    click.option("--enabled/--disabled", default=None, help="A disabled tenant starts no runs."),
)


def tenant_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options for a tenant's settings."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def check_one_or_all(key: str | None, *, all_tenants: bool) -> None:
    """Raise `UsageError` unless either a tenant is named or all are meant."""
    if (key is None) is not all_tenants:
        raise UsageError("Give either a tenant or --all.")


def changes_from(options: dict[str, Any]) -> dict[str, Any]:
    """Return the settings object that the options make; single options override the file.

    Raises `UsageError` when a file cannot be read, or an option has the wrong form.
    """
    if options["source_file"] == options["client_secret_file"] == _STDIN:
        raise UsageError("Only one of --from and --client-secret-file can be standard input.")
    changes = read_object(options["source_file"]) if options["source_file"] else {}
    changes |= {name: options[name] for name in _PLAIN if options[name] is not None}
    if options["no_schedule"]:
        if options["schedule"] is not None:
            raise UsageError("Give either --schedule or --no-schedule.")
        changes["schedule"] = None
    for name in ("match_keys", "erase_blank", "replace_from_later_sources", "skolon_lacks"):
        if options[name] is not None:
            changes[name] = split_list(options[name])
    if options["source"]:
        pairs = _pairs(options["source"], "--source")
        changes["sources"] = _merged(
            changes.get("sources"), {name: split_list(rest) for name, rest in pairs.items()}
        )
    if options["guard"]:
        limits = {name: _limit(text) for name, text in _pairs(options["guard"], "--guard").items()}
        changes["guard"] = _merged(changes.get("guard"), limits)
    scope = _scope(options)
    if scope:
        changes["scope"] = _merged(changes.get("scope"), scope)
    if options["client_secret_file"]:
        changes["client_secret"] = _text(options["client_secret_file"]).strip()
    return changes


def _scope(options: dict[str, Any]) -> dict[str, Any]:
    switches = {name: options[name] for name in ("enabled_only", "members_only") if options[name] is not None}
    rules = {
        name: [rule_as_json(scope_rule(text, f"--{name}")) for text in options[name]]
        for name in ("include", "exclude")
        if options[name]
    }
    return switches | rules


def _merged(given: Any, named: dict[str, Any]) -> Any:
    """Return the file's value with the options merged in; what is not an object is refused later."""
    return {**(given or {}), **named} if given is None or isinstance(given, dict) else given


def read_object(path: str) -> dict[str, Any]:
    """Return the JSON object in a file (- is standard input); raise `UsageError` if there is none."""
    try:
        value = json.loads(_text(path))
    except RecursionError:
        raise _too_deep(path) from None
    except ValueError as error:
        # The text itself may hold the secret; a position does not.
        place = f" (line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
        raise UsageError(f"{path} is not valid JSON{place}.") from None
    if not isinstance(value, dict):
        raise UsageError(f"{path} is not a JSON object.")
    if _depth(value) > DEEPEST_JSON:
        raise _too_deep(path)
    return value


def _too_deep(path: str) -> UsageError:
    return UsageError(f"{path} is nested deeper than {DEEPEST_JSON} levels: no tenant's settings.")


def _depth(value: object) -> int:
    """Return how deep objects and lists are nested."""
    depth, level = 0, [value]
    while level := [each for each in level if isinstance(each, dict | list)]:
        depth += 1
        level = [inner for each in level for inner in (each.values() if isinstance(each, dict) else each)]
    return depth


def _text(path: str) -> str:
    """Return the text of a file or of standard input; reads no more than the limit."""
    try:
        if path == _STDIN:
            content = sys.stdin.buffer.read(LARGEST_FILE + 1)
        else:
            with Path(path).open("rb") as file:
                content = file.read(LARGEST_FILE + 1)
        if len(content) > LARGEST_FILE:
            raise UsageError(f"{path} is larger than {LARGEST_FILE // 1024} KiB: no tenant's settings.")
        return _decoded(content)
    except UnicodeError:
        raise UsageError(f"{path} is no text in UTF-8 or UTF-16: save it as UTF-8.") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or type(error).__name__}.") from None


def _decoded(content: bytes) -> str:
    """Return a text without its byte order mark: Windows' editors put one in front, and may write UTF-16."""
    is_utf16 = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return content.decode("utf-16" if is_utf16 else "utf-8-sig")


def split_list(text: str) -> list[str]:
    """Return the parts between commas."""
    return [word.strip() for word in text.split(",") if word.strip()]


def _pairs(texts: Sequence[str], option: str) -> dict[str, str]:
    """Return the values of NAME=VALUE by name; raise `UsageError` for a name that stands twice."""
    found: dict[str, str] = {}
    for name, value in (pair(text, option) for text in texts):
        if name in found:
            raise UsageError(
                f"{option} {name}=… is given twice: put all of its values into one, with commas."
            )
        found[name] = value
    return found


def _limit(text: str) -> dict[str, float] | None:
    """Return the guard's limit that COUNT,SHARE or `none` means; raise `UsageError` for another form."""
    if text.strip().lower() == "none":
        return None
    count, comma, share = text.partition(",")
    try:
        if comma:
            return {"count": int(count), "share": float(share)}
    except ValueError:
        pass
    raise UsageError("--guard takes LIMIT=COUNT,SHARE, such as changed=1000,0.5, or LIMIT=none.")


def pair(text: str, option: str) -> tuple[str, str]:
    """Return the two sides of NAME=VALUE; raise `UsageError` if there is only one."""
    name, equals, rest = text.partition("=")
    if not equals:
        raise UsageError(f"{option} takes NAME=VALUE.")
    return name.strip(), rest
