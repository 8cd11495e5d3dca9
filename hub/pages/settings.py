"""A tenant's settings, each with a sentence that says what it does; changed on the command line."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from flask import Blueprint, g, render_template

from administration.tenants.next_run import next_run
from hub.addresses import tenant_of
from hub.presentation import settings_texts
from hub.presentation.actions.schedules import local_moment, schedule_text
from hub.services import hub_services
from schemas.crypto.encryption import DecryptionError

if TYPE_CHECKING:
    from schemas.tenants.scope import ScopeRule
    from schemas.tenants.tenant import Tenant

blueprint = Blueprint("settings", __name__, url_prefix="/tenants/<tenant>/settings")


@blueprint.get("/")
def show(tenant: str) -> str:
    """Show the settings; values of the scope's rules to those alone who act for the tenant."""
    found, services = tenant_of(tenant), hub_services()
    with_rules = _with_rules(found)
    shows_values = g.member.administers(tenant)
    scope = (with_rules or found).scope

    def texts(rules: tuple[ScopeRule, ...]) -> list[str]:
        return [settings_texts.rule_text(rule, shows_values=shows_values) for rule in rules]

    next_one = next_run(tenant, services.store, dt.datetime.now(dt.UTC))
    pause = None if next_one is None else next_one.pause
    return render_template(
        "settings.html",
        tenant=found,
        secret=services.store.tenants.secret_origin(tenant),
        attributes=settings_texts.attribute_settings(found),
        scope=scope,
        include=texts(scope.include),
        exclude=texts(scope.exclude),
        are_rules_known=with_rules is not None,
        guard=settings_texts.guard_texts(found.guard),
        others=settings_texts.other_texts(found),
        next_run=next_one,
        schedule_text=schedule_text(found.schedule),
        pause=pause,
        pause_end=pause and local_moment(pause.until, found.time_zone),
    )


def _with_rules(tenant: Tenant) -> Tenant | None:
    """Return the tenant with the rules of its scope, None if no key of ours opens them."""
    try:
        return hub_services().store.tenants.settings(tenant.key)
    except DecryptionError:
        return None
