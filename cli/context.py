"""What commands work with, put together from the environment when a command first asks for it."""

from __future__ import annotations

import time
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
import structlog

from cli.private_files import fix_of_rights
from clients.gateways import Directories, directories
from queues.brokers.factory import open_broker
from queues.notices import Notices
from runtime.logging import set_up_logging
from schemas.crypto.encryption import Sealer
from schemas.errors import Dependency, InvalidSettingsError, OperatorError, TransientError
from schemas.setting_values import goes_in_the_clear
from schemas.settings import PREFIX, Need, Settings, read_settings
from store.store import Store

_SQLITE: Final = b"SQLite format 3\0"

_FIXES: Final = {"amqp_url": "amqps://", "database_url": "sslmode=verify-full"}

_log = structlog.get_logger(__name__)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from queues.brokers.rabbitmq import QuorumBroker

#: Seconds until the next try while the database or RabbitMQ is away.
RETRY: Final = 2.0


class Services:
    """The services of the sync that a command may need; nothing connects before it is used."""

    def __init__(self, *needs: Need) -> None:
        self._needs = needs

    @cached_property
    def settings(self) -> Settings:
        """The environment, as far as the command needs it."""
        settings = read_settings(self._needs)
        set_up_logging(settings.log_format)
        return settings

    @cached_property
    def store(self) -> Store:
        """The database."""
        sealer = Sealer(self.settings.secret_keys)
        file = self.settings.database_url.removeprefix("sqlite:///")
        if file != self.settings.database_url:
            path = Path(file.partition("?")[0])
            fix = fix_of_rights(path)
            # What is no database is not ours, and nobody is to change its rights.
            if fix is not None and _is_sqlite(path):
                _log.warning("database_readable_by_others", fix=fix)
        try:
            return Store(self.settings.database_url, sealer)
        except ValueError:
            # Its text quotes the address, and that holds a password.
            raise InvalidSettingsError("UPDATE_SYNC_DATABASE_URL: Not a valid address.") from None

    @cached_property
    def broker(self) -> QuorumBroker:
        """RabbitMQ."""
        return open_broker(self.settings.amqp_url, ca_bundle=self.settings.ca_bundle)

    @cached_property
    def directories(self) -> Directories:
        """Entra's and Skolon's people."""
        return directories(self.settings)

    def check_servers(self) -> None:
        """Raise an error of ours when the database is not upgraded, or it or RabbitMQ is away.

        What goes over the network in the clear is warned of, once.
        """
        self._warn_of_the_clear()
        self.store.check_upgraded()
        self.broker.check()

    def await_servers(self, *, consumed: Sequence[str] = (), published: Sequence[str] = ()) -> None:
        """Return when the database and RabbitMQ are there; say what is missing for as long as it is (P8).

        The names are those of queues that a process consumes and publishes to: what it may not do with them
        is found out here. Raises an error of ours for what an operator has to mend.
        """
        self._warn_of_the_clear()
        notices = Notices()
        while True:
            try:
                self.store.check_upgraded()
                notices.back(Dependency.DATABASE, "start")
                self.broker.check(consumed, published)
            except OperatorError:
                raise
            except TransientError as error:
                notices.away(error.dependency, "start", error.detail)
                time.sleep(RETRY)
            else:
                notices.back(Dependency.BROKER, "start")
                return

    def close(self) -> None:
        """Close what was opened."""
        for name in ("store", "broker"):
            if name in self.__dict__:
                getattr(self, name).close()

    def _warn_of_the_clear(self) -> None:
        for name in ("amqp_url", "database_url"):
            if goes_in_the_clear(getattr(self.settings, name)):
                _log.warning(
                    "unencrypted_connection",
                    setting=f"{PREFIX}{name.upper()}",
                    fix=_FIXES[name],
                )


def _is_sqlite(path: Path) -> bool:
    """Say whether a file is SQLite's (sqlite.org/fileformat.html), or is about to be, being empty."""
    with suppress(OSError), path.open("rb") as file:
        return file.read(len(_SQLITE)) in (_SQLITE, b"")
    return False


def current_services(*needs: Need) -> Services:
    """Return the running command's services, closed when it ends; without `needs` it needs everything."""
    made = Services(*(needs or tuple(Need)))
    click.get_current_context().call_on_close(made.close)
    return made
