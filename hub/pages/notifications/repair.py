"""The repair list: who could not be updated, by whose turn it is."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from flask import Blueprint, abort, render_template

from administration.notifications.repair_list import repair_entries, users_by_owner
from hub.addresses import tenant_of
from hub.language import current_language
from hub.notifications.texts import REPAIR_TITLES
from hub.presentation.lists.files import csv_file
from hub.presentation.lists.repair import HEADINGS, repair_rows
from hub.services import hub_services
from schemas.notifications.settings import REPAIR_OWNERS
from schemas.reports.remedy import Owner

if TYPE_CHECKING:
    from flask import Response

blueprint = Blueprint("repair", __name__, url_prefix="/tenants/<tenant>/repair-list")


@blueprint.get("/")
def show(tenant: str) -> str:
    """Show how many users each side has to correct."""
    found = tenant_of(tenant)
    counts = users_by_owner(found.key, now=dt.datetime.now(dt.UTC), store=hub_services().store)
    return render_template(
        "notifications/repair.html",
        tenant=found,
        sides=[(owner, REPAIR_TITLES[owner], counts.get(owner, 0)) for owner in REPAIR_OWNERS],
    )


@blueprint.get("/<owner>.csv")
def as_csv(tenant: str, owner: str) -> Response:
    """Return the list of one side as a file."""
    found = tenant_of(tenant)
    if owner not in list(REPAIR_OWNERS):
        abort(404)
    entries = repair_entries(found.key, now=dt.datetime.now(dt.UTC), store=hub_services().store)
    mine = (each for each in entries if each.owner is Owner(owner))
    return csv_file(f"{found.key}-{owner}", HEADINGS, repair_rows(mine, current_language()))
