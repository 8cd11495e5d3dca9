"""What addresses name, for all pages: a tenant, a run, a reason, and the page of a list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import abort, request

from administration.paging import users_page
from administration.runs.tenant_runs import run_of_tenant
from hub.services import hub_services
from schemas.dead_letter_reasons import Reason
from schemas.errors import UsageError
from schemas.users.graph_user import is_entra_id

if TYPE_CHECKING:
    from administration.paging import Item, ReadsUsers, UsersPage
    from schemas.dead_letters.task import DeadLetterTask
    from schemas.runs.run import RunSummary
    from schemas.tenants.tenant import Tenant

#: Users of a page.
_PAGE_SIZE: Final = 50

#: The largest number that the database has for a task.
_MOST: Final = 2**31 - 1


def tenant_of(key: str) -> Tenant:
    """Return a tenant of an address; there is no such page if there is no such tenant."""
    try:
        return hub_services().store.tenants.outline(key)
    except UsageError:
        abort(404)


def run_summary_of(tenant: str, run: str) -> RunSummary:
    """Return a run of a tenant; there is no such page if the tenant has none of that number."""
    summary = run_of_tenant(tenant, run, store=hub_services().store)
    if summary is None:
        abort(404)
    return summary


def reason_of(text: str) -> Reason:
    """Return the reason that an address names; there is no such page if there is no such reason."""
    try:
        return Reason(text)
    except ValueError:
        abort(404)


def requested_page(read: ReadsUsers[Item]) -> UsersPage[Item]:
    """Return the page of a list that the address asks for: it begins behind the user `after`.

    There is no such page if that can be no user's id.
    """
    after = request.args.get("after", "")
    if after and not is_entra_id(after):
        abort(404)
    return users_page(read, after=after, limit=_PAGE_SIZE)


def task_of(tenant: str, text: str) -> DeadLetterTask:
    """Return the task of a tenant that an address names; there is no such page if there is none."""
    is_number = text.isascii() and text.isdigit() and len(text) <= len(str(_MOST))
    found = None
    if is_number and int(text) <= _MOST:
        found = hub_services().store.dead_letter_tasks.find(tenant, int(text))
    return found or abort(404)
