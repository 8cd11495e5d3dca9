"""A new organisation, for operators."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import Blueprint, g, redirect, render_template, request, url_for
from flask_babel import lazy_gettext as _

from administration.tenants.set_up.new_tenant import NewTenantFault, add_tenant, sharing_tenants
from hub.services import hub_services
from schemas.safe_text import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask_babel.speaklater import LazyString
    from werkzeug.wrappers import Response

blueprint = Blueprint("organisations", __name__, url_prefix="/organisations")

#: Characters of a field that are shown again.
_SHOWN: Final = 200

_FAULTS: Final[Mapping[NewTenantFault, LazyString]] = {
    NewTenantFault.KEY: _(
        "Write 1 to 63 characters: a to z, 0 to 9, hyphens and underscores. The first is a letter or a digit."
    ),
    NewTenantFault.TAKEN: _("Another organisation has this key. Choose another one."),
    NewTenantFault.NAME: _("Write a name of at most 200 characters."),
    NewTenantFault.ORGANISATION: _(
        "Write the organisation as it stands in Skolon's addresses: letters, digits and . _ ~ - alone."
    ),
    NewTenantFault.SHARED: _(
        "Another organisation here writes to the same users in Skolon. Mostly that is a mistake. "
        "If it is meant, tick the box."
    ),
}

_FIELDS: Final = {
    NewTenantFault.KEY: "key",
    NewTenantFault.TAKEN: "key",
    NewTenantFault.NAME: "name",
    NewTenantFault.ORGANISATION: "organisation",
    NewTenantFault.SHARED: "organisation",
}


@blueprint.get("/new")
def show() -> str:
    """Show the form."""
    return _form()


@blueprint.post("/new")
def add() -> tuple[str, int] | Response:
    """Add the organisation, once, and go on to its connection."""
    key, name, organisation = (request.form.get(field, "") for field in ("tenant", "name", "organisation"))
    fault = add_tenant(
        key.strip(),
        name,
        organisation,
        g.member,
        may_share=request.form.get("sure") == "yes",
        store=hub_services().store,
    )
    if fault is not None:
        return _form(fault, key=key, name=name, organisation=organisation), 422
    return redirect(url_for("set_up.show", tenant=key.strip()), 303)


def _form(
    fault: NewTenantFault | None = None, *, key: str = "", name: str = "", organisation: str = ""
) -> str:
    others = []
    if fault is NewTenantFault.SHARED:
        others = sharing_tenants(organisation, store=hub_services().store)
    return render_template(
        "set_up/organisation.html",
        key=one_line(key)[:_SHOWN],
        name=one_line(name)[:_SHOWN],
        organisation=one_line(organisation)[:_SHOWN],
        fault=_FAULTS[fault] if fault else "",
        wrong=_FIELDS[fault] if fault else "",
        others=others,
    )
