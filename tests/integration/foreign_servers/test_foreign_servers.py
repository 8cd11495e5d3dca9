"""SCIM servers that others wrote, in Skolon's place: a message in, and updated users, or what is said."""

from __future__ import annotations

import dataclasses
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from cli.sandbox.in_process_sync import InProcessSync, in_process_sync
from devtools.foreign_servers.servers import TOKEN, ForeignServer, django_scim2, scimmy
from devtools.services.process import Unavailable
from sandbox.environment import TENANT_KEY, Environment
from sandbox.municipality.expectation import attributes_of, expected_users, other_values
from schemas.outcomes import Cause, Outcome, Status
from tests.conftest import leave_out
from tests.integration.workers.test_pipeline import counts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    import pytest

PEOPLE = 60


@contextmanager
def syncing(
    made_up: Environment,
    starting: AbstractContextManager[ForeignServer],
    folder: Path,
    config: pytest.Config,
) -> Iterator[tuple[ForeignServer, InProcessSync]]:
    """Have a server and the whole sync of its users; leave the test out where the server cannot be had."""
    folder = folder / "sync"
    folder.mkdir()
    try:
        server = starting.__enter__()
    except Unavailable as error:
        leave_out(config, "a foreign SCIM server", str(error))
    try:
        with in_process_sync(in_place_of_skolon(made_up, server), TENANT_KEY, folder) as sync:
            yield server, sync
    finally:
        starting.__exit__(None, None, None)


def in_place_of_skolon(made_up: Environment, server: ForeignServer) -> Environment:
    kept = {name: value for name, value in made_up.variables.items() if "_SKOLON_" not in name}
    variables = {
        **kept,
        "UPDATE_SYNC_SKOLON_SCIM_URL": server.base_url,
        "UPDATE_SYNC_SKOLON_TOKEN": TOKEN,
    }
    return dataclasses.replace(made_up, variables=variables)


def users_of(made_up: Environment) -> Iterator[dict[str, Any]]:
    return made_up.municipality.skolon_users()


def wrong_users(made_up: Environment, users: dict[str, dict[str, Any]]) -> list[str]:
    expected = expected_users(made_up.municipality, made_up.tenant)
    return [user_id for user_id, states in expected.items() if attributes_of(users[user_id]) not in states]


def test_scimmy_takes_all_that_is_written(
    made_up: Environment, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    """All users are as expected, entries of others stay, and the second run has nothing to do."""
    with syncing(made_up, scimmy(users_of(made_up)), tmp_path, pytestconfig) as (server, sync):
        before = {user_id: other_values(user) for user_id, user in server.users().items()}

        first, second = sync.run(), sync.run(recheck_all=True)

        users = server.users()
    assert (first.run.status, second.run.status) == (Status.COMPLETED, Status.COMPLETED)
    assert counts(first) == made_up.municipality.expected_outcomes("first")
    assert counts(second) == made_up.municipality.expected_outcomes("second")
    assert wrong_users(made_up, users) == []
    assert {user_id: other_values(user) for user_id, user in users.items()} == before


def test_scimmy_that_cannot_search_by_email_halts_the_run(
    made_up: Environment, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    """SCIMMY refuses each search by e-mail if any user is without the list: one halt, which says so."""
    with syncing(made_up, scimmy(users_of(made_up), searches_lists=False), tmp_path, pytestconfig) as (
        server,
        sync,
    ):
        before = server.users()

        halted = sync.run()

        users = server.users()
    assert (halted.run.status, halted.run.cause) == (Status.HALTED, Cause.SKOLON_SEARCH)
    assert "refuses every search by E-mail" in (halted.run.detail or "")
    assert halted.counts[Outcome.DEAD_LETTERED] == 0
    assert users == before


def test_scimmy_that_finds_by_eppn_after_a_point_alone_completes_the_run(
    made_up: Environment, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    """SCIMMY finds no user by a colon before an extension's attribute, and does not say so."""
    with syncing(made_up, scimmy(users_of(made_up), searches_extensions=False), tmp_path, pytestconfig) as (
        server,
        sync,
    ):
        done = sync.run()

        users = server.users()
    assert done.run.status is Status.COMPLETED
    assert counts(done) == made_up.municipality.expected_outcomes("first")
    assert wrong_users(made_up, users) == []


def test_django_scim2_that_takes_no_value_filters_halts_the_run(
    made_up: Environment, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    """It has neither `add` nor value filters nor telephones, and answers 501: one halt, no user is spoilt."""
    with syncing(made_up, django_scim2(users_of(made_up)), tmp_path, pytestconfig) as (server, sync):
        before = server.users()

        halted = sync.run()

        users = server.users()
    assert (halted.run.status, halted.run.cause) == (Status.HALTED, Cause.SKOLON_UPDATE)
    assert "501" in (halted.run.detail or "")
    not_found = made_up.municipality.expected_outcomes("first")["not_found"]
    assert halted.counts[Outcome.NOT_FOUND] <= not_found
    assert {user_id for user_id, user in users.items() if user != before[user_id]} == set()
