"""Starting and cancelling runs, by pages and by the API: over HTTP, with a real RabbitMQ and no producer."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
import requests

from devtools.commands import update_sync
from schemas.details.detail import Detail
from schemas.details.kinds import DetailKind
from schemas.hub.session import AuditKind
from schemas.messages.messages import SyncRequest
from schemas.outcomes import Cause, Mode, Outcome, Status
from schemas.runs.changes import ChangeKind
from schemas.runs.sync_result import Forecast, SyncResult
from schemas.users.attributes import Attribute
from tests.integration.cli.command_line import add_tenant, tenant_object
from tests.integration.hub.browser import DEADLINE
from tests.integration.hub.made_up_runs import UNCHANGED, USERS, finish, new_tenant, start, text_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from store.store import Store
    from tests.integration.hub.browser import Browser, Hub

#: Of the programs: no two tokens of a tenant have one label.
NUMBERS = count(1)


def administrator(hub: Hub, tenant: str, language: str = "en") -> Browser:
    return hub.signed_in(f"Ada {tenant}", "administrator", tenant, language=language)


def events(store: Store, tenant: str) -> list[AuditKind]:
    return [each.kind for each in reversed(store.hub_audit.page([tenant]).entries) if each.run or each.tenant]


def program(hub: Hub, browser: Browser, tenant: str, *, may_act: bool = True) -> Callable[..., Any]:
    """Return what asks the API with a new token of a tenant."""
    fields = {"label": f"Program {next(NUMBERS)}", **({"may_act": "yes"} if may_act else {})}
    made = browser.submit(f"tenants/{tenant}/tokens/", None, **fields)
    secret = made.text.partition('class="hub-secret">')[2].partition("<")[0]

    def ask(method: str, path: str, key: str | None = None, **options: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {secret}", **options.pop("headers", {})}
        if key is not None:
            headers["Idempotency-Key"] = key.encode()
        url = f"{hub.address}api/v1/syncs/{tenant}{path}"
        return requests.request(method, url, headers=headers, timeout=DEADLINE, **options)

    return ask


def test_a_page_says_what_a_run_does_before_it_is_started(
    hub: Hub, store: Store, requested: Callable[[], int]
) -> None:
    """What each kind reads and changes, with the last run's numbers; a look at it starts nothing."""
    tenant = new_tenant(hub, "forst")
    finish(store, start(store, tenant, "first"), {})
    browser = administrator(hub, tenant)
    before = requested()

    assert "Start a run" in browser.open(f"tenants/{tenant}/runs/").text
    text = text_of(browser.open(f"tenants/{tenant}/start/").text)

    assert "changes nothing" in text
    assert "Reads the users that were changed in Entra since the run of" in text
    assert "had 6 users and updated 0" in text
    assert "asks you first" in text
    assert requested() == before


@pytest.mark.parametrize(
    ("kind", "mode", "dry_run", "recorded"),
    [
        ("full", Mode.FULL, False, AuditKind.RUN_REQUESTED),
        ("delta", Mode.DELTA, False, AuditKind.RUN_REQUESTED),
        ("dry_run", Mode.FULL, True, AuditKind.PREVIEW_REQUESTED),
    ],
)
def test_a_run_is_started_once_and_recorded(  # noqa: PLR0913, PLR0917 - fixtures and cases
    hub: Hub,
    store: Store,
    requested: Callable[[], int],
    kind: str,
    mode: Mode,
    dry_run: bool,  # noqa: FBT001 - a case
    recorded: AuditKind,
) -> None:
    """A double click, a reload and a form from the history ask for the same run; its page follows it."""
    tenant = new_tenant(hub, f"start-{kind.replace('_', '-')}")
    browser = administrator(hub, tenant)
    form = browser.open(f"tenants/{tenant}/start/")
    before = requested()

    with ThreadPoolExecutor(2) as clicks:
        path = f"tenants/{tenant}/start/"
        answers = list(clicks.map(lambda _: browser.submit(path, form, kind=kind), range(2)))
    answers.append(browser.submit(path, form, kind=kind))

    (waits,) = {answer.url for answer in answers}
    assert "begins" in text_of(answers[0].text)
    assert events(store, tenant).count(recorded) == 1
    assert requested() == before + 1
    key = waits.rpartition("/")[2]
    request = SyncRequest(tenant=tenant, mode=mode, dry_run=dry_run)
    run = store.triggers.open(request, f"hub/{tenant}/{key}").run
    assert (run.mode, run.dry_run) == (mode, dry_run)
    assert f"Run {run.id}" in text_of(browser.open(f"tenants/{tenant}/audit").text)
    store.runs.finish_reading(run.id)
    status = "Comparing with Skolon" if dry_run else "Updating Skolon"
    assert status in text_of(browser.open(f"tenants/{tenant}/runs/{run.id}").text)
    assert browser.open(waits.removeprefix(hub.address)).url == f"{hub.address}tenants/{tenant}/runs/{run.id}"
    progress = browser.open(f"{waits.removeprefix(hub.address)}/progress")
    assert progress.headers["HX-Redirect"] == f"/tenants/{tenant}/runs/{run.id}"
    assert "Member Ada" in text_of(browser.open(f"tenants/{tenant}/audit").text)


def test_a_form_of_the_history_starts_nothing_else(hub: Hub, store: Store) -> None:
    """Chosen anew on a page that was used, it says so, and the next press is one of its own."""
    tenant = new_tenant(hub, "bakat")
    browser = administrator(hub, tenant)
    form = browser.open(f"tenants/{tenant}/start/")
    browser.submit(f"tenants/{tenant}/start/", form, kind="dry_run")

    again = browser.submit(f"tenants/{tenant}/start/", form, kind="full")

    assert again.status_code == 422
    assert "Something else was done from this page." in text_of(again.text)
    assert browser.submit(f"tenants/{tenant}/start/", again, kind="full").status_code == 200
    assert events(store, tenant).count(AuditKind.RUN_REQUESTED) == 1


def test_while_the_guard_waits_for_an_answer_only_a_preview_is_started(hub: Hub, store: Store) -> None:
    """The page leads to the halted run, and a request that comes all the same is refused and not recorded."""
    tenant = new_tenant(hub, "fraga")
    halted = start(store, tenant, "halted")
    browser = administrator(hub, tenant, "sv")
    form = browser.open(f"tenants/{tenant}/start/")
    store.runs.halt(halted, Cause.GUARD_EXCEEDED, "guard.changed: 3 of 4 users")

    page = browser.open(f"tenants/{tenant}/start/").text
    assert f"/runs/{halted}" in page
    assert 'value="full"' not in page
    refused = browser.submit(f"tenants/{tenant}/start/", form, kind="full")

    assert refused.status_code == 422
    assert AuditKind.RUN_REQUESTED not in events(store, tenant)
    assert browser.submit(f"tenants/{tenant}/start/", refused, kind="dry_run").status_code == 200
    assert AuditKind.PREVIEW_REQUESTED in events(store, tenant)


def test_nothing_is_started_for_an_organisation_that_is_switched_off(hub: Hub, store: Store) -> None:
    """The page says so and has no button; the API names the reason."""
    tenant = "avstangd"
    add_tenant(hub.env, tenant, tenant_object(name="Avstängd", organisation=tenant, enabled=False))
    browser = administrator(hub, tenant)
    page = browser.open(f"tenants/{tenant}/start/").text
    assert "switched off" in page
    assert 'name="kind"' not in page
    refused = program(hub, browser, tenant)("POST", "/runs", "a", json={"kind": "full"})
    assert (refused.status_code, refused.json()["errors"]) == (409, {"action": ["disabled"]})
    assert events(store, tenant).count(AuditKind.RUN_REQUESTED) == 0


def test_a_run_that_waits_for_another_says_so(hub: Hub, store: Store) -> None:
    """The wait leads to the open run; without a producer it says that a part of the sync is not running."""
    tenant = new_tenant(hub, "kolla")
    browser = administrator(hub, tenant)
    waits = browser.submit(
        f"tenants/{tenant}/start/", browser.open(f"tenants/{tenant}/start/"), kind="dry_run"
    )
    assert "The part of the sync that starts runs is not running." in text_of(waits.text)
    run = start(store, tenant, "goes on")
    assert f"Run {run} is going on." in text_of(browser.open(waits.url.removeprefix(hub.address)).text)
    for key in ("no-such-key", "å", "x" * 200):
        assert browser.open(f"tenants/{tenant}/start/{key}").status_code == 404


def test_a_run_is_cancelled_after_the_page_said_what_that_means(hub: Hub, store: Store) -> None:
    """What was updated stays, what is left is not touched; the second press changes nothing."""
    tenant = new_tenant(hub, "avbryt")
    run = start(store, tenant, "cancelled")
    store.receipts.finish(run, USERS[0], UNCHANGED)
    browser = administrator(hub, tenant)
    assert "Cancel the run" in browser.open(f"tenants/{tenant}/runs/{run}").text
    path = f"tenants/{tenant}/runs/{run}/cancel/"
    form = browser.open(path)
    text = text_of(form.text)
    assert "No user was updated so far." in text
    assert "5 users are left. Those that are being worked on at this moment are finished" in text
    assert store.runs.get(run).status is not Status.CANCELLED

    done = [browser.submit(path, form) for _ in range(2)]

    assert {answer.url for answer in done} == {f"{hub.address}tenants/{tenant}/runs/{run}"}
    assert "Cancelled" in text_of(done[0].text)
    assert store.runs.summary(run).counts[Outcome.PENDING] == len(USERS) - 1
    assert events(store, tenant).count(AuditKind.RUN_CANCELLED) == 1
    assert f">{run}</a>" in browser.open(f"tenants/{tenant}/audit").text
    # From another page the run has ended already.
    ended = browser.submit(path, browser.open("permissions"), key="another")
    assert (ended.status_code, "has ended already" in ended.text) == (422, True)
    assert events(store, tenant).count(AuditKind.RUN_CANCELLED) == 1


def test_readers_see_no_button_and_send_no_form(hub: Hub, store: Store) -> None:
    """For a reader the pages that act are not there."""
    tenant = new_tenant(hub, "lasare")
    run = start(store, tenant, "read")
    reader = hub.signed_in("Rut Läsare", "reader", tenant)
    assert "Start a run" not in reader.open(f"tenants/{tenant}/runs/").text
    assert "Cancel the run" not in reader.open(f"tenants/{tenant}/runs/{run}").text
    form = reader.open("permissions")
    assert reader.submit(f"tenants/{tenant}/start/", form, kind="full", key="x").status_code == 404
    assert reader.submit(f"tenants/{tenant}/runs/{run}/cancel/", form, key="x").status_code == 404
    assert store.runs.get(run).status is Status.READING


def test_programs_start_and_cancel_runs(hub: Hub, store: Store, requested: Callable[[], int]) -> None:
    """Once for each key, with what there is to know first; the audit names the token."""
    tenant = new_tenant(hub, "program")
    browser = administrator(hub, tenant)
    ask = program(hub, browser, tenant)
    plan = ask("GET", "/start").json()
    assert plan == {"enabled": True, "open_run": None, "unanswered_run": None, "last_full": None}
    before = requested()

    first = ask("POST", "/runs", "night-1", json={"kind": "delta"})

    assert (first.status_code, first.json()["run"]) == (202, None)
    assert requested() == before + 1
    event = first.json()["event"]
    run = store.triggers.open(SyncRequest(tenant=tenant, mode=Mode.DELTA), event).run.id
    again = ask("POST", "/runs", "night-1", json={"kind": "delta"})
    assert again.json() == {"event": event, "run": str(run)}
    assert requested() == before + 1
    assert ask("POST", "/runs", "night-1", json={"kind": "full"}).json()["errors"] == {
        "action": ["key_reused"]
    }
    assert ask("POST", f"/runs/{run}/cancel", "c").json()["status"] == "cancelled"
    assert ask("POST", f"/runs/{run}/cancel", "c").json()["status"] == "cancelled"
    assert ask("POST", f"/runs/{run}/cancel", "d").json()["errors"] == {"action": ["ended"]}
    assert events(store, tenant)[-2:] == [AuditKind.RUN_REQUESTED, AuditKind.RUN_CANCELLED]
    assert "Program Program" in text_of(browser.open(f"tenants/{tenant}/audit").text)


@pytest.mark.parametrize(
    ("key", "body", "status"),
    [
        (None, '{"kind": "full"}', 422),
        ("å", '{"kind": "full"}', 422),
        ("x" * 101, '{"kind": "full"}', 422),
        ("k", '{"kind": "other"}', 422),
        ("k", '{"kind": null}', 422),
        ("k", '{"kind": "full", "users": ["x"]}', 422),
        ("k", "[]", 422),
        ("k", "", 422),
        ("k", "{", 400),
        ("k", "[" * 50_000, 400),
        ("k", '{"kind": ' + "1" * 6000 + "}", 400),
        ("k", b"\xff", 400),
        ("k", '{"kind": "' + "x" * 100_000 + '"}', 413),
    ],
)
def test_what_makes_no_sense_starts_nothing(
    hub: Hub, store: Store, key: str | None, body: str | bytes, status: int
) -> None:
    """A problem detail says what is wrong, and nothing is recorded."""
    tenant = "exempel"
    ask = program(hub, administrator(hub, tenant), tenant)
    begun = len(events(store, tenant))
    answer = ask("POST", "/runs", key, data=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["status"]) == (status, status)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert len(events(store, tenant)) == begun


def test_a_token_that_reads_does_not_act(hub: Hub, store: Store) -> None:
    """Nor does one of another tenant, and a session is no token."""
    tenant = new_tenant(hub, "laser")
    run = start(store, tenant, "safe")
    browser = administrator(hub, tenant)
    ask = program(hub, browser, tenant, may_act=False)
    assert ask("GET", "/start").json()["open_run"] == str(run)
    assert ask("POST", "/runs", "k", json={"kind": "full"}).status_code == 403
    assert ask("POST", f"/runs/{run}/cancel", "k").status_code == 403
    other = program(hub, administrator(hub, "exempel"), "exempel")
    assert other("POST", f"/runs/{run}/cancel", "k").status_code == 404
    refused = browser.post(
        f"{hub.address}api/v1/syncs/{tenant}/runs", json={"kind": "full"}, timeout=DEADLINE
    )
    assert refused.status_code == 401
    assert store.runs.get(run).status is Status.READING


def halted_run(store: Store, tenant: str, limit: str = "identity_changed") -> int:
    """Make a run that the guard has halted: it changed a user name, and would go on to change three more."""
    run = start(store, tenant, f"halted {tenant}")
    kinds = {Attribute.USER_NAME: ChangeKind.CHANGED, Attribute.CITY: ChangeKind.FILLED}
    result = SyncResult(outcome=Outcome.UPDATED, changed=tuple(kinds), change_kinds=kinds, skolon_id="s-1")
    store.receipts.finish(run, USERS[0], result)
    detail = Detail(DetailKind.GUARD_EXCEEDED, limit=limit, count=2, size=6, most=1, share="10")
    store.runs.halt(run, Cause.GUARD_EXCEEDED, detail)
    for user in USERS[1:4]:
        store.forecasts.record(run, user, Forecast(outcome=Outcome.UPDATED, change_kinds=kinds))
    return run


@pytest.mark.parametrize(
    ("language", "asks", "keeps"),
    [
        ("en", "User name would change for 4 users. Is that right?", "1 user has a result already and keeps"),
        (
            "sv",
            "Användarnamn skulle ändras för 4 användare. Stämmer det?",
            "1 användare har redan ett resultat",
        ),
    ],
)
def test_a_halted_run_is_answered_with_what_would_change(
    hub: Hub, store: Store, language: str, asks: str, keeps: str
) -> None:
    """The question in numbers, done and to come together; the yes is given once, and recorded."""
    tenant = new_tenant(hub, f"svar-{language}")
    run = halted_run(store, tenant)
    browser = administrator(hub, tenant, language)
    assert f"/runs/{run}/resume/" in browser.open(f"tenants/{tenant}/runs/{run}").text
    path = f"tenants/{tenant}/runs/{run}/resume/"
    form = browser.open(path)
    text = text_of(form.text)
    assert asks in text
    assert keeps in text
    assert re.search(r"(City|Ort|Stad) 4 0 0", text)

    answers = [browser.submit(path, form) for _ in range(2)]

    assert {answer.url for answer in answers} == {f"{hub.address}tenants/{tenant}/runs/{run}"}
    assert store.runs.get(run).status is Status.READING
    assert events(store, tenant).count(AuditKind.GUARD_OVERRIDDEN) == 1


@pytest.mark.parametrize("limit", ["changed", "not_found", "failed", "left_scope"])
def test_each_limit_has_its_question(hub: Hub, store: Store, limit: str) -> None:
    """In words that say what there is too much of."""
    words = {
        "changed": "4 users would be changed.",
        "not_found": "0 users are not found in Skolon.",
        "failed": "0 users cannot be updated.",
        "left_scope": "0 users that were synced before would be left out.",
    }
    tenant = new_tenant(hub, f"grans-{limit.replace('_', '-')}")
    run = halted_run(store, tenant, limit)
    text = text_of(administrator(hub, tenant).open(f"tenants/{tenant}/runs/{run}/resume/").text)
    assert f"{words[limit]} Is that right?" in text


def test_settings_that_changed_are_told_before_the_run_goes_on(hub: Hub, store: Store) -> None:
    """Also those that change while the page is open: then it is read once more."""
    tenant = new_tenant(hub, "andrat")
    run = halted_run(store, tenant)
    browser = administrator(hub, tenant)
    path = f"tenants/{tenant}/runs/{run}/resume/"
    form = browser.open(path)
    assert "The settings were changed" not in text_of(form.text)
    changed = update_sync("tenants", "set", tenant, "--name", "Annat namn", env=dict(hub.env))
    assert changed.returncode == 0, changed.stderr

    refused = browser.submit(path, form)

    assert refused.status_code == 422
    assert "The settings were changed since you opened this page." in text_of(refused.text)
    assert "The settings were changed since this run began." in text_of(refused.text)
    assert store.runs.get(run).status is Status.HALTED
    assert AuditKind.GUARD_OVERRIDDEN not in events(store, tenant)
    ask = program(hub, browser, tenant)
    told = ask("GET", f"/runs/{run}/question").json()
    assert (told["settings_changed"], told["question"]["users"]) == (True, 4)
    body = {"override_guard": True}
    again = ask("POST", f"/runs/{run}/resume", "a", json=body)
    assert again.json()["errors"] == {"action": ["other_settings"]}
    assert browser.submit(path, refused).status_code == 200
    assert store.runs.get(run).status is Status.READING


def test_programs_answer_a_halted_run(hub: Hub, store: Store) -> None:
    """Not without saying that it is right; once for each key."""
    tenant = new_tenant(hub, "program-svar")
    run = halted_run(store, tenant)
    browser = administrator(hub, tenant)
    ask = program(hub, browser, tenant)
    asked = ask("GET", f"/runs/{run}/question").json()["question"]
    assert (asked["kind"], asked["attribute"], asked["users"]) == ("identity_changed", "user_name", 4)
    assert asked["attributes"]["city"]["filled"] == 4
    refused = ask("POST", f"/runs/{run}/resume", "a", json={})
    assert refused.json()["errors"] == {"action": ["needs_answer"]}
    assert events(store, tenant).count(AuditKind.RUN_RESUMED) == 0
    for _ in range(2):
        assert (
            ask("POST", f"/runs/{run}/resume", "b", json={"override_guard": True}).json()["status"]
            == "reading"
        )
    assert events(store, tenant).count(AuditKind.GUARD_OVERRIDDEN) == 1
    # It goes on: a further answer decides nothing, and is not recorded.
    late = ask("POST", f"/runs/{run}/resume", "d", json={"override_guard": True})
    assert (late.status_code, late.json()["errors"]) == (409, {"action": ["goes_on"]})
    other = {"override_guard": True, "accepts_other_settings": True}
    assert ask("POST", f"/runs/{run}/resume", "b", json=other).json()["errors"] == {"action": ["key_reused"]}
    assert events(store, tenant).count(AuditKind.GUARD_OVERRIDDEN) == 1
    assert ask("GET", f"/runs/{run}/question").json()["question"] is None
    reader = program(hub, browser, tenant, may_act=False)
    assert reader("POST", f"/runs/{run}/resume", "c", json={"override_guard": True}).status_code == 403


def test_a_run_that_was_halted_for_another_reason_goes_on(hub: Hub, store: Store) -> None:
    """With the reason and what to do; while another run is open it waits, and says so."""
    tenant = new_tenant(hub, "vidare")
    run = start(store, tenant, "no credentials")
    store.runs.halt(run, Cause.ENTRA_CREDENTIALS, "HTTP 401")
    other = start(store, tenant, "another")
    browser = administrator(hub, tenant)
    path = f"tenants/{tenant}/runs/{run}/resume/"
    form = browser.open(path)
    assert "Entra did not let the sync sign in" in text_of(form.text)
    assert "6 users are looked at again" in text_of(form.text)

    refused = browser.submit(path, form)

    assert refused.status_code == 422
    assert "Another run is going on." in text_of(refused.text)
    store.runs.cancel(other)
    assert browser.submit(path, refused).status_code == 200
    assert store.runs.get(run).status is Status.READING
    assert events(store, tenant).count(AuditKind.RUN_RESUMED) == 1
    assert "is not halted" in browser.open(path).text
