"""The services of a command: settings, database, broker and gateways.

Each service is made, and its libraries are imported, at its first use, so that a command starts quickly.
"""

from __future__ import annotations

import time
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

import structlog

from bootstrap.private_files import permission_fix
from runtime.logging import set_up_logging
from runtime.services import NO_BREAKER
from schemas.crypto.encryption import FieldCipher
from schemas.errors import Dependency, InvalidSettingsError, OperatorError, TransientError
from schemas.setting_validators import is_unencrypted
from schemas.settings import PREFIX, Requirement, Settings, load_settings
from store.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from clients.gateways import Gateways
    from queues.brokers.rabbitmq import QuorumBroker

#: Seconds until the next try while the database or RabbitMQ is away.
RETRY: Final = 2.0

_SQLITE: Final = b"SQLite format 3\0"

_FIXES: Final = {"amqp_url": "amqps://", "database_url": "sslmode=verify-full"}

_log = structlog.get_logger(__name__)


class Services:
    """The services of a command; nothing connects before its first use.

    The user of a command waits for its result. So the services send every request, and report an outage at
    once.
    """

    def __init__(self, *needs: Requirement) -> None:
        """Take the required settings; without `needs` all of them are required."""
        self._needs = needs or tuple(Requirement)

    @cached_property
    def settings(self) -> Settings:
        """The settings from the environment; raises `InvalidSettingsError` for missing or wrong ones."""
        settings = load_settings(self._needs)
        set_up_logging(settings.log_format)
        return settings

    @cached_property
    def cipher(self) -> FieldCipher:
        """The cipher for values in the database and in messages."""
        return FieldCipher(self.settings.secret_keys)

    @cached_property
    def store(self) -> Store:
        """The database."""
        self._warn_of_others_rights()
        try:
            return Store(self.settings.database_url, self.cipher)
        except ValueError:
            # The error's text quotes the address, which holds a password.
            raise InvalidSettingsError("UPDATE_SYNC_DATABASE_URL: Not a valid address.") from None

    @cached_property
    def broker(self) -> QuorumBroker:
        """RabbitMQ."""
        from queues.brokers.factory import open_broker  # noqa: PLC0415 - slow to import, not always needed

        return open_broker(self.settings.amqp_url, ca_bundle=self.settings.ca_bundle)

    @cached_property
    def gateways(self) -> Gateways:
        """Graph and Skolon."""
        from clients.gateways import create_gateways  # noqa: PLC0415 - slow to import, seldom needed

        capabilities = self.store.skolon_capabilities(self.settings.skolon_scim_url)
        return create_gateways(self.settings, NO_BREAKER, capabilities)

    def check_servers(self) -> None:
        """Check the database and RabbitMQ, and raise an error of ours for what is unavailable.

        It also raises when the database has not been upgraded. It warns once of connections without TLS.
        """
        self._warn_of_the_clear()
        self.store.check_upgraded()
        self.broker.check()

    def await_servers(self, *, consumed: Sequence[str] = (), published: Sequence[str] = ()) -> None:
        """Wait until the database and RabbitMQ are available; log each outage while it lasts (P8).

        `consumed` and `published` name the queues of the process: missing permissions for them are found
        here. Raises an error of ours for what an operator has to fix.
        """
        self._await(
            {
                Dependency.DATABASE: self.store.check_upgraded,
                Dependency.BROKER: lambda: self.broker.check(consumed, published),
            }
        )

    def await_database(self) -> None:
        """Wait until the database is available, as `await_servers` does."""
        self._await({Dependency.DATABASE: self.store.check_upgraded})

    def _await(self, checks: Mapping[Dependency, Callable[[], object]]) -> None:
        from runtime.outage_log import OutageLog  # noqa: PLC0415 - slow to import, for processes alone

        self._warn_of_the_clear()
        outage_log = OutageLog()
        while True:
            try:
                for dependency, check in checks.items():
                    check()
                    outage_log.report_up(dependency, "start")
            except OperatorError:
                raise
            except TransientError as error:
                outage_log.report_down(error.dependency, "start", error.detail)
                time.sleep(RETRY)
            else:
                return

    def close(self) -> None:
        """Close the services that were opened."""
        for name in ("store", "broker"):
            if name in self.__dict__:
                getattr(self, name).close()

    def _warn_of_others_rights(self) -> None:
        file = self.settings.database_url.removeprefix("sqlite:///")
        if file != self.settings.database_url:
            path = Path(file.partition("?")[0])
            fix = permission_fix(path)
            # A file that is not a database may belong to another program: its permissions stay.
            if fix is not None and _is_sqlite(path):
                _log.warning("database_readable_by_others", fix=fix)

    def _warn_of_the_clear(self) -> None:
        for name in ("amqp_url", "database_url"):
            if is_unencrypted(getattr(self.settings, name)):
                _log.warning("unencrypted_connection", setting=f"{PREFIX}{name.upper()}", fix=_FIXES[name])


def _is_sqlite(path: Path) -> bool:
    """Say whether a file is an SQLite database (sqlite.org/fileformat.html); an empty one is about to be."""
    with suppress(OSError), path.open("rb") as file:
        return file.read(len(_SQLITE)) in (_SQLITE, b"")
    return False
