"""What commands work with, put together from the environment when a command first asks for it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import click

from clients.directories import Directories, directories
from queues.composition import open_broker
from schemas.errors import InvalidSettingsError
from schemas.logs import set_up_logging
from schemas.sealing import Sealer
from schemas.settings import Need, Settings, read_settings
from store.store import Store

if TYPE_CHECKING:
    from queues.rabbitmq import QuorumBroker


class Console:
    """The parts of the sync that a command may need; nothing connects before it is used."""

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
        try:
            return Store(self.settings.database_url, sealer)
        except ValueError:
            # Its text quotes the address, and that holds a password.
            raise InvalidSettingsError("UPDATE_SYNC_DATABASE_URL: Not a valid address.") from None

    @cached_property
    def broker(self) -> QuorumBroker:
        """RabbitMQ."""
        return open_broker(self.settings.amqp_url)

    @cached_property
    def directories(self) -> Directories:
        """Entra's and Skolon's people."""
        return directories(self.settings)

    def check_servers(self) -> None:
        """Raise an error of ours when the database is not upgraded, or it or RabbitMQ is away."""
        self.store.check_upgraded()
        self.broker.check()

    def close(self) -> None:
        """Close what was opened."""
        for name in ("store", "broker"):
            if name in self.__dict__:
                getattr(self, name).close()


def open_console(*needs: Need) -> Console:
    """Return the running command's parts, closed when it ends; without `needs` it needs everything."""
    made = Console(*(needs or tuple(Need)))
    click.get_current_context().call_on_close(made.close)
    return made
