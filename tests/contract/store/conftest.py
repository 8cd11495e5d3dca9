"""One fixture gives the store on each database, so that the same tests hold both."""

from __future__ import annotations

import shutil
from contextlib import closing
from typing import TYPE_CHECKING, cast

import pytest

from schemas.crypto.encryption import FieldCipher, new_key
from store.store import Store
from tests.contract.store.factories import CLIENT_SECRET, tenant

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from devtools.services.postgresql import PostgreSQL


def upgraded(url: str) -> None:
    with closing(Store(url, FieldCipher([new_key()]))) as store:
        store.upgrade()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "store.db"
    upgraded(f"sqlite:///{path}")
    return path


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Give a database without tables."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
    else:
        server = cast("PostgreSQL", request.getfixturevalue("postgresql"))
        url = server.create_database()
        yield url
        server.drop_database(url)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def database_with_tables(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Give a database with its tables, and nothing in them."""
    if request.param == "sqlite":
        template = cast("Path", request.getfixturevalue("sqlite_template"))
        yield f"sqlite:///{shutil.copy(template, tmp_path / 'store.db')}"
    else:
        server = cast("PostgreSQL", request.getfixturevalue("postgresql"))
        url = server.create_database(upgraded)
        yield url
        server.drop_database(url)


@pytest.fixture
def cipher() -> FieldCipher:
    return FieldCipher([new_key()])


@pytest.fixture
def store(database_with_tables: str, cipher: FieldCipher) -> Iterator[Store]:
    """Give the store with one tenant in it."""
    with closing(Store(database_with_tables, cipher)) as store:
        store.tenants.add(tenant(), CLIENT_SECRET)
        yield store


@pytest.fixture
def second_store(database_with_tables: str, cipher: FieldCipher) -> Iterator[Store]:
    """Give the same books as another process sees them, as far as the database can tell."""
    with closing(Store(database_with_tables, cipher)) as store:
        yield store
