"""`update-sync notifications`: who is told of what, a test, and telling now."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import click

from administration.notifications.delivery import send_test
from administration.notifications.rounds import tick
from administration.notifications.settings import audience_name, change_settings, make_secret
from cli.context import current_services
from cli.notifications.options import for_tenants_alone, setting_options, settings_sent
from cli.notifications.report import answer_text, deliveries_json, print_settings
from cli.notifications.senders import open_senders, own_networks
from cli.output import choices, echo, json_option, print_json, print_result
from cli.tenants.completion import complete_tenants
from schemas.errors import UsageError
from schemas.notifications.delivery import Channel
from schemas.notifications.settings import OPERATORS
from schemas.settings import Requirement

if TYPE_CHECKING:
    from collections.abc import Callable

    from bootstrap.services import Services

#: A tenant; the operators without one.
audience_argument: Callable[..., Any] = click.argument(
    "tenant", metavar="[TENANT]", required=False, shell_complete=complete_tenants
)


@click.group()
def notifications() -> None:
    """Send mail and webhooks about what needs a person, and when it no longer does.

    Each tenant has its own receivers. Without TENANT these commands are about the operators, who are told of
    all tenants. They are told what 'status' shows of halted runs, failed users, client secrets, and users
    that were not confirmed as right: once for each cause, and again when another cause comes. The scheduler
    sends the notifications.
    """


@notifications.command("show")
@audience_argument
@json_option
def show(*, tenant: str | None, wants_json: bool) -> None:
    """Show who is told, and the last notifications."""
    services, audience = _services(tenant)
    saved = services.store.notification_settings.get(audience)
    last = services.store.notification_deliveries.list(audience, limit=20)
    if wants_json:
        print_json(
            {
                "tenant": tenant,
                "mail_server": bool(services.settings.smtp_url),
                "webhook_secret": saved.secret_set is not None,
                "settings": saved.settings.as_json(),
                "deliveries": deliveries_json(last),
            }
        )
        return
    print_settings(saved, last, has_mail_server=bool(services.settings.smtp_url))


@notifications.command("set")
@audience_argument
@setting_options
@click.option("--new-secret", is_flag=True, help="Make a new secret for the webhook, and print it this once.")
@json_option
def change(*, tenant: str | None, new_secret: bool, wants_json: bool, **options: Any) -> None:
    """Change who is told, of what and when.

    Only the given settings are changed. Addresses take the place of all former ones.
    """
    services, audience = _services(tenant)
    changes = settings_sent(options)
    if not changes and not new_secret:
        raise click.UsageError("Give at least one setting.")
    if audience == OPERATORS and (wrong := for_tenants_alone(changes)):
        raise click.UsageError(f"{', '.join(wrong)}: give a TENANT; the operators have no such setting.")
    if changes:
        networks = own_networks(services.settings)
        change_settings(audience, changes, networks=networks, store=services.store)
    secret = make_secret(audience, store=services.store) if new_secret else None
    told = [f"Changed the notifications of {audience_name(audience)}."]
    if secret is not None:
        told.append(f"The webhook's secret, which is not shown again: {secret}")
    saved = services.store.notification_settings.get(audience)
    if saved.settings.webhook_url is not None and saved.secret_set is None:
        told.append("The webhook has no secret yet, and is not sent before: --new-secret makes one.")
    if wants_json:
        print_json({"tenant": tenant, "settings": saved.settings.as_json(), "webhook_secret": secret})
    else:
        echo(*told)


@notifications.command("test")
@audience_argument
@click.option("--channel", required=True, type=click.Choice(choices(Channel)), help="What to test.")
@json_option
def test(*, tenant: str | None, channel: str, wants_json: bool) -> None:
    """Send a test, and show what was answered.

    It exits with 1 if it was not accepted.
    """
    services, audience = _services(tenant)
    senders = open_senders(services.settings, services.store)
    answers = send_test(audience, Channel(channel), senders=senders, store=services.store)
    if not answers:
        raise UsageError(f"There is no receiver by {channel}: 'notifications set' enters one.")
    if wants_json:
        print_json(
            {"tenant": tenant, "channel": channel, "answers": [each.answer.as_text() for each in answers]}
        )
    else:
        for each in answers:
            echo(f"{each.recipient or 'webhook'}: {answer_text(each.answer, Channel(channel))}")
    if not all(each.answer.is_accepted for each in answers):
        raise click.exceptions.Exit(1)


@notifications.command("send")
@json_option
def send(*, wants_json: bool) -> None:
    """Send what there is to tell, once.

    A scheduler does that each minute. This is for a cron of your own.
    """
    services = current_services(Requirement.DATABASE, Requirement.KEYS)
    senders = open_senders(services.settings, services.store)
    sent = tick(dt.datetime.now(dt.UTC), senders=senders, store=services.store)
    text = "1 notification was delivered." if sent == 1 else f"{sent} notifications were delivered."
    print_result(text, {"delivered": sent}, wants_json=wants_json)


def _services(tenant: str | None) -> tuple[Services, str]:
    """Return the services, and the audience that is meant; raise `UsageError` without such a tenant."""
    services = current_services(Requirement.DATABASE, Requirement.KEYS)
    if tenant is None:
        return services, OPERATORS
    services.store.tenants.outline(tenant)
    return services, tenant
