"""Undoing a run, by its page and by the API: over HTTP, with a real RabbitMQ and no producer."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from schemas.hub.session import AuditKind
from schemas.messages.messages import SyncRequest
from schemas.outcomes import Cause, Mode, Outcome, Status
from schemas.runs.changes import ChangeKind
from schemas.runs.sync_result import SyncResult
from schemas.users.attributes import Attribute
from tests.integration.hub.acting.test_runs import administrator, events, program
from tests.integration.hub.made_up_runs import USERS, finish, new_tenant, start, text_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from store.store import Store
    from tests.integration.hub.browser import Hub

CITY = Attribute.CITY


def changing_run(store: Store, tenant: str, event: str = "changes", *, ended: bool = True) -> int:
    """Make a run that has filled the city of two users and changed the EPPN of one of them."""
    run = start(store, tenant, f"{event} {tenant}")
    results = {}
    for number, user in enumerate(USERS[:2]):
        old: dict[Attribute, str | None] = {CITY: None}
        kinds = {CITY: ChangeKind.FILLED}
        if number == 0:
            old[Attribute.EPPN] = "before@skola.example"
            kinds[Attribute.EPPN] = ChangeKind.CHANGED
        new: dict[Attribute, str | None] = dict.fromkeys(old, "after@skola.example")
        store.claims.claim(run, user, f"{tenant}-{number}", old, new_values=new)
        results[user] = SyncResult(
            outcome=Outcome.UPDATED,
            skolon_id=f"{tenant}-{number}",
            changed=tuple(kinds),
            change_kinds=kinds,
        )
    if ended:
        finish(store, run, results)
    return run


@pytest.mark.parametrize(
    ("language", "most", "since", "button"),
    [
        ("en", "At most 2 users get former values back.", "changed after the run", "Undo the run"),
        (
            "sv",
            "Högst 2 användare får tillbaka tidigare värden.",
            "ändrats efter körningen",
            "Ångra körningen",
        ),
    ],
)
def test_a_page_says_what_an_undo_restores_and_what_not(  # noqa: PLR0913, PLR0917 - cases
    hub: Hub, store: Store, language: str, most: str, since: str, button: str
) -> None:
    """For how many users, in which attribute the other way round, and what is left as it is."""
    tenant = new_tenant(hub, f"angra-{language}")
    run = changing_run(store, tenant)
    browser = administrator(hub, tenant, language)
    assert button in text_of(browser.open(f"tenants/{tenant}/runs/{run}").text)

    text = text_of(browser.open(f"tenants/{tenant}/runs/{run}/undo/").text)

    assert most in text
    assert since in text
    # What was filled becomes blank again: filled, changed, erased.
    assert re.search(r"(City|Ort|Stad) 0 0 2", text)
    assert re.search(r"EPPN \([^)]*\) 0 1 0", text)


def test_an_undo_is_started_once_and_recorded(hub: Hub, store: Store, requested: Callable[[], int]) -> None:
    """Its preview first, which the page then tells of; a double click starts one run, and leads to it."""
    tenant = new_tenant(hub, "angra")
    run = changing_run(store, tenant)
    browser = administrator(hub, tenant)
    path = f"tenants/{tenant}/runs/{run}/undo/"
    before = requested()
    form = browser.open(path)
    assert browser.submit(path, form, kind="both").status_code == 422
    with ThreadPoolExecutor(2) as clicks:
        answers = list(clicks.map(lambda _: browser.submit(path, form, kind="preview"), range(2)))
    (waits,) = {answer.url for answer in answers}
    assert requested() == before + 1
    assert events(store, tenant).count(AuditKind.UNDO_PREVIEWED) == 1
    request = SyncRequest(tenant=tenant, mode=Mode.UNDO, dry_run=True, reverts_run_id=run)
    preview = store.triggers.open(request, f"hub/{tenant}/{waits.rpartition('/')[2]}").run.id
    store.receipts.create_pending(preview, USERS[:2])
    would = SyncResult(outcome=Outcome.WOULD_UPDATE, skipped=(CITY,))
    finish(store, preview, {USERS[0]: would}, USERS[:2])

    form = browser.open(path)
    text = text_of(form.text)
    assert "What the last preview found" in text
    assert "1 user has a value that was changed since: it is left as it is." in text
    assert browser.submit(path, form, kind="undo").status_code == 200
    assert requested() == before + 2
    assert events(store, tenant).count(AuditKind.RUN_UNDONE) == 1
    assert f">{run}</a>" in browser.open(f"tenants/{tenant}/audit").text
    assert "1 user has a value that was changed since" in text_of(
        browser.open(f"tenants/{tenant}/runs/{preview}").text
    )


def test_what_cannot_be_undone_says_why(hub: Hub, store: Store, requested: Callable[[], int]) -> None:
    """An open run, a preview, one that changed no user: no button, and what comes all the same is refused."""
    tenant = new_tenant(hub, "ej-angra")
    nothing = start(store, tenant, f"nothing {tenant}")
    finish(store, nothing, {})
    going = start(store, tenant, f"goes on {tenant}")
    browser, before = administrator(hub, tenant), requested()
    for run, why in ((nothing, "has changed no user"), (going, "The run is going on.")):
        path = f"tenants/{tenant}/runs/{run}/undo/"
        page = browser.open(path)
        assert why in text_of(page.text)
        assert "<form" not in page.text.partition("<main")[2].partition("</main>")[0]
        refused = browser.submit(path, page, kind="undo", key=f"late-{run}")
        assert (refused.status_code, why in text_of(refused.text)) == (422, True)
        assert "Undo the run" not in browser.open(f"tenants/{tenant}/runs/{run}").text
    assert requested() == before
    assert AuditKind.RUN_UNDONE not in events(store, tenant)


def test_a_halted_run_is_cancelled_by_its_undo_and_others_wait(hub: Hub, store: Store) -> None:
    """The page says so; while the halted run waits for an answer no other run is undone."""
    tenant = new_tenant(hub, "stoppad")
    old = changing_run(store, tenant, "old")
    halted = changing_run(store, tenant, "halted", ended=False)
    store.runs.halt(halted, Cause.GUARD_EXCEEDED, "guard.changed: 2 of 6 users")
    browser = administrator(hub, tenant)

    assert "The run is halted: the undo cancels it." in text_of(
        browser.open(f"tenants/{tenant}/runs/{halted}/undo/").text
    )
    path = f"tenants/{tenant}/runs/{old}/undo/"
    refused = browser.submit(path, browser.open(path), kind="undo")
    assert refused.status_code == 422
    assert "A halted run waits for an answer." in text_of(refused.text)
    path = f"tenants/{tenant}/runs/{halted}/undo/"
    assert browser.submit(path, browser.open(path), kind="undo").status_code == 200
    assert store.runs.get(halted).status is Status.HALTED, "a producer cancels it when it opens the undo"


def test_programs_undo_a_run(hub: Hub, store: Store) -> None:
    """With what it would restore first; once for each key, and only by a token that may act."""
    tenant = new_tenant(hub, "program-angra")
    run = changing_run(store, tenant)
    browser = administrator(hub, tenant)
    ask = program(hub, browser, tenant)
    offer = ask("GET", f"/runs/{run}/undo").json()
    assert (offer["refusal"], offer["users"], offer["attributes"]["city"]["erased"]) == (None, 2, 2)
    assert ask("POST", f"/runs/{run}/undo", "a", json={}).status_code == 422
    answers = [ask("POST", f"/runs/{run}/undo", "a", json={"dry_run": False}) for _ in range(2)]
    assert [each.status_code for each in answers] == [202, 202]
    assert len({each.json()["event"] for each in answers}) == 1
    assert events(store, tenant).count(AuditKind.RUN_UNDONE) == 1
    reused = ask("POST", f"/runs/{run}/undo", "a", json={"dry_run": True})
    assert (reused.status_code, reused.json()["errors"]) == (409, {"action": ["key_reused"]})
    other = start(store, tenant, f"open {tenant}")
    refused = ask("POST", f"/runs/{other}/undo", "b", json={"dry_run": True})
    assert (refused.status_code, refused.json()["errors"]) == (409, {"action": ["not_ended"]})
    reader = program(hub, browser, tenant, may_act=False)
    assert reader("POST", f"/runs/{run}/undo", "c", json={"dry_run": True}).status_code == 403
    assert ask("GET", "/runs/999999/undo").status_code == 404


def undo_of(store: Store, tenant: str, run: int, *, dry_run: bool, users: int = 2) -> int:
    """Make an undo of a run that restored the values of users, or a preview of one."""
    request = SyncRequest(tenant=tenant, mode=Mode.UNDO, dry_run=dry_run, reverts_run_id=run)
    undo = store.triggers.open(request, f"undo {tenant} {run} {dry_run}").run.id
    store.receipts.create_pending(undo, USERS[:users])
    outcome = Outcome.WOULD_UPDATE if dry_run else Outcome.UPDATED
    restored = SyncResult(outcome=outcome, changed=(CITY,), change_kinds={CITY: ChangeKind.ERASED})
    finish(store, undo, dict.fromkeys(USERS[:users], restored), USERS[:users])
    return undo


@pytest.mark.parametrize(
    ("language", "now", "again", "was_undone", "stands"),
    [
        ("en", "Undo run {} now", "Undo the run", "Run {} was undone", "2 users have the values from before"),
        ("sv", "Ångra körning {} nu", "Ångra körningen", "Körning {} har ångrats", "2 användare har värdena"),
    ],
)
def test_a_run_is_undone_from_its_preview_and_not_twice(  # noqa: PLR0913, PLR0917 - cases
    hub: Hub, store: Store, language: str, now: str, again: str, was_undone: str, stands: str
) -> None:
    """Then its users are on a list until the next run, and the start page has one number for each thing."""
    tenant = new_tenant(hub, f"angrad-{language}")
    run = changing_run(store, tenant)
    browser = administrator(hub, tenant, language)
    preview = undo_of(store, tenant, run, dry_run=True)
    page = browser.open(f"tenants/{tenant}/runs/{preview}")
    assert now.format(run) in text_of(page.text)
    assert f"/tenants/{tenant}/runs/{run}/undo/#start" in page.text

    undo = undo_of(store, tenant, run, dry_run=False)

    assert again not in text_of(browser.open(f"tenants/{tenant}/runs/{run}").text)
    assert now.format(run) not in text_of(browser.open(f"tenants/{tenant}/runs/{preview}").text)
    page = browser.open(f"tenants/{tenant}/runs/{run}/undo/")
    assert was_undone.format(run) in text_of(page.text)
    assert "<form" not in page.text.partition("<main")[2].partition("</main>")[0]
    # The undo itself can be undone.
    assert again in text_of(browser.open(f"tenants/{tenant}/runs/{undo}").text)

    start_page = text_of(browser.open("").text)
    right = {"en": "Right in Skolon", "sv": "Stämmer i Skolon"}[language]
    assert f"{right} 4" in start_page
    assert re.search(rf"{right}: 4 (of|av) 6", start_page)
    assert stands in start_page
    attention = browser.open(f"tenants/{tenant}/attention/")
    assert stands in text_of(attention.text)
    listed = browser.open(f"tenants/{tenant}/runs/{undo}/users/updated")
    assert f"/runs/{undo}/users/updated" in attention.text
    assert all(user in listed.text for user in USERS[:2])


def test_users_of_a_cancelled_run_do_not_wait(hub: Hub, store: Store) -> None:
    """No run comes to them any more: on its page, in the list of runs, and above the list of users."""
    tenant = new_tenant(hub, "avbruten")
    run = start(store, tenant, f"cancelled {tenant}")
    browser = administrator(hub, tenant)
    assert "Waiting 6" in text_of(browser.open(f"tenants/{tenant}/runs/{run}").text)
    store.runs.cancel(run)
    for page in (f"runs/{run}", "runs/", f"runs/{run}/users/pending"):
        text = text_of(browser.open(f"tenants/{tenant}/{page}").text)
        assert "Not reached by the run" in text, page
        assert "Waiting" not in text
