"""A Graph that hangs: a page waits for it for some seconds, and says what is missing."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from sandbox.microsoft.faults import Effect, Fault
from sandbox.microsoft.http_messages import Kind
from tests.integration.cli.tenants.test_preview import user_with
from tests.integration.hub.made_up_runs import text_of
from tests.integration.hub.users.test_users import PATH, entra_id, look_up

if TYPE_CHECKING:
    from sandbox.environment import Environment
    from tests.integration.hub.browser import Browser

#: Seconds that Graph takes, and that a person waits at most on a busy machine.
HANGS = 45.0
WAITS = 20.0


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
