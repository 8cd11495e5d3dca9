"""The office of a made-up municipality: its Data Hub in Chromium, with all that syncs it."""

from __future__ import annotations

from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pytest

from devtools.browser.browser import Look, browser
from devtools.commands import COMMAND, command_environment, running, update_sync
from devtools.servers import upgrade_with
from sandbox.environment import TENANT_KEY, Environment, serve_environment
from schemas.crypto.encryption import new_key
from tests.integration.cli.command_line import add_tenant, open_store
from tests.integration.hub.browser import running_hub

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    from devtools.services.postgresql import PostgreSQL
    from devtools.services.rabbitmq import RabbitMQ
    from schemas.hub.session import AuditKind
    from store.store import Store
    from tests.integration.hub.browser import Hub

PEOPLE: Final = 40

#: Milliseconds for what several processes do on a busy machine.
PATIENCE: Final = 90_000


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
    # All users may fail here.
    with (
        serve_environment(folder, users=PEOPLE) as made_up,
        opened_office(made_up, chromium, rabbitmq, postgresql, folder, guard={"failed": None}) as opened,
    ):
        yield opened


@contextmanager
def opened_office(  # noqa: PLR0913, PLR0917 - what it is made of
    made_up: Environment,
    chromium: Path,
    rabbitmq: RabbitMQ,
    postgresql: PostgreSQL,
    folder: Path,
    users: Sequence[str] = (),
    **settings: Any,
) -> Iterator[Office]:
    """Sync a municipality with these settings of its tenant until the block ends, and give its office.

    The `users` are synced before, if any are named.
    """
    url, database = rabbitmq.create_vhost(), postgresql.create_database(upgrade_with(COMMAND))
    with ExitStack() as stack:
        env = command_environment(
            **made_up.variables,
            UPDATE_SYNC_AMQP_URL=url,
            UPDATE_SYNC_DATABASE_URL=database,
            UPDATE_SYNC_SECRET_KEYS=new_key(),
        )
        add_tenant(env, TENANT_KEY, {**made_up.tenant, **settings})
        stack.enter_context(running("producer", env=env, log=folder / "producer.log"))
        stack.enter_context(running("worker", env=env, log=folder / "worker.log"))
        if users:
            options = [option for each in users for option in ("--user", each)]
            update_sync("trigger", TENANT_KEY, *options, "--wait", env=env)
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
