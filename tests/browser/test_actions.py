"""What administrators do on the pages, in Chromium: with RabbitMQ, PostgreSQL, a producer and a worker."""

from __future__ import annotations

from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pytest

from devtools.browser.browser import Look, browser
from devtools.commands import COMMAND, command_environment, running
from devtools.servers import upgrade_with
from sandbox.environment import TENANT_KEY, Environment, serve_environment
from schemas.crypto.encryption import new_key
from schemas.details.detail import Detail
from schemas.details.kinds import DetailKind
from schemas.hub.session import AuditKind
from schemas.outcomes import Cause, Outcome, Status
from schemas.runs.changes import ChangeKind
from schemas.runs.sync_result import Forecast
from schemas.users.attributes import Attribute
from tests.integration.cli.command_line import add_tenant, open_store
from tests.integration.hub.browser import running_hub
from tests.integration.hub.made_up_runs import start

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    from devtools.services.postgresql import PostgreSQL
    from devtools.services.rabbitmq import RabbitMQ
    from store.store import Store
    from tests.integration.hub.browser import Hub

pytestmark = pytest.mark.xdist_group("browser")

PEOPLE: Final = 40

#: Milliseconds for what several processes do on a busy machine.
PATIENCE: Final = 90_000

#: Where a page with JavaScript is looked at, and one without: each language in both ways.
WAYS: Final = [("sv", True), ("en", False)]


@dataclass(frozen=True, kw_only=True)
class Office:
    """The Data Hub of a made-up municipality, with all that syncs it, and its administrator's session."""

    hub: Hub
    store: Store
    made_up: Environment
    chromium: Browser
    cookies: Any

    def open(self, path: str, language: str = "en", *, scripts: bool = True) -> Page:
        """Open a page of the tenant, in a context of its own."""
        options = Look(language=language).options()
        context = self.chromium.new_context(
            base_url=self.hub.address, storage_state=self.cookies, java_script_enabled=scripts, **options
        )
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        page.goto(f"/tenants/{TENANT_KEY}/{path}")
        return page

    def count(self, kind: AuditKind) -> int:
        """Return how many events of a kind the audit has of the tenant."""
        return sum(each.kind is kind for each in self.store.hub_audit.page([TENANT_KEY]).entries)


@pytest.fixture(scope="module")
def office(
    chromium: Path, rabbitmq: RabbitMQ, postgresql: PostgreSQL, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Office]:
    folder = tmp_path_factory.mktemp("office")
    url, database = rabbitmq.create_vhost(), postgresql.create_database(upgrade_with(COMMAND))
    with ExitStack() as stack:
        made_up = stack.enter_context(serve_environment(folder, users=PEOPLE))
        env = command_environment(
            **made_up.variables,
            UPDATE_SYNC_AMQP_URL=url,
            UPDATE_SYNC_DATABASE_URL=database,
            UPDATE_SYNC_SECRET_KEYS=new_key(),
        )
        add_tenant(env, TENANT_KEY, dict(made_up.tenant))
        stack.enter_context(running("producer", env=env, log=folder / "producer.log"))
        stack.enter_context(running("worker", env=env, log=folder / "worker.log"))
        hub = stack.enter_context(running_hub(env, folder))
        store = stack.enter_context(closing(open_store(env)))
        program = stack.enter_context(browser(chromium))
        page = program.new_page()
        page.goto(hub.invite("Ada Administratör", "administrator", TENANT_KEY))
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("heading", name="Syncs").wait_for()
        yield Office(
            hub=hub,
            store=store,
            made_up=made_up,
            chromium=program,
            cookies=page.context.storage_state(),
        )
    rabbitmq.delete_vhost(url)
    postgresql.drop_database(database)


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def tab_to(page: Page, text: str) -> None:
    """Go on by the keyboard until what has the focus reads `text`."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.innerText").strip() == text:
            return
    raise AssertionError(f"the keyboard does not reach {text!r}")


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
