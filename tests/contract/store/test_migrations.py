"""Migrations: from nothing to what the code means, and again without harm."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, inspect

from schemas.errors import OperatorError
from store.store import Store
from store.tables import metadata
from tests.contract.store.factories import CLIENT_SECRET, TENANT, run_concurrently, tenant

if TYPE_CHECKING:
    from sqlalchemy import Inspector

    from schemas.crypto.encryption import FieldCipher


def test_an_upgraded_database_has_the_tables_that_the_code_means(database_with_tables: str) -> None:
    """The migrations lead to exactly the tables of `store/tables/`."""
    engine = create_engine(database_with_tables)
    with engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), metadata)
        inspector = inspect(connection)
        uniques = {table.name: _partial_indexes(inspector, table.name) for table in metadata.sorted_tables}
    engine.dispose()
    assert differences == []
    # What Alembic does not compare: that these indexes speak of some rows only.
    assert uniques["runs"] == {"uq_runs_open"}
    assert uniques["receipts"] == {
        "uq_receipts_claim",
        "ix_receipts_pending",
        "ix_receipts_operation_id",
        "ix_receipts_failed",
        "ix_receipts_replaying",
        "ix_receipts_discard_id",
    }


def _partial_indexes(inspector: Inspector, table: str) -> set[str | None]:
    return {
        index["name"]
        for index in inspector.get_indexes(table)
        if any(option.endswith("_where") for option in index.get("dialect_options", {}))
    }


def test_an_upgrade_may_be_repeated(store: Store) -> None:
    """An upgrade of what is upgraded does nothing, and loses nothing."""
    store.check_upgraded()
    store.upgrade()
    store.check_upgraded()
    assert store.tenants.get(TENANT).tenant == tenant()


def test_a_database_that_was_not_upgraded_is_recognised(empty_database: str, cipher: FieldCipher) -> None:
    """A database without tables is said to be that before any work begins."""
    with closing(Store(empty_database, cipher)) as store:
        with pytest.raises(OperatorError, match="update-sync database upgrade"):
            store.check_upgraded()
        store.upgrade()
        store.check_upgraded()


def test_upgrades_at_once_take_turns(empty_database: str, cipher: FieldCipher) -> None:
    """Two processes that upgrade in the same moment leave one upgraded database."""
    with closing(Store(empty_database, cipher)) as one, closing(Store(empty_database, cipher)) as other:
        assert run_concurrently(one.upgrade, other.upgrade) == [None, None]
        one.check_upgraded()
        one.tenants.add(tenant(), CLIENT_SECRET)
        assert other.tenants.list() == [tenant()]
