"""What needs attention at a tenant: who could not be updated, why, whose turn it is and what to do."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

from flask import Blueprint, abort, g, render_template

from administration.dead_letters.open_failures import failed_users_list, failed_users_now, failure_groups
from administration.dead_letters.set_aside import groups_aside
from administration.notifications.repair_list import RepairEntry
from administration.paging import UsersPage, all_users
from administration.remedies import FailureOwners
from administration.runs.tenant_runs import undos_since
from administration.tenants.status import tenant_statuses
from administration.users.view import group_names
from hub.addresses import reason_of, requested_page, tenant_of
from hub.language import current_language
from hub.presentation.advice import advice_on
from hub.presentation.lists.files import csv_file
from hub.presentation.lists.repair import HEADINGS, repair_rows
from hub.presentation.problems import describe_problem
from hub.services import hub_services
from schemas.fields import is_object_id
from schemas.tenants.tenant_status import ProblemKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Response

    from hub.presentation.advice import Advice
    from schemas.dead_letter_reasons import Reason
    from store.reports.open_failures import FailureGroup, OpenFailure

#: Names that are shown at once: Entra gives twenty in a request.
MAX_NAMED: Final = 200

blueprint = Blueprint("attention", __name__, url_prefix="/tenants/<tenant>/attention")


@blueprint.get("/")
def overview(tenant: str) -> str:
    """Show the tenant's problems, and the users that fail in groups: those of the reader's turn first."""
    found, services, language = tenant_of(tenant), hub_services(), current_language()
    now = dt.datetime.now(dt.UTC)
    (status,) = tenant_statuses([tenant], store=services.store, now=now, idle=services.idle)
    found_groups = failure_groups(tenant, status.last_run, store=services.store)
    said = {each.reason: each for each in services.store.set_aside_groups.list([tenant])}
    aside = groups_aside([tenant], store=services.store, now=now).get(tenant, {})
    owners = FailureOwners(services.store)
    groups = [(group, _advice(tenant, group, owners)) for group in found_groups if group.reason not in aside]
    return render_template(
        "attention.html",
        tenant=found,
        last_run=status.last_run,
        problems=[
            (
                problem,
                describe_problem(problem, language),
                None
                if problem.cause is None
                else advice_on(problem.cause, language, of_undo=problem.of_undo),
            )
            for problem in status.problems
            if problem.kind is not ProblemKind.USERS_FAILED
        ],
        turns=[
            (is_readers_turn, of_turn)
            for is_readers_turn in (True, False)
            if (of_turn := [each for each in groups if each[1].is_readers_turn is is_readers_turn])
        ],
        tasks=services.store.dead_letter_tasks.list(tenant) if g.member.administers(tenant) else (),
        aside=[(group, aside[group.reason]) for group in found_groups if group.reason in aside],
        # Who fails since after that has not come back.
        came_back={
            group.reason: said[group.reason].until
            for group, _ in groups
            if group.reason in said and group.first < said[group.reason].until
        },
        undone=status.users.reverted,
        undos=undos_since(tenant, status.users.run, store=services.store) if status.users.reverted else (),
        users_aside=sum(status.users.set_aside.values()),
        failed=sum(group.users for group, _ in groups),
        recent=sum(group.recent for group, _ in groups),
    )


@blueprint.get("/<reason>")
def users(tenant: str, reason: str) -> str:
    """Show the users that fail for a reason, page by page."""
    read = failed_users_list(tenant, reason_of(reason), store=hub_services().store)
    return _users(tenant, reason_of(reason), requested_page(read))


@blueprint.post("/<reason>/names")
def names(tenant: str, reason: str) -> str:
    """Show what Entra calls the users that fail for a reason, the first of many; that is recorded."""
    services, chosen = hub_services(), reason_of(reason)
    if services.gateways is None:
        abort(400)
    read = failed_users_list(tenant, chosen, store=services.store)
    page = UsersPage(users=read(after="", limit=MAX_NAMED), after=None)
    ids = [each.entra_id for each in page.users if is_object_id(each.entra_id)]
    told = group_names(tenant, chosen, ids, g.member, store=services.store, gateways=services.gateways)
    return _users(tenant, chosen, page, told)


def _users(
    tenant: str,
    reason: Reason,
    page: UsersPage[OpenFailure],
    told: Mapping[str, tuple[str, ...]] | None = None,
) -> str:
    group = _group(tenant, reason)
    advice = advice_on(reason, current_language())
    if group is not None:
        advice = _advice(tenant, group, FailureOwners(hub_services().store))
    return render_template(
        "attention_users.html",
        tenant=tenant_of(tenant),
        reason=reason,
        advice=advice,
        page=page,
        count=0 if group is None else group.users,
        told=told,
        unnamed=sum(each.entra_id not in (told or {}) for each in page.users),
        can_name=hub_services().gateways is not None and g.member.administers(tenant),
        most=MAX_NAMED,
        acts=g.member.administers(tenant),
    )


@blueprint.get("/users.csv")
def all_csv(tenant: str) -> Response:
    """Return all users that fail as a file."""
    return _csv(tenant, None)


@blueprint.get("/<reason>.csv")
def users_csv(tenant: str, reason: str) -> Response:
    """Return the users that fail for a reason as a file."""
    return _csv(tenant, reason_of(reason))


def _advice(tenant: str, group: FailureGroup, owners: FailureOwners) -> Advice:
    owner = owners.of_group(tenant, group.reason, is_held_in_entra=group.is_held_in_entra)
    return advice_on(group.reason, current_language(), owner=owner)


def _group(tenant: str, reason: Reason) -> FailureGroup | None:
    groups = failure_groups(tenant, None, store=hub_services().store)
    return next((each for each in groups if each.reason is reason), None)


def _csv(tenant: str, reason: Reason | None) -> Response:
    found, language = tenant_of(tenant), current_language()
    store = hub_services().store
    now = dt.datetime.now(dt.UTC)
    read = (
        failed_users_now(tenant, store=store, now=now)
        if reason is None
        else failed_users_list(tenant, reason, store=store)
    )
    users, owners = all_users(read), FailureOwners(store)
    entries = (RepairEntry(failure=each, owner=owners.of(tenant, each.reason, each.detail)) for each in users)
    rows = repair_rows(entries, language)
    return csv_file(f"{found.key}-{reason or 'failed-users'}", HEADINGS, rows)
