"""What administrators take back and try again, in Chromium, with all that syncs a municipality."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from sandbox.environment import TENANT_KEY
from sandbox.municipality.expectation import attributes_of
from sandbox.municipality.made_up_user import DOMAIN
from sandbox.skolon.faults import Fault
from schemas.dead_letter_reasons import Reason
from schemas.hub.session import AuditKind
from schemas.outcomes import Outcome, RunKind
from tests.browser.office import tab_to

if TYPE_CHECKING:
    from tests.browser.office import Office

pytestmark = pytest.mark.xdist_group("browser")


def skolon_users(office: Office) -> dict[str, Any]:
    """Return the attributes of all Skolon users, by id."""
    return {user["id"]: attributes_of(user) for user in office.made_up.skolon_users()}


def full_run(office: Office) -> int:
    """Start a run of all users on its page, wait for its end, and return its number."""
    page = office.open("start/")
    page.get_by_label("All users").check()
    page.get_by_role("button", name="Start").click()
    page.wait_for_url("**/runs/*")
    page.get_by_text("Completed", exact=True).wait_for()
    page.context.close()
    (summary,) = office.store.runs.list(TENANT_KEY, 1, kinds=[RunKind.FULL])
    return summary.run.id


def test_a_run_is_undone_by_keyboard_after_its_preview(office: Office) -> None:
    """In Swedish: what it would restore, a preview with its numbers, the undo; Skolon is as before."""
    before = skolon_users(office)
    run = full_run(office)
    after = skolon_users(office)
    assert after != before
    page = office.open(f"runs/{run}", "sv")
    tab_to(page, "Ångra körningen")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name=f"Ångra körning {run}?").wait_for()
    assert page.get_by_label("En förhandsgranskning").is_checked()
    tab_to(page, "Starta")
    page.keyboard.press("Enter")
    page.wait_for_url("**/runs/*")
    page.get_by_text("Klar", exact=True).wait_for()
    assert skolon_users(office) == after

    page.goto(f"/tenants/{TENANT_KEY}/runs/{run}/undo/")
    page.get_by_role("heading", name="Vad den senaste förhandsgranskningen fann").wait_for()
    assert page.get_by_label("Ångra körningen").is_checked()
    page.get_by_role("button", name="Starta").press("Enter")
    page.wait_for_url("**/runs/*")
    page.get_by_text("Klar", exact=True).wait_for()

    undo = office.store.runs.list(TENANT_KEY, 1, kinds=[RunKind.UNDO])[0]
    assert undo.counts[Outcome.UPDATED] == office.store.undo_records.count_claimed(run)
    assert skolon_users(office) == before
    assert office.count(AuditKind.RUN_UNDONE) == office.count(AuditKind.UNDO_PREVIEWED) == 1
    page.goto(f"/tenants/{TENANT_KEY}/runs/{run}")
    page.get_by_text("Den har ångrats för").wait_for()
    page.context.close()


def fail_all(office: Office) -> int:
    """Have a run in which Skolon refuses every search; return how many users fail for that."""
    refuses = Fault(kind="status", status=400, times=None, path_kind="search", searched=DOMAIN)
    office.made_up.skolon.faults.add(refuses)
    full_run(office)
    office.made_up.skolon.faults.clear()
    return failing(office)


def failing(office: Office) -> int:
    groups = office.store.open_failures.groups(TENANT_KEY)
    return next((each.users for each in groups if each.reason is Reason.REJECTED_BY_SKOLON), 0)


def test_dead_letters_are_tried_replayed_and_watched(office: Office) -> None:
    """In Swedish and by keyboard: the group, what would happen to each, those that would not fail again."""
    users = fail_all(office)
    assert users >= 30
    page = office.open("attention/rejected_by_skolon", "sv")
    tab_to(page, "Försök igen, eller lägg åt sidan")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name=f"Vad som ska göras med {users} användare").wait_for()
    tab_to(page, "Prova först")
    page.keyboard.press("Enter")
    page.wait_for_url("**/tasks/*/")
    page.get_by_text("Klar", exact=True).wait_for()
    page.get_by_role("link", name="Skulle uppdateras").wait_for()
    assert failing(office) == users

    page.get_by_role("link", name="som inte skulle misslyckas igen").press("Enter")
    page.get_by_role("heading", name="Vad som ska göras med").wait_for()
    tab_to(page, "Försök igen")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Försök igen").wait_for()
    page.get_by_text("Klar", exact=True).wait_for()
    assert page.get_by_role("button", name="Pausa").count() == 0

    assert failing(office) < users / 5
    assert office.count(AuditKind.USERS_TRIED) == office.count(AuditKind.USERS_REPLAYED) == 1
    page.goto(f"/tenants/{TENANT_KEY}/attention/")
    page.get_by_role("heading", name="Vad som har gjorts nyligen").wait_for()
    page.context.close()


def test_users_are_ticked_and_set_aside_without_javascript(office: Office) -> None:
    """In English: two of a group, with a reason, after the page said what that means; the others stay."""
    users = fail_all(office)
    page = office.open("attention/rejected_by_skolon", scripts=False)
    boxes = page.get_by_role("checkbox")
    for number in range(2):
        boxes.nth(number).check()
    page.get_by_role("button", name="Only those that are ticked").click()
    page.get_by_role("heading", name="What to do with 2 users that fail").wait_for()
    page.get_by_label("Why?").fill("They leave in June.")
    page.get_by_role("button", name="Set aside").click()
    page.get_by_text("Completed", exact=True).wait_for()
    page.get_by_text("2 users were set aside.").wait_for()
    page.get_by_text("They leave in June.").wait_for()
    assert failing(office) == users - 2
    assert office.count(AuditKind.USERS_SET_ASIDE) == 1
    page.context.close()
