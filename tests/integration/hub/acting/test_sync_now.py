"""Syncing one user now, by its page and by the API: over HTTP, with a real RabbitMQ and no producer."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from schemas.details.detail import Detail
from schemas.details.kinds import DetailKind
from schemas.hub.session import AuditKind
from schemas.messages.messages import SyncRequest
from schemas.outcomes import Cause, Outcome
from schemas.runs.changes import ChangeKind
from schemas.runs.sync_result import SyncResult, Unwritten
from schemas.users.attributes import Attribute
from tests.integration.hub.acting.test_runs import administrator, events, program
from tests.integration.hub.made_up_runs import FAILED, USERS, finish, new_tenant, start, text_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from schemas.runs.run import Run
    from store.store import Store
    from tests.integration.hub.browser import Hub

NEW = "00000000-0000-4000-8000-00000000abcd"
UPDATED = SyncResult(
    outcome=Outcome.UPDATED,
    skolon_id="s-1",
    changed=(Attribute.CITY,),
    change_kinds={Attribute.CITY: ChangeKind.CHANGED},
)


def begun(store: Store, tenant: str, key: str, user: str) -> Run:
    """Open the run of a request, as a producer does."""
    request = SyncRequest(tenant=tenant, users=(user,), recheck_all=True)
    run = store.triggers.open(request, f"hub/{tenant}/{key}").run
    store.receipts.create_pending(run.id, [user])
    store.runs.finish_reading(run.id)
    return run


def test_a_user_is_synced_once_and_its_page_follows(
    hub: Hub, store: Store, requested: Callable[[], int]
) -> None:
    """While a run of all users is open: a double click and a reload ask once, and the result is shown."""
    tenant = new_tenant(hub, "genast")
    start(store, tenant, f"all of {tenant}")
    browser, user = administrator(hub, tenant), USERS[0]
    path = f"tenants/{tenant}/users/{user}/sync/"
    assert f'href="/{path}"' in browser.open(f"tenants/{tenant}/users/{user}").text
    form, before = browser.open(path), requested()
    assert "read from Entra once more" in text_of(form.text)

    with ThreadPoolExecutor(2) as clicks:
        answers = list(clicks.map(lambda _: browser.submit(path, form), range(2)))

    (watched,) = {answer.url.removeprefix(hub.address) for answer in answers}
    assert requested() == before + 1
    assert events(store, tenant).count(AuditKind.USER_SYNC_REQUESTED) == 1
    assert "not running" in text_of(answers[0].text)
    assert "is going on" not in text_of(answers[0].text)
    run = begun(store, tenant, watched.rpartition("/")[2], user)
    assert (run.is_quick, run.recheck_all) == (True, True)
    going_on = browser.open(f"{watched}/progress")
    assert ("is being synced" in text_of(f"<main>{going_on.text}</main>"), "hx-get" in going_on.text) == (
        True,
        True,
    )
    store.receipts.finish(run.id, user, UPDATED)
    store.runs.complete_if_done(run.id)
    done = text_of(browser.open(watched).text)
    assert "Done: Skolon has what Entra says." in done
    assert "Changed : City" in done.replace("Changed:", "Changed :")
    assert "hx-get" not in browser.open(f"{watched}/progress").text
    audit = text_of(browser.open(f"tenants/{tenant}/audit").text)
    assert "Had a user synced now" in audit
    assert user in audit


def test_a_user_that_fails_again_says_so(hub: Hub, store: Store) -> None:
    """In Swedish too: the result names the reason, and leads to the user's page."""
    tenant = new_tenant(hub, "igen")
    finish(store, start(store, tenant, f"first of {tenant}"), {USERS[1]: FAILED})
    browser, path = administrator(hub, tenant, "sv"), f"tenants/{tenant}/users/{USERS[1]}/sync/"
    asked = browser.submit(path, browser.open(path))
    watched = asked.url.removeprefix(hub.address)
    run = begun(store, tenant, watched.rpartition("/")[2], USERS[1])
    store.receipts.mark_dead_lettered(run.id, USERS[1], FAILED, 1)
    store.runs.complete_if_done(run.id)
    page = browser.open(watched)
    assert "Användaren kunde inte uppdateras." in text_of(page.text)
    assert f'href="/tenants/{tenant}/users/{USERS[1]}"' in page.text


def test_a_user_that_is_written_in_part_says_so(hub: Hub, store: Store) -> None:
    """What was written stands below a sentence that does not deny it."""
    tenant = new_tenant(hub, "delvis")
    finish(store, start(store, tenant, f"first of {tenant}"), {USERS[1]: FAILED})
    browser, path = administrator(hub, tenant), f"tenants/{tenant}/users/{USERS[1]}/sync/"
    watched = browser.submit(path, browser.open(path)).url.removeprefix(hub.address)
    run = begun(store, tenant, watched.rpartition("/")[2], USERS[1])
    fault = Detail(DetailKind.NOT_AN_EPPN, attribute="eppn")
    unwritten = {Attribute.EPPN: Unwritten(reason=FAILED.reason, stage=FAILED.stage, fault=fault)}
    store.receipts.record_incomplete(run.id, USERS[1], replace(UPDATED, unwritten=unwritten))
    store.receipts.mark_dead_lettered(run.id, USERS[1], FAILED, 1)
    store.runs.complete_if_done(run.id)
    text = text_of(browser.open(watched).text)
    assert "Not everything could be written." in text
    assert "could not be updated" not in text
    assert "Changed: City" in text


def test_while_a_question_waits_no_user_is_synced(
    hub: Hub, store: Store, requested: Callable[[], int]
) -> None:
    """The page leads to the halted run and has no button; a form from before is refused and not recorded."""
    tenant = new_tenant(hub, "fragan")
    halted = start(store, tenant, f"halted of {tenant}")
    browser, path = administrator(hub, tenant), f"tenants/{tenant}/users/{USERS[0]}/sync/"
    form = browser.open(path)
    detail = Detail(DetailKind.GUARD_EXCEEDED, limit="changed", count=2, size=6, most=1, share="10")
    store.runs.halt(halted, Cause.GUARD_EXCEEDED, detail)
    before = requested()
    page = browser.open(path).text
    assert f"/runs/{halted}" in page
    assert "takes a few seconds" not in text_of(page)
    assert 'name="key"' not in page
    refused = browser.submit(path, form)
    assert (refused.status_code, "waits for an answer" in refused.text) == (422, True)
    answer = program(hub, browser, tenant)("POST", f"/users/{USERS[0]}/sync", "a")
    assert (answer.status_code, answer.json()["errors"]) == (409, {"action": ["unanswered"]})
    assert AuditKind.USER_SYNC_REQUESTED not in events(store, tenant)
    assert requested() == before


def test_readers_sync_no_user(hub: Hub, store: Store) -> None:
    """For a reader there is no such page, and no button on the user's."""
    tenant = new_tenant(hub, "lasande")
    finish(store, start(store, tenant, f"first of {tenant}"), {})
    reader = hub.signed_in("Rut Läsare", "reader", tenant)
    assert "Sync now" not in reader.open(f"tenants/{tenant}/users/{USERS[0]}").text
    path = f"tenants/{tenant}/users/{USERS[0]}/sync/"
    assert reader.open(path).status_code == 404
    assert reader.submit(path, reader.open("permissions"), key="x").status_code == 404


def test_a_program_syncs_a_user(hub: Hub, store: Store, requested: Callable[[], int]) -> None:
    """Once for each key; a user that no run has reached, or that is of no tenant of its own, is not there."""
    tenant = new_tenant(hub, "program-nu")
    finish(store, start(store, tenant, f"first of {tenant}"), {})
    ask = program(hub, administrator(hub, tenant), tenant)
    before = requested()
    first = ask("POST", f"/users/{USERS[0]}/sync", "now-1")
    assert (first.status_code, first.json()["run"]) == (202, None)
    run = begun(store, tenant, "now-1", USERS[0])
    again = ask("POST", f"/users/{USERS[0]}/sync", "now-1")
    assert again.json() == {"event": first.json()["event"], "run": str(run.id)}
    assert requested() == before + 1
    other = ask("POST", f"/users/{USERS[1]}/sync", "now-1")
    assert other.json()["errors"] == {"action": ["key_reused"]}
    assert ask("POST", f"/users/{NEW}/sync", "now-2").status_code == 404
    reads = program(hub, administrator(hub, tenant), tenant, may_act=False)
    assert reads("POST", f"/users/{USERS[0]}/sync", "now-3").status_code == 403


@pytest.mark.parametrize("user", ["x", "å" * 400, "../runs", NEW])
def test_what_is_no_user_is_not_there(hub: Hub, user: str) -> None:
    """An address that names no user of a run, or no id at all, is that of no page."""
    browser = administrator(hub, "exempel")
    assert browser.open(f"tenants/exempel/users/{user}/sync/").status_code == 404
