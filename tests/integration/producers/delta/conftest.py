"""A made-up municipality, and a sync that has read everybody in it once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cli.sandbox.in_process_sync import DATABASE_FILE, InProcessSync, in_process_sync
from sandbox.environment import TENANT_KEY, Environment, serve_environment
from schemas.outcomes import Status
from tests.integration.cli.command_line import write_upgraded_database

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def people() -> int:
    """Say how many live there: from 50 up, every hard case is among them."""
    return 50


@pytest.fixture
def made_up(tmp_path: Path, people: int) -> Iterator[Environment]:
    with serve_environment(tmp_path, users=people) as served:
        # Each birthday is a request, and these tests count requests.
        served.tenant["birthdays"] = False
        yield served


@pytest.fixture
def read_again() -> int:
    """Say how many unresolved users a delta reads again at most: most tests count the changed ones alone."""
    return 0


@pytest.fixture(autouse=True)
def _bounded(read_again: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("producers.page_sources.MAX_READ_AGAIN", read_again)


@pytest.fixture
def sync(made_up: Environment, tmp_path: Path) -> Iterator[InProcessSync]:
    """Return a sync after its first full run."""
    write_upgraded_database(tmp_path / DATABASE_FILE)
    with in_process_sync(made_up, TENANT_KEY, tmp_path) as together:
        first = together.run()
        assert first.run.status is Status.COMPLETED
        assert first.published == made_up.municipality.size
        made_up.microsoft.requests.reset()
        yield together


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have Graph put three users on each page of a delta."""
    monkeypatch.setattr("sandbox.microsoft.graph.delta.LARGEST_PAGE", 3)
