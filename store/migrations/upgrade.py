"""`database upgrade`: the tables brought to what this version of the sync needs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from schemas.errors import Dependency, OperatorError
from store.database_errors import NOT_UPGRADED

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from store.database import Database

#: Any number that no other user of the database locks with; two upgrades at once take turns.
_LOCK: Final = 710_042_011


def upgrade(database: Database) -> None:
    """Carry out the steps that the database has not seen; does nothing when there are none."""
    config = _config()
    with database.transaction() as connection:
        if not database.is_sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        _check_known(config, connection)
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def check_upgraded(database: Database) -> None:
    """Raise `OperatorError` when the database is not at this version's tables."""
    config = _config()
    with database.transaction() as connection:
        current = _check_known(config, connection)
    if current != ScriptDirectory.from_config(config).get_current_head():
        raise OperatorError(Dependency.DATABASE, NOT_UPGRADED)


def _check_known(config: Config, connection: Connection) -> str | None:
    """Return the step that the database is at; raise `OperatorError` when a newer version has made it."""
    current = MigrationContext.configure(connection).get_current_revision()
    steps = {step.revision for step in ScriptDirectory.from_config(config).walk_revisions()}
    if current is not None and current not in steps:
        detail = f"The database is newer than this version (it is at {current}): install the newer version."
        raise OperatorError(Dependency.DATABASE, detail)
    return current


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    return config
