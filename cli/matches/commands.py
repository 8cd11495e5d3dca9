"""`update-sync matches`: what waits for a decision about a match, both sides of one, and decisions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from administration.matches.affected import DecisionEffects
from administration.matches.comparison import compare_match
from administration.matches.decisions import MatchDecider
from administration.matches.overview import matches_of
from administration.users.lookup import resolve_entra_id
from cli.confirmation import confirm
from cli.context import current_services
from cli.dead_letters.discard import operator_name
from cli.matches.options import ApplyOptions, NamedUser, apply_options, one_user_options, yes_option
from cli.matches.report import print_comparison, print_overview
from cli.matches.warnings import (
    print_affected,
    print_effects,
    print_halted_run,
    print_lost_values,
    print_objections,
    print_outcomes,
    print_what_stays,
)
from cli.numbers import WholeNumber
from cli.output import echo, json_option, print_json, print_result
from cli.runs.request import publish_only, request_and_wait
from cli.tenants.completion import tenant_argument
from cli.users.options import read_identifier
from schemas.settings import Requirement
from schemas.tenants.match_decision import DecisionKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from administration.matches.affected import AffectedUser
    from administration.matches.decisions import Decided
    from bootstrap.services import Services

_DECIDING = (Requirement.DATABASE, Requirement.BROKER, Requirement.KEYS, Requirement.SKOLON)


@click.group()
def matches() -> None:
    """Settle matches that the sync does not settle by itself.

    A suspicious or ambiguous match, or a collision, is a dead letter. Decide once: the Entra user is
    that Skolon user (link), or one of the two is left alone (ignore). Runs, dry runs and previews follow the
    decision. The database keeps which user of this machine decided what.
    """


@matches.command("list")
@tenant_argument
@click.option(
    "--limit",
    default=100,
    show_default=True,
    type=WholeNumber(1, 100_000),
    metavar="N",
    help="Matches to list.",
)
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
    input, to keep it out of your shell history. It exits with 1 if Entra or Skolon could not be asked.
    """
    services = current_services(Requirement.DATABASE, Requirement.KEYS, Requirement.SKOLON)
    entra_id = _entra_id(tenant, user, services)
    found = compare_match(
        entra_id, tenant, values=values, store=services.store, gateways=services.gateways
    ).as_json()
    if wants_json:
        print_json(found)
    else:
        print_comparison(found, values=values)
    raise click.exceptions.Exit(1 if found["away"] else 0)


@matches.command()
@tenant_argument
@click.argument("user")
@click.argument("skolon_user")
@yes_option
@apply_options
def link(*, tenant: str, user: str, skolon_user: str, yes: bool, applied: ApplyOptions) -> None:
    """Decide that USER of Entra is SKOLON_USER, and sync the user.

    USER is an id, an EPPN, an e-mail address, a user principal name or a name. `-` reads it from standard
    input, to keep it out of your shell history. SKOLON_USER is the id in Skolon. The command says beforehand
    what speaks against the link, what it does to other users, and what an undo could not restore. Then it
    asks.
    """
    services = current_services(*_DECIDING)
    entra_id = _entra_id(tenant, user, services)
    decider = _decider(tenant, services)
    weighed = decider.weigh_link(entra_id, skolon_user, services.gateways)
    print_halted_run(decider.halted_run())
    effects: list[AffectedUser] = []
    if weighed is not None:
        of_link = _effects(tenant, services)
        effects = of_link.of_deciding(DecisionKind.LINK, entra_id=entra_id, skolon_id=skolon_user)
        print_effects(effects)
        lost = of_link.lost_values(entra_id, skolon_user)
        print_lost_values(lost, skolon_user)
        if not weighed.is_proven:
            print_objections(weighed, tenant, entra_id)
        if lost or not weighed.is_proven or any(each.is_written for each in effects):
            confirm(
                f"Link Entra user {entra_id} to Skolon user {skolon_user}, and write over its values?",
                yes=yes,
            )
    decided = decider.link(entra_id, skolon_user, services.gateways)
    text = f"Linked Entra user {entra_id} to Skolon user {skolon_user}"
    _apply(decided, effects, text, services, applied)


@matches.command()
@tenant_argument
@one_user_options
@yes_option
@apply_options
def ignore(*, tenant: str, named: NamedUser, yes: bool, applied: ApplyOptions) -> None:
    """Leave one user alone, of Entra or of Skolon.

    Name the user with --user or --skolon-user. An Entra user is out of scope from then on. A Skolon user
    matches no Entra user from then on, and only an undo writes to it. If another Entra user would then get a
    Skolon user, the command names that user, and asks.
    """
    services = current_services(*_DECIDING)
    entra_id = _entra_id_of(tenant, named, services)
    decider = _decider(tenant, services)
    effects = _effects(tenant, services).of_deciding(
        DecisionKind.IGNORE, entra_id=entra_id, skolon_id=named.skolon_id
    )
    _ask(decider, effects, f"Ignore {_name(entra_id, named)}?", yes=yes)
    decided = decider.ignore(services.gateways, entra_id=entra_id, skolon_id=named.skolon_id)
    _apply(decided, effects, f"Ignored {_name(entra_id, named)}", services, applied)


@matches.command()
@tenant_argument
@one_user_options
@yes_option
@apply_options
def forget(*, tenant: str, named: NamedUser, yes: bool, applied: ApplyOptions) -> None:
    """Take back the decision about one user, of Entra or of Skolon.

    Name the user with --user or --skolon-user. What runs have written because of the decision stays. The
    command names all these runs, and how to restore the values. A user for whom an undo failed is matched
    anew by the next run. If another Entra user would then get the Skolon user, the command names that user,
    and asks.
    """
    services = current_services(*_DECIDING)
    entra_id = _entra_id_of(tenant, named, services)
    decider = _decider(tenant, services)
    about = f"the decision about {_name(entra_id, named)}"
    effects = _effects(tenant, services).of_forgetting(entra_id=entra_id, skolon_id=named.skolon_id)
    _ask(decider, effects, f"Take back {about}?", yes=yes)
    decided = decider.forget(entra_id=entra_id, skolon_id=named.skolon_id)
    print_what_stays(decided, err=applied.wants_json)
    _apply(decided, effects, f"Took back {about}", services, applied)


def _decider(tenant: str, services: Services) -> MatchDecider:
    return MatchDecider(tenant=tenant, operator=operator_name(), store=services.store)


def _effects(tenant: str, services: Services) -> DecisionEffects:
    return DecisionEffects(tenant, store=services.store, gateways=services.gateways)


def _entra_id(tenant: str, user: str, services: Services) -> str:
    return resolve_entra_id(
        tenant,
        read_identifier(user),
        store=services.store,
        gateways=services.gateways,
        keys=services.settings.secret_keys,
    )


def _entra_id_of(tenant: str, named: NamedUser, services: Services) -> str | None:
    return None if named.entra is None else _entra_id(tenant, named.entra, services)


def _name(entra_id: str | None, named: NamedUser) -> str:
    return f"Skolon user {named.skolon_id}" if entra_id is None else f"Entra user {entra_id}"


def _ask(decider: MatchDecider, effects: Sequence[AffectedUser], question: str, *, yes: bool) -> None:
    """Say what a decision does to others, and ask if one of them gets a Skolon user by it."""
    print_halted_run(decider.halted_run())
    print_effects(effects)
    if any(each.is_written for each in effects):
        confirm(question, yes=yes)


def _apply(
    decided: Decided, effects: Sequence[AffectedUser], text: str, services: Services, applied: ApplyOptions
) -> None:
    """Say what was decided, and have the users synced that it is about."""
    operation, request, wants_json = decided.operation, decided.request, applied.wants_json
    text = f"{text}, as operation {operation.id}."
    more = {
        "operation": operation.as_json(),
        "users": list(decided.users),
        "affected": [each.as_json() for each in effects],
        "halted_run": decided.halted and str(decided.halted.id),
        "written_by_runs": [str(each.entry.run) for each in decided.wrote],
        "undos": [{"run": str(each.entry.run), "user": each.user} for each in decided.wrote],
    }
    if request is None:
        if not wants_json:
            print_affected(decided)
        print_result(f"{text} The next run honours it.", {"event": None, **more}, wants_json=wants_json)
        return
    if not wants_json:
        echo(text)
        print_affected(decided)
    if not applied.wait:
        publish_only(request, services, more, wants_json=wants_json)
        return
    try:
        request_and_wait(request, services, timeout=applied.timeout, wants_json=wants_json)
    finally:
        if not wants_json:
            print_outcomes(decided.users, request.tenant, services.store)
