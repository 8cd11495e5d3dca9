"""`database upgrade`: the tables brought to what this version of the sync needs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from schemas.errors import WrongUseError

if TYPE_CHECKING:
    from store.database import Database

#: Any number that no other user of the database locks with; two upgrades at once take turns.
_LOCK: Final = 710_042_011


def upgrade(database: Database) -> None:
    """Carry out the steps that the database has not seen; does nothing when there are none."""
    config = _config()
    with database.transaction() as connection:
        if not database.is_sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def check_upgraded(database: Database) -> None:
    """Raise `WrongUseError` when the database is not at this version's tables."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    with database.transaction() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
    if current != head:
        raise WrongUseError("The database is not upgraded: run 'update-sync database upgrade' first.")


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    return config
