"""One user synced now, in Chromium: with a producer and a worker, while a run of all users is open."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from devtools.browser.browser import axe_script, violations
from sandbox.environment import TENANT_KEY
from schemas.hub.session import AuditKind
from schemas.messages.messages import SyncRequest
from schemas.outcomes import OPEN_STATUSES
from tests.browser.office import tab_to

if TYPE_CHECKING:
    from tests.browser.office import Office

pytestmark = pytest.mark.xdist_group("browser")


@pytest.mark.parametrize(("language", "scripts"), [("sv", True), ("en", False)], ids=["sv", "en-no-scripts"])
def test_a_user_is_synced_while_a_run_of_all_users_is_open(
    office: Office,
    language: str,
    scripts: bool,  # noqa: FBT001 - a case
) -> None:
    """By keyboard: from the user's page to what would be written, the button, the result; Skolon is right."""
    now, done, look, right = {
        "sv": ("Synka nu", "Klart: Skolon har det som står i Entra.", "Se användaren", "Rätt i Skolon"),
        "en": ("Sync now", "Done: Skolon has what Entra says.", "Look at the user", "Right in Skolon"),
    }[language]
    people = [each for each in office.made_up.municipality if each.outcome == "updated"]
    person = people[0 if language == "sv" else 1]
    user = person.entra["id"]
    everybody = office.store.triggers.open(SyncRequest(tenant=TENANT_KEY), f"all users, {language}").run
    before = office.count(AuditKind.USER_SYNC_REQUESTED)

    page = office.open(f"users/{user}", language, scripts=scripts)
    tab_to(page, now)
    page.keyboard.press("Enter")
    page.locator("main form button").wait_for()
    assert page.locator("main ul ul li").count() > 0
    tab_to(page, now)
    page.keyboard.press("Enter")
    page.get_by_text(done).wait_for()
    if scripts:
        assert violations(page, axe_script()) == []
    page.reload()
    tab_to(page, look)
    page.keyboard.press("Enter")
    page.get_by_text(right).first.wait_for()

    assert office.count(AuditKind.USER_SYNC_REQUESTED) == before + 1
    assert str(person.claims) not in office.made_up.wrong_users()
    assert office.store.runs.get(everybody.id).status in OPEN_STATUSES
    office.store.runs.cancel(everybody.id)
    page.context.close()
