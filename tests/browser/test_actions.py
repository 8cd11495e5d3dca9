"""What administrators do on the pages, in Chromium: with RabbitMQ, PostgreSQL, a producer and a worker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from sandbox.environment import TENANT_KEY
from schemas.details.detail import Detail
from schemas.details.kinds import DetailKind
from schemas.hub.session import AuditKind
from schemas.outcomes import Cause, Outcome, Status
from schemas.runs.changes import ChangeKind
from schemas.runs.sync_result import Forecast
from schemas.users.attributes import Attribute
from tests.browser.office import PEOPLE, press, tab_to
from tests.integration.hub.made_up_runs import start

if TYPE_CHECKING:
    from tests.browser.office import Office

pytestmark = pytest.mark.xdist_group("browser")

#: Where a page with JavaScript is looked at, and one without: each language in both ways.
WAYS: Final = [("sv", True), ("en", False)]


def test_a_run_is_started_by_keyboard_and_watched(office: Office) -> None:
    """In Swedish: from the runs to the choice, the button, and by itself to the run and its end."""
    page = office.open("runs/", "sv")
    tab_to(page, "Starta en körning")
    press(page, "Enter")
    page.get_by_role("heading", name="Starta en körning").wait_for()
    while page.evaluate("document.activeElement.type") != "radio":
        press(page, "Tab")
    press(page, "ArrowDown", "ArrowDown")
    assert page.get_by_label("Alla användare").is_checked()
    tab_to(page, "Starta")
    press(page, "Enter")

    page.wait_for_url("**/runs/*")
    page.get_by_role("heading", name="Körning").wait_for()
    page.get_by_text("Klar", exact=True).wait_for()

    (summary,) = office.store.runs.list(TENANT_KEY)
    assert summary.published == PEOPLE
    assert office.count(AuditKind.RUN_REQUESTED) == 1
    page.context.close()


def test_a_preview_is_started_without_javascript(office: Office) -> None:
    """In English: the wait loads itself again and becomes the run; nothing is written."""
    written = office.made_up.skolon_users()
    page = office.open("start/", scripts=False)
    assert page.get_by_label("A preview").is_checked()
    page.get_by_role("button", name="Start").click()
    page.wait_for_url("**/runs/*")
    page.get_by_text("Completed", exact=True).wait_for()
    page.get_by_text("Preview, changes nothing").wait_for()
    assert office.made_up.skolon_users() == written
    page.context.close()


def test_a_double_click_and_the_back_button_start_one_run(office: Office) -> None:
    """Whatever is pressed twice, and also from the history, is done once."""
    before = len(office.store.runs.list(TENANT_KEY)), office.count(AuditKind.RUN_REQUESTED)
    page = office.open("start/")
    page.get_by_label("The changed users").check()
    page.get_by_role("button", name="Start").dblclick()
    page.wait_for_url("**/runs/*")
    page.get_by_text("Completed", exact=True).wait_for()
    page.reload()
    after = len(office.store.runs.list(TENANT_KEY)), office.count(AuditKind.RUN_REQUESTED)
    assert after == (before[0] + 1, before[1] + 1)
    page.context.close()


@pytest.mark.parametrize(("language", "scripts"), WAYS)
def test_a_run_is_cancelled(office: Office, language: str, scripts: bool) -> None:  # noqa: FBT001 - a case
    """After the page has said what stays and what is left; in both languages."""
    ask, done = {"sv": ("Avbryt körningen", "Avbruten"), "en": ("Cancel the run", "Cancelled")}[language]
    run = start(office.store, TENANT_KEY, f"cancelled in {language}")
    page = office.open(f"runs/{run}", language, scripts=scripts)
    page.get_by_role("link", name=ask).click()
    page.get_by_role("button", name=ask).click()
    page.get_by_text(done, exact=True).wait_for()
    assert office.store.runs.get(run).status is Status.CANCELLED
    page.context.close()


@pytest.mark.parametrize(("language", "scripts"), WAYS)
def test_a_halted_run_is_answered_by_keyboard(office: Office, language: str, scripts: bool) -> None:  # noqa: FBT001 - a case
    """What it asks, some users with values, and yes: the run goes on to its end."""
    look, values, some, yes, done = {
        "sv": (
            "Se vad den frågar, och svara",
            "Visa några av användarna med värden",
            "Några av användarna",
            "Ja, låt den fortsätta",
            "Klar",
        ),
        "en": (
            "See what it asks, and answer",
            "Show some of these users with values",
            "Some of these users",
            "Yes, let it go on",
            "Completed",
        ),
    }[language]
    users = sorted(user.entra["id"] for user in office.made_up.municipality)[:3]
    run = start(office.store, TENANT_KEY, f"asks in {language}", users)
    detail = Detail(DetailKind.GUARD_EXCEEDED, limit="identity_changed", count=2, size=6, most=1, share="10")
    office.store.runs.halt(run, Cause.GUARD_EXCEEDED, detail)
    kinds = {Attribute.USER_NAME: ChangeKind.CHANGED}
    for user in users:
        office.store.forecasts.record(run, user, Forecast(outcome=Outcome.UPDATED, change_kinds=kinds))
    shown, answered = office.count(AuditKind.VALUES_REVEALED), office.count(AuditKind.GUARD_OVERRIDDEN)
    page = office.open(f"runs/{run}", language, scripts=scripts)

    page.get_by_role("link", name=look).press("Enter")
    page.get_by_role("button", name=values).press("Enter")
    page.get_by_role("heading", name=some).wait_for()
    page.get_by_role("button", name=yes).press("Enter")
    page.get_by_text(done, exact=True).wait_for()

    assert office.count(AuditKind.VALUES_REVEALED) == shown + len(users)
    assert office.count(AuditKind.GUARD_OVERRIDDEN) == answered + 1
    page.context.close()
