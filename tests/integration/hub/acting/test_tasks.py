"""What can be done with users that fail, by pages and by the API: over HTTP, with no process that does it."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from schemas.dead_letter_reasons import Reason
from schemas.dead_letters.task import (
    CHANGING_TASKS,
    DeadLetterTask,
    TaskControl,
    TaskKind,
    TaskStatus,
    TriedUser,
)
from schemas.hub.session import AuditKind
from schemas.outcomes import Outcome
from tests.integration.hub.acting.test_runs import administrator, events, program
from tests.integration.hub.made_up_runs import FAILED, USERS, finish, new_tenant, start, text_of

if TYPE_CHECKING:
    from requests import Response

    from store.store import Store
    from tests.integration.hub.browser import Browser, Hub

GROUP = "attention/invalid_user"


def failing_tenant(hub: Hub, store: Store, key: str, users: int = 4) -> str:
    """Return a new tenant of which some users fail for the same reason."""
    tenant = new_tenant(hub, key)
    finish(store, start(store, tenant, f"fails {tenant}"), dict.fromkeys(USERS[:users], FAILED))
    return tenant


def begin(browser: Browser, tenant: str, kind: str, query: str = "", **fields: str) -> Response:
    """Open the page on which it is chosen what is done, and press a button."""
    page = browser.open(f"tenants/{tenant}/{GROUP}/choose/{query}")
    return browser.submit(f"tenants/{tenant}/{GROUP}/choose/", page, kind=kind, **fields)


def take(store: Store, tenant: str, *kinds: TaskKind) -> DeadLetterTask:
    """Take a tenant's task up, as a process would; those of other tests are left as they are."""
    while (task := store.dead_letter_tasks.take(kinds)) is not None:
        if task.tenant == tenant:
            return task
    raise AssertionError("there is no task of the tenant")


@pytest.mark.parametrize(
    ("language", "texts"),
    [
        (
            "en",
            (
                "What to do with 4 users that fail",
                "Nothing is changed, neither",
                "read from Entra anew",
                "Why?",
            ),
        ),
        ("sv", ("Vad som ska göras med 4 användare", "Ingenting ändras, varken", "läses på nytt", "Varför?")),
    ],
)
def test_a_page_says_whom_and_what_before_anything_is_done(
    hub: Hub, store: Store, language: str, texts: tuple[str, ...]
) -> None:
    """From the group to what trying, trying again and setting aside mean; a look does nothing."""
    tenant = failing_tenant(hub, store, f"val-{language}")
    browser = administrator(hub, tenant, language)
    assert f"/tenants/{tenant}/{GROUP}/choose/" in browser.open(f"tenants/{tenant}/{GROUP}").text

    page = browser.open(f"tenants/{tenant}/{GROUP}/choose/").text

    assert [text for text in texts if text not in text_of(page)] == []
    assert all(user in page for user in USERS[:4])
    assert not re.search(r"dead letter|replay|payload|tenant ", text_of(page))
    assert store.dead_letter_tasks.list(tenant) == []
    reader = hub.signed_in(f"Läs {language}", "reader", tenant)
    assert "choose" not in reader.open(f"tenants/{tenant}/{GROUP}").text


@pytest.mark.parametrize(
    ("kind", "recorded"),
    [
        ("forecast", AuditKind.USERS_TRIED),
        ("replay", AuditKind.USERS_REPLAYED),
        ("discard", AuditKind.USERS_SET_ASIDE),
    ],
)
def test_each_is_asked_for_once_and_recorded(hub: Hub, store: Store, kind: str, recorded: AuditKind) -> None:
    """A double click and a form of the history are one task; the audit has the group and the number."""
    tenant = failing_tenant(hub, store, f"en-{kind}")
    browser = administrator(hub, tenant)
    form = browser.open(f"tenants/{tenant}/{GROUP}/choose/")
    path = f"tenants/{tenant}/{GROUP}/choose/"
    with ThreadPoolExecutor(2) as clicks:
        sent = {"kind": kind, "note": "They leave in June."}
        answers = list(clicks.map(lambda _: browser.submit(path, form, **sent), range(2)))
    answers.append(browser.submit(path, form, **sent))

    (address,) = {answer.url for answer in answers}
    (task,) = store.dead_letter_tasks.list(tenant)
    assert address.endswith(f"/tasks/{task.id}/")
    assert (task.kind, task.users, task.status) == (TaskKind(kind), 4, TaskStatus.REQUESTED)
    assert task.note == ("They leave in June." if kind == "discard" else None)
    assert events(store, tenant).count(recorded) == 1
    (entry,) = (each for each in store.hub_audit.page([tenant]).entries if each.kind is recorded)
    assert (entry.reason, entry.users) == (Reason.INVALID_USER, 4)
    text = text_of(answers[0].text)
    assert "Begins in a moment" in text
    assert "The part of the sync that does it is not running." in text
    assert "They leave" in text or kind != "discard"


def test_users_are_chosen_by_tick_and_by_day(hub: Hub, store: Store) -> None:
    """Those that are ticked on the group's page; those that have failed since a day, or up to one."""
    tenant = failing_tenant(hub, store, "valda")
    browser = administrator(hub, tenant)
    assert browser.open(f"tenants/{tenant}/{GROUP}").text.count('type="checkbox"') == 4
    ticked = f"?user={USERS[0]}&user={USERS[2]}"
    page = text_of(browser.open(f"tenants/{tenant}/{GROUP}/choose/{ticked}").text)
    assert "What to do with 2 users that fail" in page
    none = browser.open(f"tenants/{tenant}/{GROUP}/choose/?ticked=yes")
    assert "Tick at least one user first." in text_of(none.text)
    assert "What to do with" not in text_of(none.text)
    begin(browser, tenant, "forecast", ticked)
    (task,) = store.dead_letter_tasks.list(tenant)
    assert (task.selection.users, task.users) == ((USERS[0], USERS[2]), 2)

    for query, found in (
        ("?from=2020-01-01", "4 users"),
        ("?from=2999-01-01", "0 users"),
        ("?to=2020-01-01", "0 users"),
        ("?from=2020-01-01&to=2999-01-01", "4 users"),
    ):
        text = text_of(browser.open(f"tenants/{tenant}/{GROUP}/choose/{query}").text)
        assert f"What to do with {found} that fail" in text, query
    wrong = browser.open(f"tenants/{tenant}/{GROUP}/choose/?from=yesterday")
    assert wrong.status_code == 422
    assert "Write a day as year-month-day" in text_of(wrong.text)
    assert 'name="kind"' not in wrong.text


def test_of_two_people_the_second_one_is_told(hub: Hub, store: Store) -> None:
    """While users are worked on, no other work begins that would take them away; the page leads to it."""
    tenant = failing_tenant(hub, store, "tva")
    first, second = administrator(hub, tenant), hub.signed_in("Bo Bredvid", "administrator", tenant)
    form = second.open(f"tenants/{tenant}/{GROUP}/choose/")
    begin(first, tenant, "replay")
    (task,) = store.dead_letter_tasks.list(tenant)

    refused = second.submit(f"tenants/{tenant}/{GROUP}/choose/", form, kind="discard", note="Gone.")

    assert refused.status_code == 422
    assert "Users of this organisation are being worked on already." in text_of(refused.text)
    assert f"/tasks/{task.id}/" in refused.text
    assert events(store, tenant).count(AuditKind.USERS_SET_ASIDE) == 0
    # What changes nothing is in nobody's way.
    assert begin(second, tenant, "forecast").status_code == 200
    assert "Try again" in text_of(second.open(f"tenants/{tenant}/attention/").text)


def test_a_task_pauses_goes_on_and_ends(hub: Hub, store: Store) -> None:
    """By whoever may, each once; what has ended cannot be changed any more."""
    tenant = failing_tenant(hub, store, "paus")
    browser = administrator(hub, tenant)
    page = begin(browser, tenant, "replay")
    path = page.url.removeprefix(hub.address)
    (task,) = store.dead_letter_tasks.list(tenant)
    taken = take(store, tenant, *CHANGING_TASKS)
    assert browser.submit(path, page, control="pause", key="pause").status_code == 200
    assert store.dead_letter_tasks.renew(taken, {}) is TaskControl.PAUSE
    store.dead_letter_tasks.finish(taken, TaskStatus.PAUSED, {})
    assert "Paused" in text_of(browser.open(path).text)

    browser.submit(path, page, control="go_on", key="on")
    assert store.dead_letter_tasks.find(tenant, task.id).status is TaskStatus.REQUESTED  # type: ignore[union-attr] # it is there
    for _ in range(2):
        assert browser.submit(path, page, control="cancel", key="cancel").status_code == 200
    assert "Cancelled" in text_of(browser.open(path).text)
    late = browser.submit(path, page, control="go_on", key="late")
    assert (late.status_code, "It has ended already." in late.text) == (422, True)
    assert browser.submit(path, page, control="stop", key="none").status_code == 400
    kinds = [AuditKind.TASK_PAUSED, AuditKind.TASK_RESUMED, AuditKind.TASK_CANCELLED]
    assert [events(store, tenant).count(kind) for kind in kinds] == [1, 1, 1]


def test_a_forecast_leads_to_those_who_would_not_fail_again(hub: Hub, store: Store) -> None:
    """With the users behind each number, in one reading by ETag while nothing changes."""
    tenant = failing_tenant(hub, store, "forst")
    browser = administrator(hub, tenant)
    path = begin(browser, tenant, "forecast").url.removeprefix(hub.address)
    task = take(store, tenant, TaskKind.FORECAST)
    tried = [
        TriedUser(entra_id=USERS[0], outcome=Outcome.WOULD_UPDATE),
        TriedUser(entra_id=USERS[1], outcome=Outcome.UNCHANGED),
        TriedUser(entra_id=USERS[2], outcome=Outcome.DEAD_LETTERED, reason=Reason.VALUE_TAKEN),
    ]
    store.tried_users.add(task.id, tried)
    first = browser.open(f"{path}progress")
    assert "3 of 4 users are done." in text_of(f"<main{first.text}</main>")
    again = browser.open(f"{path}progress", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304
    store.dead_letter_tasks.finish(task, TaskStatus.COMPLETED, {})

    page = browser.open(path).text

    assert "Go on with the 2 users who would not fail again" in text_of(page)
    assert USERS[0] in browser.open(f"{path}users/would_update").text
    assert USERS[0] not in browser.open(f"{path}users/dead_lettered").text
    assert "Another user in Skolon has the value" in text_of(browser.open(f"{path}users/dead_lettered").text)
    chosen = browser.open(f"tenants/{tenant}/{GROUP}/choose/?forecast={task.id}")
    assert "What to do with 2 users that fail" in text_of(chosen.text)
    browser.submit(f"tenants/{tenant}/{GROUP}/choose/", chosen, kind="replay")
    newest = store.dead_letter_tasks.list(tenant)[0]
    assert (newest.kind, newest.selection.forecast, newest.users) == (TaskKind.REPLAY, task.id, 2)


@pytest.mark.parametrize(
    "query",
    [
        "user=%00",
        "user=" + "x" * 3000,
        "&".join(f"user={number}" for number in range(81)),
        "forecast=x",
        "forecast=-1",
        "forecast=99999999999999999999",
        "forecast=999999",
    ],
)
def test_garbage_chooses_nobody(hub: Hub, store: Store, query: str) -> None:
    """There is no such page, and nothing is done by a form either."""
    tenant = failing_tenant(hub, store, f"skrap-{abs(hash(query)) % 10**8}")
    browser = administrator(hub, tenant)
    assert browser.open(f"tenants/{tenant}/{GROUP}/choose/?{query}").status_code == 404
    form = browser.open(f"tenants/{tenant}/{GROUP}/choose/")
    name, _, value = query.partition("&")[0].partition("=")
    if query.count("&") == 0:
        answer = browser.submit(
            f"tenants/{tenant}/{GROUP}/choose/",
            form,
            kind="replay",
            **{{"user": "users"}.get(name, name): "\0" if value == "%00" else value},
        )
        assert answer.status_code == 404
    assert store.dead_letter_tasks.list(tenant) == []


def test_wrong_forms_do_nothing(hub: Hub, store: Store) -> None:
    """No kind, no reason, too long a one, a huge body, another tenant's task, a group that was settled."""
    tenant = failing_tenant(hub, store, "fel")
    browser = administrator(hub, tenant)
    path = f"tenants/{tenant}/{GROUP}/choose/"
    form = browser.open(path)
    for number, fields in enumerate(
        (
            {"kind": "everything"},
            {"kind": "discard", "note": "  "},
            {"kind": "discard", "note": "x" * 501},
            {"kind": "discard", "note": "a\u202eb"},
        )
    ):
        assert browser.submit(path, form, key=f"wrong-{number}", **fields).status_code == 422, fields
    assert browser.submit(path, form, kind="replay", key="'; --").status_code == 400
    assert browser.submit(path, form, kind="discard", note="x" * 5_000_000).status_code == 413
    assert store.dead_letter_tasks.list(tenant) == []

    other = failing_tenant(hub, store, "fel-annan")
    stranger = administrator(hub, other)
    begin(stranger, other, "forecast")
    (theirs,) = store.dead_letter_tasks.list(other)
    for address in (
        f"tasks/{theirs.id}/",
        f"tasks/{theirs.id}/progress",
        f"{GROUP}/choose/?forecast={theirs.id}",
    ):
        assert browser.open(f"tenants/{tenant}/{address}").status_code == 404, address
    assert browser.submit(f"tenants/{tenant}/tasks/{theirs.id}/", form, control="cancel").status_code == 404

    finish(store, start(store, tenant, f"settles {tenant}"), {})
    settled = browser.submit(path, form, kind="replay", key="settled")
    assert settled.status_code == 422
    assert "None of these users fails for this reason any more." in text_of(settled.text)
    assert events(store, tenant).count(AuditKind.USERS_REPLAYED) == 0


def test_programs_do_the_same(hub: Hub, store: Store) -> None:
    """Once for each key, watched and controlled, and only by a token that may act."""
    tenant = failing_tenant(hub, store, "program-prova")
    browser = administrator(hub, tenant)
    ask = program(hub, browser, tenant)
    body: dict[str, Any] = {"kind": "replay", "reason": "invalid_user", "users": [USERS[0], USERS[1]]}
    answers = [ask("POST", "/failures/tasks", "a", json=body) for _ in range(2)]
    assert [each.status_code for each in answers] == [202, 202]
    (number,) = {each.json()["task"] for each in answers}
    found = ask("GET", f"/failures/tasks/{number}").json()
    assert (found["status"], found["users"], found["left"]) == ("requested", 2, 2)
    assert found["selection"] == {"reason": "invalid_user", "users": [USERS[0], USERS[1]]}
    refused = ask("POST", "/failures/tasks", "b", json={**body, "kind": "discard", "note": "Gone."})
    assert (refused.status_code, refused.json()["errors"]) == (409, {"action": ["other_task"]})
    for wrong in (
        {**body, "kind": "discard"},
        {**body, "reason": "none"},
        {**body, "users": ["x" * 200]},
        {**body, "after": "yesterday"},
        {**body, "forecast": number},
        {},
    ):
        assert ask("POST", "/failures/tasks", "c", json=wrong).status_code == 422, wrong
    done = ask("POST", f"/failures/tasks/{number}/control", "d", json={"control": "cancel"})
    assert done.json()["status"] == "cancelled"
    late = ask("POST", f"/failures/tasks/{number}/control", "e", json={"control": "go_on"})
    assert (late.status_code, late.json()["errors"]) == (409, {"action": ["task_ended"]})
    tried = ask("POST", "/failures/tasks", "f", json={"kind": "forecast", "reason": "invalid_user"}).json()
    store.tried_users.add(int(tried["task"]), [TriedUser(entra_id=USERS[0], outcome=Outcome.UNCHANGED)])
    (user,) = ask("GET", f"/failures/tasks/{tried['task']}/users?outcome=unchanged").json()["users"]
    assert (user["user"], user["outcome"]) == (USERS[0], "unchanged")
    reader = program(hub, browser, tenant, may_act=False)
    assert reader("POST", "/failures/tasks", "g", json=body).status_code == 403
    assert reader("GET", f"/failures/tasks/{number}").status_code == 200
    assert ask("GET", "/failures/tasks/999999").status_code == 404
