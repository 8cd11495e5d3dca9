"""One Chromium and one Data Hub for a module, with a tenant that has something of everything to show."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from devtools.browser.browser import Look, axe_script, browser
from schemas.dead_letters.task import FailureSelection, Obstacle, TaskKind, TaskStatus, TriedUser
from schemas.hub.action import Actor, Submission
from schemas.outcomes import Cause, Outcome
from schemas.runs.changes import ChangeKind
from schemas.runs.identity_digests import IdentityDigests
from schemas.runs.sync_result import Forecast, SyncResult
from schemas.users.attributes import Attribute
from tests.browser.office import office  # noqa: F401 - a fixture
from tests.integration.cli.command_line import (
    add_tenant,
    database_environment,
    open_store,
    tenant_object,
)
from tests.integration.hub.browser import running_hub
from tests.integration.hub.made_up_runs import FAILED, NOT_FOUND, USERS, finish, start

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

    from devtools.services.rabbitmq import RabbitMQ
    from store.store import Store
    from tests.integration.hub.browser import Hub

TENANT = "exempel"
#: A tenant of the same administrator, for runs that are watched.
WATCHED = "foljs"


@dataclass(frozen=True, kw_only=True)
class Site:
    """The Data Hub, its database, a run that ended and one that is halted, and who is signed in."""

    hub: Hub
    store: Store
    chromium: Browser
    axe: str
    complete: int
    halted: int
    reader: int
    task: int
    draft: int
    cookies: Any

    def open(self, path: str, look: Look | None = None, **options: Any) -> Page:
        """Open a page in a context of its own, signed in as the tenant's administrator."""
        context = self.chromium.new_context(
            base_url=self.hub.address, storage_state=self.cookies, **(look or Look()).options(), **options
        )
        page = context.new_page()
        page.goto(path)
        return page


@pytest.fixture(scope="module")
def site(chromium: Path, rabbitmq: RabbitMQ, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("hub")
    # Without a producer: what is asked for stays in its queue.
    url = rabbitmq.create_vhost()
    env = database_environment(folder, UPDATE_SYNC_AMQP_URL=url)
    add_tenant(env, TENANT, tenant_object())
    add_tenant(env, WATCHED, tenant_object(name="Följekommun", organisation="foljs"))
    with (
        running_hub(env, folder) as hub,
        closing(open_store(env)) as store,
        browser(chromium) as program,
    ):
        complete, halted = make_runs(store)
        page = program.new_page()
        page.goto(hub.invite("Ada Administratör", "administrator", TENANT, WATCHED))
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("heading", name="Syncs").wait_for()
        hub.invite("Lars Läsare", "reader", TENANT)
        yield Site(
            hub=hub,
            store=store,
            chromium=program,
            axe=axe_script(),
            complete=complete,
            halted=halted,
            reader=store.hub_members.list()[-1].id,
            task=make_forecast(store),
            draft=make_draft(store),
            cookies=page.context.storage_state(),
        )
    rabbitmq.delete_vhost(url)


def make_draft(store: Store) -> int:
    """Make a draft of a mapping that differs from the active one, and return its number."""
    sources = {**store.tenants.outline(TENANT).sources, Attribute.EPPN: ("extensionAttribute3", "mail")}
    return store.mapping_drafts.add(TENANT, sources, Actor(), base=sources)


def make_runs(store: Store) -> tuple[int, int]:
    """Make a run that ended with something of everything, and one that the guard has halted."""
    complete = start(store, TENANT, "complete")
    changed = SyncResult(
        outcome=Outcome.UPDATED,
        skolon_id="skolon-1",
        changed=(Attribute.CITY, Attribute.EPPN),
        change_kinds={Attribute.CITY: ChangeKind.FILLED, Attribute.EPPN: ChangeKind.CHANGED},
    )
    for user in USERS[:2]:
        store.receipts.record_digests(complete, user, IdentityDigests(eppn="same", ssn=None, mail=None))
    finish(store, complete, {USERS[0]: changed, USERS[1]: FAILED, USERS[2]: NOT_FOUND})
    halted = start(store, TENANT, "halted")
    store.receipts.finish(halted, USERS[0], changed)
    store.runs.halt(halted, Cause.GUARD_EXCEEDED, "guard.changed: 1 of 6 users")
    store.forecasts.record(halted, USERS[1], Forecast(outcome=Outcome.UPDATED))
    return complete, halted


def make_forecast(store: Store) -> int:
    """Have a forecast find something of everything for users that fail."""
    reason = FAILED.reason
    task = store.dead_letter_tasks.request(
        TENANT,
        TaskKind.FORECAST,
        FailureSelection(reason=reason),
        users=4,
        submission=Submission(actor=Actor(member=1), key="forecast"),
    )
    taken = store.dead_letter_tasks.take([TaskKind.FORECAST])
    assert taken is not None
    tried = [
        TriedUser(entra_id=USERS[0], outcome=Outcome.WOULD_UPDATE),
        TriedUser(entra_id=USERS[1], outcome=Outcome.DEAD_LETTERED, reason=reason),
        TriedUser(entra_id=USERS[2], obstacle=Obstacle.SERVICE_AWAY),
    ]
    store.tried_users.add(task, tried)
    store.dead_letter_tasks.finish(taken, TaskStatus.COMPLETED, {})
    return task
