"""The report: what the last run of all users found to correct, each list also as a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import Blueprint, abort, render_template
from flask_babel import gettext as _

from administration.tenants.data_quality import data_quality_of, uses_immutable_id
from hub.addresses import tenant_of
from hub.language import current_language
from hub.presentation.advice import advice_on
from hub.presentation.lists.files import csv_file
from hub.presentation.lists.report_lists import REPORT_LISTS, SIGN_IN_LIST
from hub.presentation.lists.sign_in_advice import (
    ON_EMAIL,
    ON_IDP_IDENTIFIER,
    ON_OTHER_IDP_IDENTIFIER,
    not_judged_text,
)
from hub.services import hub_services
from schemas.errors import UsageError

if TYPE_CHECKING:
    from flask import Response

    from schemas.reports.data_quality import DataQualityReport

blueprint = Blueprint("report", __name__, url_prefix="/tenants/<tenant>/report")

#: Entries of each list that the page shows, and that a file has at most.
_SHOWN: Final = 10
_IN_FILE: Final = 100_000


@blueprint.get("/")
def show(tenant: str) -> str:
    """Show the beginning of each list, and how sign-in by QR code would fare."""
    found, language = tenant_of(tenant), current_language()
    report = _report(tenant, _SHOWN)
    if report is None:
        return render_template("report.html", tenant=found, report=None)
    listed = [
        (name, each, each.count(report), each.rows(report, language)) for name, each in REPORT_LISTS.items()
    ]
    # Who does not sign in by QR code has nothing to correct there.
    lists = [each for each in listed if each[0] != SIGN_IN_LIST]
    takes_immutable_id = uses_immutable_id(tenant, store=hub_services().store)
    return render_template(
        "report.html",
        tenant=found,
        report=report,
        found_lists=[each for each in lists if each[2]],
        empty_lists=[each for each in lists if not each[2]],
        sign_in_lists=[each for each in listed if each[0] == SIGN_IN_LIST and each[2]],
        warnings=[
            (advice, advice.detail_text(warning.detail))
            for warning in report.run.warnings
            for advice in (advice_on(warning.kind, language),)
        ],
        uses_immutable_id=takes_immutable_id,
        on_email=ON_EMAIL,
        on_idp_identifier=ON_IDP_IDENTIFIER if takes_immutable_id else ON_OTHER_IDP_IDENTIFIER,
        not_judged=not_judged_text(report.sign_in),
    )


@blueprint.get("/<name>.csv")
def list_csv(tenant: str, name: str) -> Response:
    """Return a list as a file."""
    found, chosen = tenant_of(tenant), REPORT_LISTS.get(name)
    report = None if chosen is None else _report(tenant, _IN_FILE)
    if chosen is None or report is None:
        abort(404)
    headings = tuple(map(str, chosen.headings)) or (_("Entra id"),)
    return csv_file(f"{found.key}-{name}", headings, chosen.rows(report, current_language()))


def _report(tenant: str, limit: int) -> DataQualityReport | None:
    try:
        return data_quality_of(tenant, store=hub_services().store, limit=limit)
    except UsageError:
        # No run of all users is complete yet.
        return None
