"""`update-sync hub`: serves the Data Hub, and manages its members."""

from __future__ import annotations

import os
import sys
from ipaddress import ip_network
from typing import TYPE_CHECKING

import click
import structlog

from administration.hub.members import (
    find_by_name,
    first_operator_invitation,
    invite,
    is_last_operator,
    remove_member,
)
from administration.hub.sign_in import SignIn
from administration.runs.idle import IdleCheck
from bootstrap.services import Services
from cli.confirmation import confirm
from cli.context import current_services
from cli.hub.entra import entra_sign_in
from cli.notifications.senders import open_senders
from cli.numbers import WholeNumber
from cli.output import choices, echo, json_option, print_json, print_result, print_table
from cli.tenants.completion import complete_tenants
from runtime.version import VERSION
from schemas.crypto.cookie_keys import cookie_keys
from schemas.hub.member import Role
from schemas.settings import Requirement, load_settings
from schemas.timestamps import timestamp

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

    from schemas.hub.member import Member
    from store.store import Store

_NEEDS = (Requirement.DATABASE, Requirement.KEYS)

_MEMBER_NUMBER = WholeNumber(1, wanted="the number of a member: 'update-sync hub members' shows them")

_log = structlog.get_logger(__name__)


@click.group("hub", invoke_without_command=True)
@click.option(
    "--processes",
    default=1,
    show_default=True,
    type=WholeNumber(1, 64),
    metavar="N",
    help="Server processes to run.",
)
@click.pass_context
def hub(context: click.Context, *, processes: int) -> None:
    """Serve the Data Hub until stopped, or manage its members.

    It listens at UPDATE_SYNC_HUB_HOST and UPDATE_SYNC_HUB_PORT; UPDATE_SYNC_HUB_URL is its public address.
    Until an operator has signed in, it prints a link for the first one, if it runs on a terminal. Put a proxy
    with TLS in front of it.
    """
    if context.invoked_subcommand is None:
        _serve(processes)


@hub.command("invite")
@click.argument("name")
@click.option("--role", required=True, type=click.Choice(choices(Role)), help="What the member may do.")
@click.option(
    "--tenant",
    "tenants",
    multiple=True,
    metavar="KEY",
    shell_complete=complete_tenants,
    help="A tenant whose data the member may see. May be repeated.",
)
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@json_option
def invite_member(*, name: str, role: str, tenants: tuple[str, ...], yes: bool, wants_json: bool) -> None:
    """Print a link that signs NAME in, once and within ten minutes.

    If there is a member of that name, this role and these tenants replace the former ones. Case does not
    count.
    """
    services = current_services(*_NEEDS)
    known = find_by_name(name, store=services.store)
    if known is not None and role != Role.OPERATOR:
        _confirm_last_operator(known, services.store, yes=yes)
    invitation = invite(name, Role(role), tenants, store=services.store)
    settings = services.settings
    link = invitation.link(settings.hub_url or _address(settings.hub_host, settings.hub_port))
    if wants_json:
        print_json(invitation.as_json(link))
    else:
        echo(link, f"It signs in once, until {timestamp(invitation.expires)}.")


@hub.command("members")
@json_option
def list_members(*, wants_json: bool) -> None:
    """List the members of the Data Hub."""
    members = current_services(*_NEEDS).store.hub_members.list()
    if wants_json:
        print_json([each.as_json() for each in members])
        return
    rows = [
        (
            each.id,
            each.name,
            each.role,
            ", ".join(each.tenants) or ("all" if each.role is Role.OPERATOR else ""),
            each.signed_in and timestamp(each.signed_in),
        )
        for each in members
    ]
    print_table(
        ("member", "name", "role", "tenants", "signed in"),
        rows,
        nothing="The Data Hub has no member. For a link: update-sync hub invite NAME --role operator",
    )


@hub.command("remove")
@click.argument("member", type=_MEMBER_NUMBER)
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@json_option
def remove(*, member: int, yes: bool, wants_json: bool) -> None:
    """Remove a MEMBER by number; the member's sessions end at once."""
    store = current_services(*_NEEDS).store
    _confirm_last_operator(store.hub_members.get(member), store, yes=yes)
    removed = remove_member(member, store=store)
    print_result(f"Removed member {member}.", removed.as_json(), wants_json=wants_json)


def _serve(processes: int) -> None:
    from hub.server import listen, serve  # noqa: PLC0415 - slow to import, and the other commands need no server

    services = current_services(*_NEEDS)
    settings = services.settings
    if settings.skolon_scim_url:
        # To look at users in Skolon all of its settings are needed.
        load_settings((*_NEEDS, Requirement.SKOLON))
    services.await_database()
    listener = listen(settings.hub_host, settings.hub_port)
    address = settings.hub_url or _address(settings.hub_host, listener.getsockname()[1])
    _welcome_first_operator(address, services.store)
    services.close()
    echo(f"The Data Hub is at {address}/")
    sys.stdout.flush()
    ours = os.getpid()
    log = _log.bind(pid=ours)
    log.info("process_started", version=VERSION, hub=True)
    try:
        serve(_build, listener=listener, workers=processes, proxies=settings.hub_proxies)
    finally:
        # Its own processes, which are forks, end here too.
        if os.getpid() == ours:
            log.info("process_stopped")


def _welcome_first_operator(address: str, store: Store) -> None:
    """Print a link for the first operator, or how to get one: what is no terminal may be kept as a log."""
    if store.hub_members.has_signed_in(Role.OPERATOR):
        return
    if not sys.stdout.isatty():
        echo("No operator has signed in yet. For a link: update-sync hub invite NAME --role operator")
    elif (invitation := first_operator_invitation(store=store)) is not None:
        echo(
            "No operator has signed in yet. This link signs the first one in, once and within ten minutes:",
            f"  {invitation.link(address)}",
        )


def _confirm_last_operator(member: Member, store: Store, *, yes: bool) -> None:
    if is_last_operator(member, store=store):
        confirm(f"Member {member.id} is the last operator. Leave the Data Hub without one?", yes=yes)


def _build() -> WSGIApplication:
    """Make the app in a server process, with connections of its own."""
    from clients.gateways import PAGE_TIMEOUT, create_gateways  # noqa: PLC0415 - as above
    from hub.app import create_app  # noqa: PLC0415 - as above
    from hub.recent_counts import RecentCounts  # noqa: PLC0415 - as above
    from hub.services import HubServices  # noqa: PLC0415 - as above

    services = Services(*_NEEDS)
    gateways = None
    if services.settings.skolon_scim_url:
        # What is missing beside the address was told before the server started.
        capabilities = services.store.skolon_capabilities(services.settings.skolon_scim_url)
        gateways = create_gateways(services.settings, capabilities=capabilities, seconds=PAGE_TIMEOUT)
    idle = None
    if services.settings.amqp_url:
        idle = IdleCheck(broker=RecentCounts(services.broker), runs=services.store.runs)
    services.store.report_cache.enable()
    sign_in = SignIn(services.store, services.cipher.index)
    return create_app(
        HubServices(
            store=services.store,
            sign_in=sign_in,
            entra=entra_sign_in(services.settings, services.store, sign_in, services.cipher),
            cookie_keys=cookie_keys(services.settings.secret_keys),
            gateways=gateways,
            secret_keys=services.settings.secret_keys,
            idle=idle,
            broker=services.broker if services.settings.amqp_url else None,
            proxies=[ip_network(each) for each in services.settings.hub_proxies],
            address=services.settings.hub_url,
            support=services.settings.hub_support,
            senders=open_senders(services.settings, services.store),
        )
    )


def _address(host: str, port: int) -> str:
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"
