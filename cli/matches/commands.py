"""`update-sync matches`: what waits for a decision about a match, both sides of one, and decisions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from administration.matches.comparison import compare_match
from administration.matches.decisions import MatchDecider
from administration.matches.overview import matches_of
from administration.users.lookup import resolve_entra_id
from cli.context import current_services
from cli.dead_letters.discard import operator_name
from cli.matches.report import print_comparison, print_overview
from cli.output import echo, json_option, print_json, print_result
from cli.runs.options import FiniteRange, check_timeout
from cli.runs.request import publish_only, request_and_wait
from cli.tenants.completion import tenant_argument
from cli.users.options import read_identifier
from schemas.settings import Requirement

if TYPE_CHECKING:
    from collections.abc import Callable

    from administration.matches.decisions import Decided
    from bootstrap.services import Services

_DECIDING = (Requirement.DATABASE, Requirement.BROKER, Requirement.KEYS, Requirement.SKOLON)


def _waiting_options(command: Callable[..., Any]) -> Callable[..., Any]:
    options = (
        click.option("--wait", is_flag=True, help="Wait until the user is synced, and show the run."),
        click.option(
            "--timeout",
            type=FiniteRange(min=0),
            metavar="SECONDS",
            help="With --wait: give up after this many seconds.",
        ),
        json_option,
    )
    for option in reversed(options):
        command = option(command)
    return command


def _one_user_options(command: Callable[..., Any]) -> Callable[..., Any]:
    entra = click.option(
        "--user", metavar="USER", help="An Entra user: an id, an EPPN, an address or a name."
    )
    skolon = click.option("--skolon-user", metavar="SKOLON_ID", help="A Skolon user.")
    return entra(skolon(command))


@click.group()
def matches() -> None:
    """Settle matches that the sync does not settle by itself.

    A suspicious or ambiguous match, or a collision, is a dead letter. Decide it once: an Entra user is a
    Skolon user, or one of the two is left alone. Runs, dry runs and previews honour the decision. The
    database keeps which user of this machine decided what.
    """


@matches.command("list")
@tenant_argument
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 100_000))
@json_option
def list_matches(*, tenant: str, limit: int, wants_json: bool) -> None:
    """List the matches of TENANT that wait for a decision, and the decisions."""
    overview = matches_of(tenant, store=current_services(Requirement.DATABASE).store, limit=limit)
    if wants_json:
        print_json(overview.as_json())
    else:
        print_overview(overview)


@matches.command()
@tenant_argument
@click.argument("user")
@click.option("--values", is_flag=True, help="Show values unmasked.")
@json_option
def show(*, tenant: str, user: str, values: bool, wants_json: bool) -> None:
    """Compare USER with the Skolon users that may be this user, and change nothing.

    USER is an id, an EPPN, an e-mail address, a user principal name or a name. `-` reads it from standard
    input. The exit code is 1 if Entra or Skolon could not be asked.
    """
    services = current_services(Requirement.DATABASE, Requirement.KEYS, Requirement.SKOLON)
    entra_id = _entra_id(tenant, user, services)
    found = compare_match(
        entra_id, tenant, values=values, store=services.store, gateways=services.gateways
    ).as_json()
    if wants_json:
        print_json(found)
    else:
        print_comparison(found)
    raise click.exceptions.Exit(1 if found["away"] else 0)


@matches.command()
@tenant_argument
@click.argument("user")
@click.argument("skolon_user")
@_waiting_options
def link(  # noqa: PLR0913 - one for each option
    *, tenant: str, user: str, skolon_user: str, wait: bool, timeout: float | None, wants_json: bool
) -> None:
    """Decide that USER of Entra is SKOLON_USER, and sync the user.

    USER is an id, an EPPN, an e-mail address, a user principal name or a name. SKOLON_USER is the id in
    Skolon.
    """
    check_timeout(timeout, wait=wait)
    services = current_services(*_DECIDING)
    entra_id = _entra_id(tenant, user, services)
    decided = _decider(tenant, services).link(entra_id, skolon_user, services.gateways)
    text = f"Linked Entra user {entra_id} to Skolon user {skolon_user}"
    _apply(decided, text, services, wait=wait, timeout=timeout, wants_json=wants_json)


@matches.command()
@tenant_argument
@_one_user_options
@_waiting_options
def ignore(  # noqa: PLR0913 - one for each option
    *,
    tenant: str,
    user: str | None,
    skolon_user: str | None,
    wait: bool,
    timeout: float | None,
    wants_json: bool,
) -> None:
    """Leave one user alone, of Entra or of Skolon.

    An Entra user is out of scope from then on. A Skolon user is never written to, and matches no Entra user;
    only an undo writes to it.
    """
    check_timeout(timeout, wait=wait)
    services = current_services(*_DECIDING)
    entra_id = _one_of(tenant, user, skolon_user, services)
    decided = _decider(tenant, services).ignore(services.gateways, entra_id=entra_id, skolon_id=skolon_user)
    text = f"Ignored {_name(entra_id, skolon_user)}"
    _apply(decided, text, services, wait=wait, timeout=timeout, wants_json=wants_json)


@matches.command()
@tenant_argument
@_one_user_options
@_waiting_options
def forget(  # noqa: PLR0913 - one for each option
    *,
    tenant: str,
    user: str | None,
    skolon_user: str | None,
    wait: bool,
    timeout: float | None,
    wants_json: bool,
) -> None:
    """Take back the decision about one user, of Entra or of Skolon.

    What a linked user's runs have written stays; 'runs undo' restores it.
    """
    check_timeout(timeout, wait=wait)
    services = current_services(*_DECIDING)
    entra_id = _one_of(tenant, user, skolon_user, services)
    decided = _decider(tenant, services).forget(entra_id=entra_id, skolon_id=skolon_user)
    text = f"Took back the decision about {_name(entra_id, skolon_user)}"
    _apply(decided, text, services, wait=wait, timeout=timeout, wants_json=wants_json)


def _decider(tenant: str, services: Services) -> MatchDecider:
    return MatchDecider(tenant=tenant, operator=operator_name(), store=services.store)


def _entra_id(tenant: str, user: str, services: Services) -> str:
    return resolve_entra_id(
        tenant,
        read_identifier(user),
        store=services.store,
        gateways=services.gateways,
        keys=services.settings.secret_keys,
    )


def _one_of(tenant: str, user: str | None, skolon_user: str | None, services: Services) -> str | None:
    if (user is None) == (skolon_user is None):
        raise click.UsageError("Give one of --user and --skolon-user.")
    return None if user is None else _entra_id(tenant, user, services)


def _name(entra_id: str | None, skolon_id: str | None) -> str:
    return f"Skolon user {skolon_id}" if entra_id is None else f"Entra user {entra_id}"


def _apply(  # noqa: PLR0913 - what is decided, and how to tell it
    decided: Decided,
    text: str,
    services: Services,
    *,
    wait: bool,
    timeout: float | None,
    wants_json: bool,
) -> None:
    """Say what was decided, and have the users synced that it is about."""
    operation, request = decided.operation, decided.request
    text = f"{text}, as operation {operation.id}."
    if request is None:
        more = {"event": None, "operation": operation.as_json()}
        print_result(f"{text} The next run honours it.", more, wants_json=wants_json)
        return
    if not wants_json:
        echo(text)
    if wait:
        request_and_wait(request, services, timeout=timeout, wants_json=wants_json)
    else:
        publish_only(request, services, {"operation": operation.as_json()}, wants_json=wants_json)
