"""The users of a run by their outcome, page by page and as a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, abort, render_template, request
from flask_babel import gettext as _

from administration.paging import all_users
from administration.remedies import FailureOwners
from administration.runs.run_users import changed_users_list, run_users_list
from hub.addresses import reason_of, requested_page, run_summary_of, tenant_of
from hub.language import current_language
from hub.presentation.lists.files import csv_file
from hub.presentation.lists.receipts import receipt_row
from hub.services import hub_services
from schemas.outcomes import Outcome
from schemas.runs.changes import ChangeKind
from schemas.users.attributes import Attribute

if TYPE_CHECKING:
    from flask import Response

    from schemas.dead_letter_reasons import Reason

blueprint = Blueprint("run_users", __name__, url_prefix="/tenants/<tenant>/runs/<run>/users")


@blueprint.get("/<outcome>")
def show(tenant: str, run: str, outcome: str) -> str:
    """Show the users of a run with an outcome, those with one `reason` if it is named."""
    found, summary = tenant_of(tenant), run_summary_of(tenant, run)
    chosen, reason, language = _outcome(outcome), _reason(), current_language()
    store = hub_services().store
    page, owners = (
        requested_page(run_users_list(summary.run.id, chosen, reason, store=store)),
        FailureOwners(store),
    )
    return render_template(
        "run_users.html",
        tenant=found,
        run=summary.run,
        outcome=chosen,
        reason=reason,
        count=summary.counts.get(chosen, 0) if reason is None else summary.reasons.get(reason, 0),
        page=page,
        rows=[(each, receipt_row(each, language, owners, tenant)) for each in page.users],
    )


@blueprint.get("/changes/<attribute>/<kind>")
def changes(tenant: str, run: str, attribute: str, kind: str) -> str:
    """Show the users whose attribute a run filled, changed or erased, or would have."""
    found, summary, language = tenant_of(tenant), run_summary_of(tenant, run), current_language()
    try:
        name, chosen = Attribute(attribute), ChangeKind(kind)
    except ValueError:
        abort(404)
    store = hub_services().store
    counts = store.change_totals.for_run(summary.run.id).attributes.get(name, {})
    page, owners = (
        requested_page(changed_users_list(summary.run.id, name, chosen, store=store)),
        FailureOwners(store),
    )
    return render_template(
        "run_changes.html",
        tenant=found,
        run=summary.run,
        attribute=name,
        kind=chosen,
        count=counts.get(chosen, 0),
        page=page,
        rows=[(each, receipt_row(each, language, owners, tenant)) for each in page.users],
    )


@blueprint.get("/<outcome>.csv")
def as_csv(tenant: str, run: str, outcome: str) -> Response:
    """Return the users of a run with an outcome as a file."""
    found, summary, language = tenant_of(tenant), run_summary_of(tenant, run), current_language()
    chosen, reason = _outcome(outcome), _reason()
    store = hub_services().store
    users, owners = (
        all_users(run_users_list(summary.run.id, chosen, reason, store=store)),
        FailureOwners(store),
    )
    rows = (
        (
            each.entra_id,
            row.skolon_id,
            row.why,
            row.detail,
            row.to_do,
            row.turn,
            row.attributes,
            row.zoned_at,
        )
        for each in users
        for row in (receipt_row(each, language, owners, tenant),)
    )
    headings = (
        _("Entra id"),
        _("Skolon id"),
        _("Why"),
        _("What is wrong"),
        _("What to do"),
        _("Who must act"),
        _("Attributes"),
        _("When"),
    )
    return csv_file(f"{found.key}-run-{summary.run.id}-{reason or chosen}", headings, rows)


def _outcome(text: str) -> Outcome:
    try:
        return Outcome(text)
    except ValueError:
        abort(404)


def _reason() -> Reason | None:
    text = request.args.get("reason")
    return None if text is None else reason_of(text)
