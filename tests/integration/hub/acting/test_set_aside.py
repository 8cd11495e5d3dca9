"""Groups that are set aside until a day: by pages, by the API and by the command, which agree."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING

import pytest

from devtools.commands import json_output, update_sync
from schemas.dead_letter_reasons import Reason
from schemas.dead_letters.set_aside import SetAsideGroup
from schemas.hub.session import AuditKind
from tests.integration.hub.acting.test_runs import administrator, events, program
from tests.integration.hub.acting.test_tasks import GROUP, failing_tenant
from tests.integration.hub.made_up_runs import FAILED, USERS, finish, start, text_of

if TYPE_CHECKING:
    from store.store import Store
    from tests.integration.hub.browser import Hub

#: Far enough from midnight and from a year, whatever the clock says.
DAY = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=100)
INVALID = Reason.INVALID_USER


def problems(hub: Hub, tenant: str) -> list[str]:
    """Return the reasons that `status` names of a tenant."""
    told = json.loads(update_sync("status", "--json", env=dict(hub.env)).stdout)
    (found,) = (each for each in told["tenants"] if each["tenant"] == tenant)
    return [each["reason"] for each in found["problems"] if each["kind"] == "users_failed"]


@pytest.mark.parametrize(
    ("language", "says", "until", "nothing", "back"),
    [
        (
            "en",
            "leaves Needs attention until then",
            "Set aside until",
            "Nothing needs attention.",
            "Have it back now",
        ),
        ("sv", "försvinner från Att åtgärda", "Lagd åt sidan till", "", "Ta tillbaka den nu"),
    ],
)
def test_a_group_leaves_needs_attention_until_a_day(  # noqa: PLR0913, PLR0917 - cases
    hub: Hub, store: Store, language: str, says: str, until: str, nothing: str, back: str
) -> None:
    """After the page said what that means; new failures for the reason too, and it can be had back."""
    tenant = failing_tenant(hub, store, f"undan-{language}")
    browser = administrator(hub, tenant, language)
    path = f"tenants/{tenant}/{GROUP}/choose/"
    form = browser.open(path)
    assert says in text_of(form.text)
    assert problems(hub, tenant) == ["invalid_user"]
    fields = {"until": DAY.isoformat(), "aside_note": "Semester <b>"}
    for _ in range(2):
        answer = browser.submit(f"{path}aside", form, **fields)
        assert answer.url == f"{hub.address}tenants/{tenant}/attention/"

    finish(store, start(store, tenant, f"again {tenant}"), dict.fromkeys(USERS[:5], FAILED))

    page = browser.open(f"tenants/{tenant}/attention/")
    assert f"{until} " in text_of(page.text)
    assert "Semester &lt;b&gt;" in page.text
    assert nothing in text_of(page.text)
    assert (
        "Semester"
        not in hub.signed_in(f"Rut {language}", "reader", tenant).open(f"tenants/{tenant}/attention/").text
    )
    assert problems(hub, tenant) == []
    # The file has what the page has.
    assert USERS[0] not in browser.open(f"tenants/{tenant}/attention/users.csv").text
    assert USERS[0] in browser.open(f"tenants/{tenant}/{GROUP}.csv").text
    assert events(store, tenant).count(AuditKind.GROUP_SET_ASIDE) == 1

    form = browser.open(path)
    assert back in text_of(form.text)
    browser.submit(f"{path}back", form, key="back")
    assert problems(hub, tenant) == ["invalid_user"]
    assert events(store, tenant).count(AuditKind.GROUP_HAD_BACK) == 1
    assert browser.submit(f"{path}back", form, key="again").status_code == 422


def test_a_group_says_that_it_came_back(hub: Hub, store: Store) -> None:
    """When its day has come; not of users that begin to fail after that."""
    tenant = failing_tenant(hub, store, "tillbaka")
    now = dt.datetime.now(dt.UTC)
    group = SetAsideGroup(tenant=tenant, reason=INVALID, until=now, set_at=now - dt.timedelta(days=3))
    store.set_aside_groups.add(group)
    browser = administrator(hub, tenant)
    text = text_of(browser.open(f"tenants/{tenant}/attention/").text)
    assert "Came back" in text
    assert "Was set aside until" in text
    assert problems(hub, tenant) == ["invalid_user"]
    finish(store, start(store, tenant, f"well {tenant}"), {})
    finish(store, start(store, tenant, f"anew {tenant}"), {USERS[0]: FAILED})
    assert "Was set aside until" not in text_of(browser.open(f"tenants/{tenant}/attention/").text)


@pytest.mark.parametrize("day", ["", "soon", "2020-01-01", "9999-12-31", "0001-01-01", "2999-13-01", "\0"])
def test_a_day_that_does_not_do_is_told_beside_it(hub: Hub, store: Store, day: str) -> None:
    """What is past, too far away or none."""
    tenant = failing_tenant(hub, store, f"dag-{abs(hash(day)) % 10**8}")
    browser = administrator(hub, tenant)
    path = f"tenants/{tenant}/{GROUP}/choose/"
    answer = browser.submit(f"{path}aside", browser.open(path), until=day)
    assert answer.status_code == 422
    assert "Choose a day after today, at most a year ahead." in text_of(answer.text)
    assert store.set_aside_groups.list([tenant]) == []


def test_the_command_does_the_same(hub: Hub, store: Store) -> None:
    """What it sets aside the page shows so, and the other way round; `--end` has it back."""
    tenant = failing_tenant(hub, store, "kommando")
    options = ("dead-letters", "set-aside", "--tenant", tenant, "--reason", "invalid_user")
    told = json_output(*options, "--until", DAY.isoformat(), "--note", "Semester", env=hub.env)
    assert (told["reason"], told["note"]) == ("invalid_user", "Semester")
    assert problems(hub, tenant) == []
    browser = administrator(hub, tenant)
    assert "Set aside until" in text_of(browser.open(f"tenants/{tenant}/attention/").text)
    groups = program(hub, browser, tenant)("GET", "/failures").json()["groups"]
    assert [each["set_aside_until"] for each in groups] == [told["until"]]
    assert "are no longer set aside" in update_sync(*options, "--end", env=dict(hub.env)).stdout
    assert "are not set aside anyway" in update_sync(*options, "--end", env=dict(hub.env)).stdout
    for wrong in ((), ("--end", "--until", DAY.isoformat()), ("--until", "2020-01-01"), ("--until", "soon")):
        assert update_sync(*options, *wrong, env=dict(hub.env)).returncode == 2, wrong


def test_programs_set_a_group_aside(hub: Hub, store: Store) -> None:
    """Once for each key; by a token that may act."""
    tenant = failing_tenant(hub, store, "program-undan")
    browser = administrator(hub, tenant)
    ask = program(hub, browser, tenant)
    path = "/failures/groups/invalid_user"
    body = {"until": DAY.isoformat(), "note": "Semester"}
    for _ in range(2):
        assert ask("POST", f"{path}/set-aside", "a", json=body).json()["note"] == "Semester"
    assert events(store, tenant).count(AuditKind.GROUP_SET_ASIDE) == 1
    for wrong in ({"until": "2020-01-01"}, {"until": "soon"}, {}, {**body, "note": " "}):
        assert ask("POST", f"{path}/set-aside", "b", json=wrong).status_code == 422, wrong
    assert ask("POST", f"{path}/have-back", "c").json()["until"] is None
    late = ask("POST", f"{path}/have-back", "d")
    assert (late.status_code, late.json()["errors"]) == (409, {"action": ["not_aside"]})
    assert ask("POST", "/failures/groups/none/set-aside", "e", json=body).status_code == 404
    reader = program(hub, browser, tenant, may_act=False)
    assert reader("POST", f"{path}/set-aside", "f", json=body).status_code == 403
