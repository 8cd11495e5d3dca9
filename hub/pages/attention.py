"""What needs attention at a tenant: who could not be updated, why, whose turn it is and what to do."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from flask import Blueprint, render_template
from flask_babel import gettext as _

from administration.dead_letters.open_failures import failed_users_list, failure_groups
from administration.paging import all_users
from administration.tenants.status import tenant_statuses
from hub.addresses import reason_of, requested_page, tenant_of
from hub.language import current_language
from hub.presentation.advice import advice_on
from hub.presentation.lists.files import csv_file
from hub.presentation.problems import describe_problem
from hub.presentation.times import moment
from hub.presentation.words import REASONS
from hub.services import hub_services
from schemas.tenants.tenant_status import ProblemKind

if TYPE_CHECKING:
    from flask import Response

    from schemas.dead_letter_reasons import Reason
    from store.reports.open_failures import FailureGroup

blueprint = Blueprint("attention", __name__, url_prefix="/tenants/<tenant>/attention")


@blueprint.get("/")
def overview(tenant: str) -> str:
    """Show the tenant's problems, and the users that fail in groups: those of the reader's turn first."""
    found, services, language = tenant_of(tenant), hub_services(), current_language()
    (status,) = tenant_statuses(
        [tenant], store=services.store, now=dt.datetime.now(dt.UTC), idle=services.idle
    )
    groups = [
        (group, advice_on(group.reason, language, is_held_in_entra=group.is_held_in_entra))
        for group in failure_groups(tenant, status.last_run, store=services.store)
    ]
    return render_template(
        "attention.html",
        tenant=found,
        last_run=status.last_run,
        problems=[
            (
                problem,
                describe_problem(problem, language),
                None if problem.cause is None else advice_on(problem.cause, language),
            )
            for problem in status.problems
            if problem.kind is not ProblemKind.USERS_FAILED
        ],
        turns=[
            (is_readers_turn, of_turn)
            for is_readers_turn in (True, False)
            if (of_turn := [each for each in groups if each[1].is_readers_turn is is_readers_turn])
        ],
        failed=sum(group.users for group, _ in groups),
        recent=sum(group.recent for group, _ in groups),
    )


@blueprint.get("/<reason>")
def users(tenant: str, reason: str) -> str:
    """Show the users that fail for a reason, page by page."""
    found, chosen = tenant_of(tenant), reason_of(reason)
    group = _group(tenant, chosen)
    return render_template(
        "attention_users.html",
        tenant=found,
        reason=chosen,
        advice=advice_on(
            chosen, current_language(), is_held_in_entra=group is not None and group.is_held_in_entra
        ),
        page=requested_page(failed_users_list(tenant, chosen, store=hub_services().store)),
    )


@blueprint.get("/users.csv")
def all_csv(tenant: str) -> Response:
    """Return all users that fail as a file."""
    return _csv(tenant, None)


@blueprint.get("/<reason>.csv")
def users_csv(tenant: str, reason: str) -> Response:
    """Return the users that fail for a reason as a file."""
    return _csv(tenant, reason_of(reason))


def _group(tenant: str, reason: Reason) -> FailureGroup | None:
    groups = failure_groups(tenant, None, store=hub_services().store)
    return next((each for each in groups if each.reason is reason), None)


def _csv(tenant: str, reason: Reason | None) -> Response:
    found, language = tenant_of(tenant), current_language()
    users = all_users(failed_users_list(tenant, reason, store=hub_services().store))
    rows = (
        (
            each.entra_id,
            REASONS[each.reason],
            advice_on(each.reason, language).detail_text(each.detail),
            moment(each.since),
            each.run,
        )
        for each in users
    )
    headings = (_("Entra id"), _("Why"), _("What is wrong"), _("Since"), _("Run"))
    return csv_file(f"{found.key}-{reason or 'failed-users'}", headings, rows)
