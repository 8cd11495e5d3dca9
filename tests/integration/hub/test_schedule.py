"""The schedule on the pages and by the API: in words, its times before it is saved, and its pause."""

from __future__ import annotations

import datetime as dt
from html import unescape
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

import pytest
import requests

from devtools.commands import json_output, update_sync
from schemas.hub.session import AuditKind
from tests.integration.hub.browser import DEADLINE
from tests.integration.hub.made_up_runs import new_tenant, text_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from requests import Response

    from store.store import Store
    from tests.integration.hub.browser import Browser, Hub

SCHEDULE_EVENTS: Final = (
    AuditKind.SCHEDULE_CHANGED,
    AuditKind.SCHEDULE_PAUSED,
    AuditKind.SCHEDULE_RESUMED,
)
INTERVAL: Final = {
    "how": "interval",
    "minutes": "30",
    "interval_days": "working_days",
    "first": "6",
    "last": "18",
}
NIGHTLY: Final = {"how": "daily", "daily_days": "every_day", "time": "02:00"}
ZONE: Final = "Europe/Stockholm"
#: Of a test with many cases: no two tokens of a tenant have one label.
PROGRAMS: Final[dict[str, Any]] = {}
STOCKHOLM: Final = ZoneInfo(ZONE)


def text(answer: Response) -> str:
    return unescape(text_of(answer.text))


def administrator(hub: Hub, tenant: str, language: str = "en", name: str = "Ada") -> Browser:
    return hub.signed_in(f"{name} {tenant}", "administrator", tenant, language=language)


def times(browser: Browser, tenant: str, **chosen: str) -> Response:
    return browser.open(f"tenants/{tenant}/schedule/times", params={"time_zone": ZONE, **chosen})


def events(store: Store, tenant: str) -> list[AuditKind]:
    entries = reversed(store.hub_audit.page([tenant]).entries)
    return [each.kind for each in entries if each.kind in SCHEDULE_EVENTS]


def scheduled(hub: Hub, tenant: str) -> str:
    """Make a tenant that is synced each night."""
    new_tenant(hub, tenant)
    done = update_sync("tenants", "set", tenant, "--schedule", "0 2 * * *", env=dict(hub.env))
    assert done.returncode == 0, done.stderr
    return tenant


def known(store: Store, tenant: str) -> bool:
    return tenant in store.tenants.keys()  # noqa: SIM118 - no dict


def in_days(days: int) -> dt.datetime:
    """Return eight o'clock in Stockholm, some days ahead."""
    ahead = dt.datetime.now(STOCKHOLM) + dt.timedelta(days=days)
    return ahead.replace(hour=8, minute=0, second=0, microsecond=0)


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "Monday to Friday, every 30 minutes between 06:00 and 18:00"),
        ("sv", "Måndag till fredag, var 30:e minut mellan 06:00 och 18:00"),
    ],
)
def test_a_schedule_is_chosen_in_words_and_shown_before_it_is_saved(
    hub: Hub, store: Store, language: str, words: str
) -> None:
    """Its next five times; saved once, it stands in the form and on the settings' page."""
    tenant = new_tenant(hub, f"ord-{language}")
    browser = administrator(hub, tenant, language)
    shown = times(browser, tenant, **INTERVAL)
    assert words in text(shown)
    assert shown.text.count("<li>") - browser.open(f"tenants/{tenant}/schedule/").text.count("<li>") == 5
    assert store.tenants.outline(tenant).schedule is None

    answers = [browser.submit(f"tenants/{tenant}/schedule/", shown) for _ in range(2)]

    assert {each.status_code for each in answers} == {200}
    assert store.tenants.outline(tenant).schedule == "*/30 6-17 * * 1-5"
    assert events(store, tenant) == [AuditKind.SCHEDULE_CHANGED]
    page = browser.open(f"tenants/{tenant}/schedule/")
    assert words in text(page)
    assert 'value="interval" checked' in page.text
    assert words in text(browser.open(f"tenants/{tenant}/settings/"))


@pytest.mark.parametrize(
    ("chosen", "line", "words"),
    [
        (NIGHTLY, "0 2 * * *", "Every day at 02:00"),
        ({**NIGHTLY, "daily_days": "sunday", "time": "23:45"}, "45 23 * * 0", "Sundays at 23:45"),
        (
            {**INTERVAL, "minutes": "60", "first": "0", "last": "24"},
            "0 * * * 1-5",
            "Monday to Friday, every hour, day and night",
        ),
        ({"how": "own", "line": " 5 4  1 * * "}, "5 4 1 * *", "own line of crontab: 5 4 1 * *"),
        ({"how": "none"}, None, "No run starts by itself."),
    ],
)
def test_each_way_to_choose(
    hub: Hub, store: Store, chosen: dict[str, str], line: str | None, words: str
) -> None:
    """All end as a line of crontab, or as none."""
    tenant = scheduled(hub, f"satt-{abs(hash((line, words))) % 10**8}")
    browser = administrator(hub, tenant)
    shown = times(browser, tenant, **chosen)
    assert words in text(shown)
    if line != "0 2 * * *":
        assert browser.submit(f"tenants/{tenant}/schedule/", shown).status_code == 200
    assert store.tenants.outline(tenant).schedule == line


@pytest.mark.parametrize(
    ("chosen", "fault"),
    [
        ({"how": "own", "line": "0 2 31 2 *"}, "No run would ever be due"),
        ({"how": "own", "line": "* * * * * *"}, "runs cannot be due at a second"),
        ({"how": "own", "line": "@daily"}, "Write five fields"),
        ({"how": "own", "line": ""}, "Write five fields"),
        ({"how": "own", "line": "x" * 500}, "no line of crontab"),
        ({"how": "own", "line": "0 2 * * å"}, "no line of crontab"),
        ({"how": "own", "line": "61 2 * * *"}, "Write five fields"),
        ({**INTERVAL, "first": "18", "last": "6"}, "The last hour comes after the first one."),
        ({**INTERVAL, "first": "6", "last": "7", "minutes": "120"}, "Only one run fits"),
        ({**INTERVAL, "minutes": "7"}, "Choose how often"),
        ({**INTERVAL, "last": "9" * 400}, "Choose how often"),
        ({**NIGHTLY, "time": "25:00"}, "Write the time as hours and minutes"),
        ({**NIGHTLY, "daily_days": "never"}, "Write the time as hours and minutes"),
        ({"how": "x"}, "Choose when runs start."),
        ({**NIGHTLY, "time_zone": "Europe/Atlantis"}, "Write the name of a time zone"),
        ({**NIGHTLY, "time_zone": "../../etc/passwd"}, "Write the name of a time zone"),
        ({**NIGHTLY, "time_zone": ""}, "Write the name of a time zone"),
    ],
)
def test_what_cannot_be_is_explained_beside_its_field(
    hub: Hub, store: Store, chosen: dict[str, str], fault: str
) -> None:
    """The form keeps what was chosen; nothing is saved."""
    tenant = "fel"
    if not known(store, tenant):
        scheduled(hub, tenant)
    refused = times(administrator(hub, tenant), tenant, **chosen)
    assert refused.status_code == 422
    assert fault in text(refused)
    assert 'aria-invalid="true"' in refused.text or "how-fault" in refused.text
    assert store.tenants.outline(tenant).schedule == "0 2 * * *"


def test_of_two_editors_the_second_sees_what_the_first_has_saved(hub: Hub, store: Store) -> None:
    """412, with the schedule as it is now; a pause in between counts too."""
    tenant = scheduled(hub, "tva")
    first, second = administrator(hub, tenant), administrator(hub, tenant, name="Bo")
    late, paused_late = (times(second, tenant, **INTERVAL) for _ in range(2))
    mondays = times(first, tenant, how="daily", daily_days="monday", time="03:00")
    assert first.submit(f"tenants/{tenant}/schedule/", mondays).status_code == 200

    refused = second.submit(f"tenants/{tenant}/schedule/", late)

    assert refused.status_code == 412
    assert "Another person has changed this in the meantime." in text(refused)
    assert "Mondays at 03:00" in text(refused)
    assert store.tenants.outline(tenant).schedule == "0 3 * * 1"
    assert second.submit(f"tenants/{tenant}/schedule/", paused_late, seen="").status_code == 412
    assert second.submit(f"tenants/{tenant}/schedule/", times(second, tenant, **INTERVAL)).status_code == 200
    assert events(store, tenant) == [AuditKind.SCHEDULE_CHANGED] * 2


@pytest.mark.parametrize(
    ("language", "says", "state"), [("en", "Paused until", "Paused"), ("sv", "Pausat till", "Pausad")]
)
def test_a_pause_is_seen_everywhere_and_ended(
    hub: Hub, store: Store, language: str, says: str, state: str
) -> None:
    """On the start page, in the settings and by the commands, with the reason; done once, and recorded."""
    tenant, reason = scheduled(hub, f"paus-{language}"), "Skolan byter <b>domän</b>"
    browser = administrator(hub, tenant, language)
    form = browser.open(f"tenants/{tenant}/schedule/")
    until = in_days(3)

    for _ in range(2):
        paused = browser.submit(
            f"tenants/{tenant}/schedule/pause", form, until=f"{until:%Y-%m-%dT%H:%M}", reason=reason
        )
        assert paused.status_code == 200, paused.text

    assert events(store, tenant) == [AuditKind.SCHEDULE_PAUSED]
    for path in ("", f"tenants/{tenant}/schedule/", f"tenants/{tenant}/settings/"):
        page = browser.open(path)
        assert says in text(page), path
        assert reason in text(page), path
        assert "<b>" not in page.text
    assert state in text(browser.open(""))
    assert f"Ada {tenant}" in text(browser.open(f"tenants/{tenant}/schedule/"))
    status = update_sync("status", tenant, env=dict(hub.env)).stdout
    assert f"{until.astimezone(dt.UTC):%Y-%m-%dT%H:%M:%SZ}: {reason}" in status

    page = browser.open(f"tenants/{tenant}/schedule/")
    for _ in range(2):
        assert browser.submit(f"tenants/{tenant}/schedule/resume", page).status_code == 200
    assert events(store, tenant) == [AuditKind.SCHEDULE_PAUSED, AuditKind.SCHEDULE_RESUMED]
    assert says not in text(browser.open(""))


@pytest.mark.parametrize(
    ("until", "reason", "fault"),
    [
        ("2020-01-01T08:00", "why", "That has passed already."),
        ("2999-01-01T08:00", "why", "A pause lasts a year at most."),
        ("", "why", "Choose a date and a time"),
        ("x" * 5000, "why", "Choose a date and a time"),
        ("2027-02-30T08:00", "why", "Choose a date and a time"),
        (None, "", "Write why"),
        (None, "x" * 201, "Write at most 200 characters"),
        (None, "a\x1bb", "Write at most 200 characters"),
    ],
)
def test_a_pause_that_cannot_be_is_explained_beside_its_field(
    hub: Hub, store: Store, until: str | None, reason: str, fault: str
) -> None:
    """What was written stays; nothing is paused or recorded."""
    tenant = "vila"
    if not known(store, tenant):
        scheduled(hub, tenant)
    browser = administrator(hub, tenant)
    form = browser.open(f"tenants/{tenant}/schedule/")
    end = f"{in_days(3):%Y-%m-%dT%H:%M}" if until is None else until
    refused = browser.submit(f"tenants/{tenant}/schedule/pause", form, until=end, reason=reason)
    assert refused.status_code == 422
    assert fault in text(refused)
    assert events(store, tenant) == []
    assert not store.schedule_pauses.is_paused(tenant, dt.datetime.now(dt.UTC))


def test_a_pause_that_ended_meanwhile_is_not_ended_again(hub: Hub, store: Store) -> None:
    """The second person is told; and without a schedule there is nothing to pause."""
    tenant = scheduled(hub, "slut")
    browser = administrator(hub, tenant)
    until = f"{in_days(3):%Y-%m-%d %H:%M}"
    done = update_sync(
        "tenants", "pause-schedule", tenant, "--until", until, "--reason", "x", env=dict(hub.env)
    )
    assert done.returncode == 0, done.stderr
    page = browser.open(f"tenants/{tenant}/schedule/")
    assert update_sync("tenants", "resume-schedule", tenant, env=dict(hub.env)).returncode == 0
    assert browser.submit(f"tenants/{tenant}/schedule/resume", page).status_code == 422
    assert events(store, tenant) == []
    bare = new_tenant(hub, "utan-schema")
    assert "schedule/pause" not in administrator(hub, bare).open(f"tenants/{bare}/schedule/").text


def program(hub: Hub, tenant: str, *, may_act: bool = True) -> Callable[..., Response]:
    fields = {"label": f"Schema {may_act}", **({"may_act": "yes"} if may_act else {})}
    made = administrator(hub, tenant).submit(f"tenants/{tenant}/tokens/", None, **fields)
    secret = made.text.partition('class="hub-secret">')[2].partition("<")[0]

    def ask(method: str, path: str = "", key: str | None = None, **options: Any) -> Response:
        headers = {"Authorization": f"Bearer {secret}"}
        if key is not None:
            headers["Idempotency-Key"] = key
        url = f"{hub.address}api/v1/syncs/{tenant}/schedule{path}"
        return requests.request(method, url, headers=headers, timeout=DEADLINE, **options)

    return ask


def test_programs_change_and_pause_a_schedule(hub: Hub, store: Store) -> None:
    """Once for each key, against the version that was read."""
    tenant = scheduled(hub, "api-schema")
    ask = program(hub, tenant)
    before = ask("GET").json()
    assert (before["schedule"], len(before["times"]), before["pause"]) == ("0 2 * * *", 5, None)
    query = {"schedule": "*/30 6-17 * * 1-5", "time_zone": ZONE}
    assert len(ask("GET", "/times", params=query).json()["times"]) == 5
    body = {**query, "seen": before["version"]}
    ask("POST", "", "a", json=body)
    saved = ask("POST", "", "a", json=body)
    assert (saved.status_code, saved.json()["schedule"]) == (200, query["schedule"])
    stale = ask("POST", "", "b", json={**body, "schedule": None})
    assert (stale.status_code, stale.json()["errors"]) == (412, {"action": ["changed_meanwhile"]})
    until = in_days(3)
    pause = {"until": until.isoformat(), "reason": "Prov", "seen": saved.json()["version"]}
    ask("POST", "/pause", "c", json=pause)
    paused = ask("POST", "/pause", "c", json=pause)
    assert paused.status_code == 200, paused.text
    assert paused.json()["pause"]["reason"] == "Prov"
    assert min(paused.json()["times"]) >= paused.json()["pause"]["until"]
    sync = requests.get(
        f"{hub.address}api/v1/syncs/{tenant}", headers=paused.request.headers, timeout=DEADLINE
    ).json()
    assert sync["pause"]["until"] == paused.json()["pause"]["until"]
    resumed = ask("POST", "/resume", "d", json={"seen": paused.json()["version"]})
    assert resumed.json()["pause"] is None
    again = ask("POST", "/resume", "e", json={"seen": resumed.json()["version"]})
    assert (again.status_code, again.json()["errors"]) == (409, {"action": ["not_paused"]})
    assert events(store, tenant) == list(SCHEDULE_EVENTS)
    assert json_output("tenants", "show", tenant, env=hub.env)["schedule"] == query["schedule"]


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("", {"schedule": "0 2 31 2 *", "time_zone": ZONE, "seen": "x"}, "schedule"),
        ("", {"schedule": "* * * * * *", "time_zone": ZONE, "seen": "x"}, "schedule"),
        ("", {"schedule": "0 2 * * *\u0000", "time_zone": ZONE, "seen": "x"}, "schedule"),
        ("", {"schedule": "0 2 * * *", "time_zone": "Mars/Base", "seen": "x"}, "time_zone"),
        ("", {"schedule": "0 2 * * *", "time_zone": ZONE}, "seen"),
        ("/pause", {"until": "2999-01-01T00:00:00Z", "reason": "x", "seen": "x"}, "until"),
        ("/pause", {"until": "2020-01-01T00:00:00Z", "reason": "x", "seen": "x"}, "until"),
        ("/pause", {"until": "0001-01-01T00:00:00+23:00", "reason": "x", "seen": "x"}, "until"),
        ("/pause", {"until": "2027-01-01T00:00:00", "reason": "x", "seen": "x"}, "until"),
        ("/pause", {"until": "2027-01-01T00:00:00Z", "reason": " ", "seen": "x"}, "reason"),
        ("/pause", {"until": "2027-01-01T00:00:00Z", "reason": "x" * 201, "seen": "x"}, "reason"),
    ],
)
def test_what_a_program_sends_wrong_is_named(
    hub: Hub, store: Store, path: str, body: dict[str, Any], field: str
) -> None:
    """422, by its name, and nothing is changed."""
    tenant = "api-fel"
    if not known(store, tenant):
        scheduled(hub, tenant)
    if tenant not in PROGRAMS:
        PROGRAMS[tenant] = program(hub, tenant)
    refused = PROGRAMS[tenant]("POST", path, "wrong", json=body)
    assert refused.status_code == 422, refused.text
    errors = refused.json()["errors"]
    assert set(errors.get("json", errors)) == {field}
    assert store.tenants.outline(tenant).schedule == "0 2 * * *"
    assert events(store, tenant) == []


def test_a_token_that_reads_changes_nothing(hub: Hub) -> None:
    """It reads the schedule."""
    tenant = scheduled(hub, "api-las")
    ask = program(hub, tenant, may_act=False)
    assert ask("GET").status_code == 200
    assert ask("POST", "/resume", "a", json={"seen": "x"}).status_code == 403
