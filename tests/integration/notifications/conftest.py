"""A tenant that is told of what is wrong, by real mail and signed webhooks."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from devtools.commands import COMMAND, command_environment, json_output
from devtools.servers import upgrade_with
from schemas.crypto.encryption import new_key
from tests.integration.cli.command_line import add_tenant, database_environment, open_store, tenant_object
from tests.integration.notifications.receivers import MailServer, WebhookReceiver

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from devtools.services.postgresql import PostgreSQL
    from store.store import Store

TENANT = "exempel"
RECIPIENT = "it@exempel.example"


@dataclass(frozen=True, kw_only=True)
class Scene:
    """The environment of commands, its database, and who is told."""

    env: Mapping[str, str]
    store: Store
    mail: MailServer
    hook: WebhookReceiver

    def run(self, *arguments: str) -> Any:
        return json_output("notifications", *arguments, env=self.env)

    def send(self) -> int:
        """Tell what there is to tell; return how much was delivered."""
        return int(self.run("send")["delivered"])


@pytest.fixture
def mail() -> Iterator[MailServer]:
    with MailServer() as server:
        yield server


@pytest.fixture
def hook() -> Iterator[WebhookReceiver]:
    with WebhookReceiver() as receiver:
        yield receiver


@pytest.fixture
def scene(tmp_path: Path, mail: MailServer, hook: WebhookReceiver) -> Iterator[Scene]:
    env = database_environment(
        tmp_path,
        UPDATE_SYNC_HUB_URL="https://hub.example",
        UPDATE_SYNC_WEBHOOK_NETWORKS="127.0.0.1",
        **mail.variables,
    )
    add_tenant(env, TENANT, tenant_object())
    with closing(open_store(env)) as store:
        made = Scene(env=env, store=store, mail=mail, hook=hook)
        options = ("--recipient", RECIPIENT, "--webhook", hook.url, "--most-failed", "0")
        hook.secret = made.run("set", TENANT, *options, "--language", "en", "--new-secret")["webhook_secret"]
        yield made


@pytest.fixture
def postgresql_environment(postgresql: PostgreSQL) -> Iterator[dict[str, str]]:
    """Return the environment of commands that have an upgraded database on PostgreSQL."""
    url = postgresql.create_database(upgrade_with(COMMAND))
    yield command_environment(UPDATE_SYNC_DATABASE_URL=url, UPDATE_SYNC_SECRET_KEYS=new_key())
    postgresql.drop_database(url)
