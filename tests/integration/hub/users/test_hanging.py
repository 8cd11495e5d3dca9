"""A Graph that hangs: a page waits some seconds for all that it asks, and says what is missing."""

from __future__ import annotations

import re
import time
from html import unescape
from typing import TYPE_CHECKING

import pytest

from sandbox.environment import TENANT_KEY
from sandbox.microsoft.faults import Effect, Fault
from sandbox.microsoft.http_messages import Kind
from schemas.details.detail import Detail
from schemas.details.kinds import DetailKind
from schemas.outcomes import Cause, Outcome
from schemas.runs.changes import ChangeKind
from schemas.runs.sync_result import Forecast
from schemas.users.attributes import Attribute
from tests.integration.cli.tenants.test_preview import user_with
from tests.integration.hub.made_up_runs import finish, start, text_of
from tests.integration.hub.users.test_users import FAILED, PATH, entra_id, look_up

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.environment import Environment
    from store.store import Store
    from tests.integration.hub.browser import Browser

#: Seconds that Graph takes, and that a person waits at most on a busy machine.
HANGS = 45.0
WAITS = 15.0

#: Users whose names Graph gives in one request.
IN_A_BATCH = 20


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        (Kind.USER, "Microsoft Graph does not answer just now, so the values and steps are missing"),
        (Kind.BIRTHDAY, "birth date not read"),
    ],
)
def test_a_page_waits_some_seconds(stand_ins: Environment, browser: Browser, kind: Kind, says: str) -> None:
    """The rest is there, and what is missing is named."""
    person = user_with(stand_ins, "unchanged")
    look_up(browser, entra_id(person))
    stand_ins.microsoft.faults.add(Fault(effect=Effect.DELAY, kind=kind, seconds=HANGS, times=None))
    began = time.monotonic()
    page = browser.open(PATH + entra_id(person))
    assert time.monotonic() - began < WAITS
    assert says in text_of(page.text)


@pytest.fixture
def asking_run(stand_ins: Environment, store: Store) -> Iterator[int]:
    """Give a run that the guard has halted before it changed five users."""
    users = sorted(entra_id(each) for each in stand_ins.municipality if each.outcome == "updated")[:5]
    run = start(store, TENANT_KEY, "asks", users)
    detail = Detail(DetailKind.GUARD_EXCEEDED, limit="identity_changed", count=2, size=6, most=1, share="10")
    store.runs.halt(run, Cause.GUARD_EXCEEDED, detail)
    kinds = {Attribute.USER_NAME: ChangeKind.CHANGED}
    for user in users:
        store.forecasts.record(run, user, Forecast(outcome=Outcome.UPDATED, change_kinds=kinds))
    yield run
    store.runs.cancel(run)


def test_a_page_about_several_users_waits_no_longer(
    stand_ins: Environment, administrator: Browser, asking_run: int
) -> None:
    """The time is the page's, and not each user's; each says that its values are missing."""
    path = f"tenants/{TENANT_KEY}/runs/{asking_run}/resume/"
    form = administrator.open(path)
    stand_ins.microsoft.faults.add(Fault(effect=Effect.DELAY, kind=Kind.USER, seconds=HANGS, times=None))
    began = time.monotonic()
    page = administrator.submit(f"{path}sample", form)
    assert time.monotonic() - began < WAITS
    assert text_of(page.text).count("does not answer just now, so the values are missing") == 5


def test_names_that_came_in_time_are_shown(
    stand_ins: Environment, administrator: Browser, store: Store
) -> None:
    """Of a group that takes two requests, the second of which hangs."""
    people = [each for each in stand_ins.municipality if each.outcome == "updated"][: IN_A_BATCH + 3]
    users = sorted(map(entra_id, people))
    finish(store, start(store, TENANT_KEY, "group", users), dict.fromkeys(users, FAILED), users)
    group = f"tenants/{TENANT_KEY}/attention/{FAILED.reason}"
    page = administrator.open(group)
    stand_ins.microsoft.faults.add(
        Fault(effect=Effect.DELAY, kind=Kind.BATCH, seconds=HANGS, skip=1, times=None)
    )

    shown = administrator.submit(f"{group}/names", page)

    named = [each for each in people if each.entra["displayName"] in unescape(shown.text)]
    assert len(named) == IN_A_BATCH
    assert "3 of these users have no name here" in text_of(shown.text)


def test_a_choice_without_names_says_so(stand_ins: Environment, browser: Browser, store: Store) -> None:
    """Who asks for names while Entra is away reads that there are none just now."""
    surnames = [each.entra.get("surname") for each in stand_ins.municipality]
    surname = next(each for each in surnames if each and 2 <= surnames.count(each) <= 9)
    users = sorted(entra_id(each) for each in stand_ins.municipality if each.entra.get("surname") == surname)
    finish(store, start(store, TENANT_KEY, "choice", users), {}, users)
    page = look_up(browser, surname)
    stand_ins.microsoft.faults.add(Fault(effect=Effect.ERROR, kind=Kind.BATCH, status=503, times=None))
    fields = re.findall(r'<input type="hidden" name="(csrf_token|user)" value="([^"]+)"', page.text)
    shown = browser.post(f"{browser.address}{PATH}names", data=fields, timeout=60)
    assert "Entra gives no names just now." in text_of(shown.text)
