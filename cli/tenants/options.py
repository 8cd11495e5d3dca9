"""Options for the settings of a tenant."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any, Final

import click

from cli.numbers import Number, WholeNumber
from cli.tenants.completion import complete_tenants
from cli.tenants.scope.settings import SCOPE_OPTIONS, add_scope, for_new, merged
from cli.tenants.settings.credential import certificate_option, check_inputs, read_credential
from cli.tenants.settings.file import read_object
from schemas.errors import UsageError
from schemas.tenants.skolon_target import SkolonProfile
from schemas.tenants.tenant import Guard
from schemas.tenants.tenant_schema import MAX_TRUST_DAYS, MAX_WAIT_HOURS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from schemas.tenants.tenant import Limit

#: A tenant's key.
key_argument: Callable[..., Any] = click.argument("key", metavar="TENANT", shell_complete=complete_tenants)
optional_key_argument: Callable[..., Any] = click.argument(
    "key", metavar="[TENANT]", required=False, shell_complete=complete_tenants
)

#: Instead of a tenant's key.
all_tenants_option: Callable[..., Any] = click.option(
    "--all", "all_tenants", is_flag=True, help="All tenants."
)

NO_TENANT: Final = "No tenant so far: 'update-sync tenants add' adds one."

_PLAIN: Final = (
    "name", "entra_tenant_id", "client_id", "organisation", "client_secret_expires", "ssn_country",
    "skolon_profile", "birthdays", "schedule", "time_zone", "enabled", "give_up_after_hours",
    "trust_receipts_days",
)  # fmt: skip


def _limit_text(name: str) -> str:
    """Return the limit of a new tenant as the option takes it."""
    limit: Limit | None = getattr(Guard(), name)
    return "none" if limit is None else f"{limit.count},{limit.share}"


_OPTIONS: Final = (
    click.option(
        "--from", "source_file", metavar="FILE", help="Settings as a JSON object; - is standard input."
    ),
    click.option(
        "--client-secret-file",
        metavar="FILE",
        help="A file with the client secret's Value; - is standard input.",
    ),
    certificate_option,
    click.option("--name", help="The tenant's name, for people."),
    click.option("--entra-tenant-id", help="The id of the directory (tenant) in Entra."),
    click.option("--client-id", help="The id of the app in Entra that reads the directory."),
    click.option("--organisation", help="The tenant's name in Skolon's address."),
    click.option(
        "--client-secret-expires",
        metavar="YYYY-MM-DD",
        help="The day on which the client secret expires, as Entra shows it.",
    ),
    click.option(
        "--source",
        "source",
        multiple=True,
        metavar="ATTRIBUTE=SOURCE,…",
        show_default=for_new("the sources of docs/administering.md"),
        help="The properties of Entra that fill an attribute, in order; without any it is not synced. May be "
        "repeated for further attributes.",
    ),
    click.option(
        "--match-keys",
        metavar="ATTRIBUTE,…",
        show_default=for_new("external_id,eppn,user_name,email"),
        help="The attributes by which users are found in Skolon, in order.",
    ),
    click.option(
        "--erase-blank",
        metavar="ATTRIBUTE,…",
        show_default=for_new("none"),
        help="The attributes that are emptied in Skolon when they are blank in Entra.",
    ),
    click.option(
        "--replace-from-later-sources",
        metavar="ATTRIBUTE,…",
        show_default=for_new("none"),
        help="The attributes that get the value of their next source when the source that filled them goes "
        "blank. The other attributes keep their value in Skolon.",
    ),
    click.option(
        "--needs-approval",
        metavar="ATTRIBUTE,…",
        show_default=for_new("none"),
        help="The identity attributes whose sources can be changed only in the Data Hub, with a second "
        "person's approval.",
    ),
    click.option(
        "--ssn-country",
        metavar="SE|NO|DK|FI",
        show_default=for_new("none"),
        help="The country whose rules personal numbers follow.",
    ),
    click.option(
        "--skolon-profile",
        metavar="|".join(SkolonProfile),
        show_default=for_new("assumed"),
        help="How Skolon's server lays out its users: `ss12000` as Swedish schools do.",
    ),
    click.option(
        "--skolon-lacks",
        metavar="filters,patch",
        show_default=for_new("none"),
        help="What Skolon's server cannot do; only if 'tenants check' says so.",
    ),
    click.option(
        "--birthdays/--no-birthdays",
        default=None,
        show_default=for_new("--birthdays"),
        help="Whether birth dates are synced.",
    ),
    *SCOPE_OPTIONS,
    click.option(
        "--guard",
        multiple=True,
        metavar="LIMIT=COUNT,SHARE",
        show_default=for_new(", ".join(f"{each.name}={_limit_text(each.name)}" for each in fields(Guard))),
        help="A limit of the guard: changed, identity_changed, not_found, failed or left_scope. A run halts "
        "when it exceeds both the count of users and the share (0 to 1), such as changed=1000,0.5. "
        "LIMIT=none is no limit. May be repeated for further limits.",
    ),
    click.option(
        "--give-up-after-hours",
        type=Number(0, MAX_WAIT_HOURS, above=True),
        metavar="HOURS",
        show_default=for_new("24"),
        help="How many hours the sync waits for a service that is away before a user counts as failed.",
    ),
    click.option(
        "--trust-receipts-days",
        type=WholeNumber(0, MAX_TRUST_DAYS),
        metavar="DAYS",
        show_default=for_new("0"),
        help="For how many days a verified user is not looked up in Skolon again, unless the user has "
        "changed in Entra.",
    ),
    click.option(
        "--schedule",
        metavar="CRON",
        show_default=for_new("none"),
        help="When runs start by themselves: five fields of crontab, such as '30 2 * * *'.",
    ),
    click.option("--no-schedule", is_flag=True, help="Start no runs by schedule."),
    click.option(
        "--time-zone",
        metavar="ZONE",
        show_default=for_new("Europe/Stockholm"),
        help="The time zone of the schedule and of birth dates.",
    ),
    click.option(
        "--enabled/--disabled",
        default=None,
        show_default=for_new("--enabled"),
        help="Whether runs of the tenant start; a disabled tenant starts none.",
    ),
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
    check_inputs(options)
    changes = read_object(options["source_file"]) if options["source_file"] else {}
    changes |= {name: options[name] for name in _PLAIN if options[name] is not None}
    if options["no_schedule"]:
        if options["schedule"] is not None:
            raise UsageError("Give either --schedule or --no-schedule.")
        changes["schedule"] = None
    for name in (
        "match_keys",
        "erase_blank",
        "replace_from_later_sources",
        "needs_approval",
        "skolon_lacks",
    ):
        if options[name] is not None:
            changes[name] = split_list(options[name])
    if options["source"]:
        pairs = _pairs(options["source"], "--source")
        changes["sources"] = merged(
            changes.get("sources"), {name: split_list(rest) for name, rest in pairs.items()}
        )
    if options["guard"]:
        limits = {name: _limit(text) for name, text in _pairs(options["guard"], "--guard").items()}
        changes["guard"] = merged(changes.get("guard"), limits)
    add_scope(changes, options)
    return changes | read_credential(options)


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
        example = "ATTRIBUTE=SOURCE,…, such as eppn=mail,otherMails" if option == "--source" else "NAME=VALUE"
        raise UsageError(f"{option} takes {example}.")
    return name.strip(), rest
