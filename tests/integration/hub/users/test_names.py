"""The names of all users that fail for a reason: on request, recorded once, and in no file."""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from sandbox.environment import TENANT_KEY
from schemas.hub.session import AuditKind
from schemas.messages.messages import SyncRequest
from store import tables
from tests.integration.hub.made_up_runs import text_of
from tests.integration.hub.users.test_users import FAILED, entra_id

if TYPE_CHECKING:
    from sandbox.environment import Environment
    from sandbox.municipality.municipality import MadeUpUser
    from store.store import Store
    from tests.integration.hub.browser import Browser

GROUP = f"tenants/{TENANT_KEY}/attention/rejected_by_skolon"


@pytest.fixture(scope="module")
def people(_served: Environment, store: Store) -> list[MadeUpUser]:
    """Give five people of the group, which has a protected one too."""
    people = [each for each in _served.municipality if each.outcome == "updated"][:5]
    protected = protected_person(_served)
    run = store.triggers.open(SyncRequest(tenant=TENANT_KEY), "names").run.id
    ids = [entra_id(each) for each in (*people, protected)]
    store.receipts.create_pending(run, ids)
    for user in ids:
        store.receipts.mark_dead_lettered(run, user, FAILED, 1)
    store.runs.finish_reading(run)
    store.runs.complete_if_done(run)
    return people


def protected_person(environment: Environment) -> MadeUpUser:
    return next(each for each in environment.municipality if each.case == "protected_identity")


def test_a_group_is_named_on_request(
    stand_ins: Environment, people: list[MadeUpUser], administrator: Browser, browser: Browser, store: Store
) -> None:
    """P6: one entry of the audit has the group and the number; who may be protected is not named."""
    protected = protected_person(stand_ins)
    page = administrator.open(GROUP)
    names = [str(each.entra["displayName"]) for each in people]
    assert not any(name in unescape(page.text) for name in names)

    shown = administrator.submit(f"{GROUP}/names", page)

    assert shown.url.endswith("/names")
    assert all(name in unescape(shown.text) for name in names)
    assert str(protected.entra["displayName"]) not in unescape(shown.text)
    audit = tables.hub_audit
    with store.database.transaction() as connection:
        rows = connection.execute(select(audit).where(audit.c.kind == AuditKind.NAMES_REVEALED)).all()
    assert [(row.tenant, row.reason, row.users) for row in rows] == [
        (TENANT_KEY, "rejected_by_skolon", len(people))
    ]
    told = text_of(browser.open(f"tenants/{TENANT_KEY}/audit").text)
    assert re.search(r"names of a group of users that fail .* Group Skolon refused the change Users 5", told)
    # A reader is offered no names, and gets none; a file has none.
    assert "Show their names" not in browser.open(GROUP).text
    assert browser.submit(f"{GROUP}/names").status_code == 404
    file = administrator.open(f"{GROUP}.csv").text
    assert not any(name in file for name in names)


@pytest.mark.usefixtures("people")
def test_a_file_has_the_advice_the_turn_and_the_zone(administrator: Browser) -> None:
    """One file is enough to work from."""
    head, first = administrator.open(f"{GROUP}.csv").text.splitlines()[:2]
    assert "What to do,Who must act,Since" in head
    assert "the person who corrects data in Skolon" in first
    # Of this one user: the file has no list to lead to.
    assert "stands with each user" not in first
    assert re.search(r"\d{4}-\d\d-\d\d \d\d:\d\d\+0[12]:00", first)
