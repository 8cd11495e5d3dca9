"""Whom a rule leaves out may be protected: what each role and a program see of such a user (promise P6)."""

from __future__ import annotations

from html import unescape
from typing import TYPE_CHECKING

import pytest
import requests
from sqlalchemy import select

from sandbox.environment import TENANT_KEY, Environment
from sandbox.municipality.made_up_user import PROTECTED_SOURCE, PROTECTED_VALUE
from schemas.details.detail import Detail
from schemas.details.kinds import DetailKind
from schemas.hub.session import AuditKind
from schemas.messages.messages import SyncRequest
from schemas.outcomes import Outcome
from schemas.runs.sync_result import NO_LONGER_IN_ENTRA, SyncResult
from store import tables
from tests.integration.hub.browser import DEADLINE
from tests.integration.hub.made_up_runs import text_of
from tests.integration.hub.users.test_users import PATH, entra_id, look_up

if TYPE_CHECKING:
    from sandbox.municipality.municipality import MadeUpUser
    from store.store import Store
    from tests.integration.hub.browser import Browser, Hub

DISABLED = "6a1c0c3e-0000-4000-8000-0000000000d1"
IN_SKOLON = "6a1c0c3e-0000-4000-8000-0000000000d2"
GONE = "6a1c0c3e-0000-4000-8000-0000000000d3"
RULE = f"scope.exclude {PROTECTED_SOURCE}=…"


def left_out(kind: DetailKind, setting: str) -> SyncResult:
    detail = Detail(DetailKind.EXCLUDED, setting=setting, fact=Detail(kind))
    return SyncResult(outcome=Outcome.OUT_OF_SCOPE, detail=detail)


@pytest.fixture(scope="module")
def protected(_served: Environment) -> MadeUpUser:
    """Return a person whose identity is protected by a rule of the tenant's settings."""
    return next(
        each
        for each in _served.municipality
        if each.entra["onPremisesExtensionAttributes"].get(PROTECTED_SOURCE) == PROTECTED_VALUE
    )


@pytest.fixture(scope="module")
def run(store: Store, protected: MadeUpUser) -> int:
    """Return a run that left users out for every kind of reason."""
    results = {
        entra_id(protected): left_out(DetailKind.EXCLUDED_BY_RULE, RULE),
        DISABLED: left_out(DetailKind.ACCOUNT_NOT_ENABLED, "scope.enabled_only"),
        IN_SKOLON: left_out(DetailKind.PROTECTED_IN_SKOLON, "securityMarking"),
        GONE: NO_LONGER_IN_ENTRA,
    }
    begun = store.triggers.open(SyncRequest(tenant=TENANT_KEY), "left out").run.id
    store.receipts.create_pending(begun, list(results))
    for user, result in results.items():
        store.receipts.finish(begun, user, result)
    store.runs.finish_reading(begun)
    store.runs.complete_if_done(begun)
    return begun


@pytest.mark.parametrize("role", ["reader", "administrator", "operator"])
def test_no_list_has_whom_a_rule_leaves_out(hub: Hub, run: int, protected: MadeUpUser, role: str) -> None:
    """Each role sees how many they are; the list has those whose account or absence leaves them out."""
    browser = hub.signed_in(f"Lista {role}", role, *(() if role == "operator" else (TENANT_KEY,)))
    address = f"tenants/{TENANT_KEY}/runs/{run}/users/out_of_scope"
    page, file = browser.open(address).text, browser.open(f"{address}.csv").text
    assert "4 users" in text_of(page)
    for shown in (page, file):
        assert DISABLED in shown
        assert GONE in shown
        assert entra_id(protected) not in shown
        assert IN_SKOLON not in shown
        assert PROTECTED_SOURCE not in shown
        assert "securityMarking" not in shown


def test_a_program_sees_the_number_alone(
    administrator: Browser, hub: Hub, run: int, protected: MadeUpUser
) -> None:
    """Not in the list of a run, with or without its filter, and not by the id."""
    made = administrator.submit(f"tenants/{TENANT_KEY}/tokens/", label="Utelämnade")
    secret = made.text.partition('class="hub-secret">')[2].partition("<")[0]

    def ask(path: str) -> requests.Response:
        headers = {"Authorization": f"Bearer {secret}"}
        return requests.get(
            f"{hub.address}api/v1/syncs/{TENANT_KEY}/{path}", headers=headers, timeout=DEADLINE
        )

    assert ask(f"runs/{run}").json()["outcomes"]["out_of_scope"] == 4
    for query in ("", "?outcome=out_of_scope"):
        assert [each["user"] for each in ask(f"runs/{run}/users{query}").json()["users"]] == [DISABLED, GONE]
    assert ask(f"users/{DISABLED}").json()["state"] == "excluded"
    for user in (entra_id(protected), IN_SKOLON):
        assert ask(f"users/{user}").status_code == 404


def test_for_a_reader_a_protected_person_is_not_there(
    stand_ins: Environment, browser: Browser, run: int, protected: MadeUpUser
) -> None:
    """By name, address, id and page: the answer is that for a person whom nobody knows."""
    del stand_ins, run
    unknown = text_of(look_up(browser, "Ingen Alls").text)
    for name in ("displayName", "userPrincipalName", "id"):
        answer = look_up(browser, str(protected.entra[name]))
        assert answer.status_code == 422
        assert text_of(answer.text) == unknown
    for user in (entra_id(protected), IN_SKOLON):
        assert browser.open(PATH + user).status_code == 404
        assert browser.submit(PATH + user).status_code == 404


def test_an_administrator_is_shown_the_rule_on_demand(
    stand_ins: Environment, administrator: Browser, browser: Browser, store: Store, protected: MadeUpUser
) -> None:
    """The page says that a rule leaves the user out; which one is recorded, and in no reader's audit."""
    del stand_ins
    page = look_up(administrator, str(protected.entra["displayName"]))
    assert "Left out of the sync" in text_of(page.text)
    assert PROTECTED_SOURCE not in page.text

    shown = administrator.submit(PATH + entra_id(protected), page)

    assert f"{PROTECTED_SOURCE}={PROTECTED_VALUE}" in unescape(shown.text)
    audit = tables.hub_audit
    with store.database.transaction() as connection:
        rows = connection.execute(select(audit).where(audit.c.kind == AuditKind.SCOPE_REVEALED)).all()
    assert [(row.tenant, row.entra_id) for row in rows] == [(TENANT_KEY, entra_id(protected))]
    assert entra_id(protected) in administrator.open(f"tenants/{TENANT_KEY}/audit").text
    of_reader = browser.open(f"tenants/{TENANT_KEY}/audit").text
    assert "Was shown why a user is left out" in of_reader
    assert entra_id(protected) not in of_reader


def test_what_leaves_out_without_protecting_is_said_to_everybody(
    stand_ins: Environment, browser: Browser
) -> None:
    """An account that is switched off is a school's own matter."""
    disabled = next(each for each in stand_ins.municipality if each.entra.get("accountEnabled") is False)
    text = text_of(look_up(browser, entra_id(disabled)).text)
    assert "Left out of the sync" in text
    # The answer at the top is a sentence too.
    assert text.count("Left out: the account is not enabled.") == 2


def test_how_many_each_rule_leaves_out_is_for_those_who_act(
    administrator: Browser, browser: Browser, store: Store, run: int
) -> None:
    """The page of a run names rules with their numbers to administrators alone."""
    with store.database.transaction() as connection:
        receipts = tables.receipts
        connection.execute(
            receipts.update()
            .where(receipts.c.run_id == run, receipts.c.entra_id == DISABLED)
            .values(left_scope=True)
        )
    path = f"tenants/{TENANT_KEY}/runs/{run}"
    assert "Synced before, and left out now" in administrator.open(path).text
    assert "Synced before, and left out now" not in browser.open(path).text
