"""`update-sync hub`: serves the Data Hub, and manages its members."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click
import structlog

from administration.hub.members import first_operator_invitation, invite, remove_member
from administration.hub.sign_in import SignIn
from administration.runs.idle import IdleCheck
from bootstrap.services import Services
from cli.context import current_services
from cli.output import choices, echo, json_option, print_json, print_result, print_table
from cli.tenants.completion import complete_tenants
from runtime.version import VERSION
from schemas.crypto.cookie_keys import cookie_keys
from schemas.hub.member import Role
from schemas.settings import Requirement, load_settings
from schemas.timestamps import timestamp

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

    from administration.hub.members import Invitation

_NEEDS = (Requirement.DATABASE, Requirement.KEYS)

_log = structlog.get_logger(__name__)


@click.group("hub", invoke_without_command=True)
@click.option(
    "--processes",
    default=1,
    show_default=True,
    type=click.IntRange(1, 64),
    metavar="N",
    help="Server processes to run.",
)
@click.pass_context
def hub(context: click.Context, *, processes: int) -> None:
    """Serve the Data Hub until stopped, or manage its members.

    Its address is UPDATE_SYNC_HUB_HOST and UPDATE_SYNC_HUB_PORT. While no operator has signed in, it prints a
    link for the first one. Put a proxy with TLS in front of it.
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
@json_option
def invite_member(*, name: str, role: str, tenants: tuple[str, ...], wants_json: bool) -> None:
    """Print a link that signs NAME in, once and within ten minutes.

    A member of that name gets this role and these tenants in place of the former ones.
    """
    services = current_services(*_NEEDS)
    invitation = invite(name, Role(role), tenants, store=services.store)
    settings = services.settings
    link = _link(_address(settings.hub_host, settings.hub_port), invitation)
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
    print_table(("member", "name", "role", "tenants", "signed in"), rows)


@hub.command("remove")
@click.argument("member", type=click.IntRange(1))
@json_option
def remove(*, member: int, wants_json: bool) -> None:
    """Remove a MEMBER by number; the member's sessions end at once."""
    removed = remove_member(member, store=current_services(*_NEEDS).store)
    print_result(f"Removed member {member}.", removed.as_json(), wants_json=wants_json)


def _serve(processes: int) -> None:
    from hub.server import listen, serve  # noqa: PLC0415 - slow to import, and the other commands need no server

    services = current_services(*_NEEDS)
    settings = services.settings
    if settings.skolon_scim_url:
        # To look at users in Skolon all of its settings are needed.
        load_settings((*_NEEDS, Requirement.SKOLON))
    services.await_database()
    invitation = first_operator_invitation(store=services.store)
    services.close()
    listener = listen(settings.hub_host, settings.hub_port)
    address = _address(settings.hub_host, listener.getsockname()[1])
    if invitation is not None:
        echo(
            "No operator has signed in yet. This link signs the first one in, once and within ten minutes:",
            f"  {_link(address, invitation)}",
        )
    echo(f"The Data Hub is at {address}")
    sys.stdout.flush()
    ours = os.getpid()
    log = _log.bind(pid=ours)
    log.info("process_started", version=VERSION, hub=True)
    try:
        serve(_build, listener=listener, workers=processes)
    finally:
        # Its own processes, which are forks, end here too.
        if os.getpid() == ours:
            log.info("process_stopped")


def _build() -> WSGIApplication:
    """Make the app in a server process, with connections of its own."""
    from hub.app import create_app  # noqa: PLC0415 - as above
    from hub.recent_counts import RecentCounts  # noqa: PLC0415 - as above
    from hub.services import HubServices  # noqa: PLC0415 - as above

    services = Services(*_NEEDS)
    gateways = None
    if services.settings.skolon_scim_url:
        # What is missing beside the address was told before the server started.
        gateways = services.gateways
    idle = None
    if services.settings.amqp_url:
        idle = IdleCheck(broker=RecentCounts(services.broker), runs=services.store.runs)
    return create_app(
        HubServices(
            store=services.store,
            sign_in=SignIn(services.store, services.cipher.index),
            cookie_keys=cookie_keys(services.settings.secret_keys),
            gateways=gateways,
            secret_keys=services.settings.secret_keys,
            idle=idle,
        )
    )


def _address(host: str, port: int) -> str:
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/"


def _link(address: str, invitation: Invitation) -> str:
    return f"{address}sign-in?link={invitation.token}"
