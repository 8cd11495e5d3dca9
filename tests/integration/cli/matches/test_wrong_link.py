"""A wrong link, its undo that fails, and the ways out, as an administrator goes them with the commands."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from devtools.commands import command_environment, json_output, running, update_sync
from sandbox.environment import TENANT_KEY, Environment, serve_environment
from sandbox.municipality.made_up_user import SKOLON_SCHEMA
from tests.integration.cli.command_line import add_tenant, database_environment, open_store
from tests.integration.workers.identity.accounts import DOMAIN
from tests.integration.workers.identity.test_failed_undo import DOUBLE, OLD, YOUNG
from tests.integration.workers.test_pipeline import directory

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

USER = YOUNG["id"]


@pytest.fixture
def made_up(tmp_path: Path) -> Iterator[Environment]:
    folder = tmp_path / "world"
    folder.mkdir()
    with serve_environment(folder, users=1) as served:
        served.skolon.fill(next(iter(served.skolon.organisations)), [OLD, DOUBLE])
        directory(served).add(YOUNG)
        yield served


@pytest.fixture
def env(made_up: Environment, tmp_path: Path, amqp_url: str, database_url: str) -> Iterator[dict[str, str]]:
    """Give a producer and a worker that run."""
    variables = command_environment(
        **made_up.variables,
        UPDATE_SYNC_AMQP_URL=amqp_url,
        UPDATE_SYNC_DATABASE_URL=database_url,
        UPDATE_SYNC_SECRET_KEYS=database_environment(tmp_path)["UPDATE_SYNC_SECRET_KEYS"],
    )
    with closing(open_store(variables)) as store:
        store.upgrade()
    add_tenant(variables, TENANT_KEY, made_up.tenant)
    with (
        running("producer", env=variables, log=tmp_path / "producer.log"),
        running("worker", env=variables, log=tmp_path / "worker.log"),
    ):
        yield variables


def said(*command: str, env: dict[str, str], code: int = 0) -> str:
    """Run a command and return all that it prints."""
    done = update_sync(*command, env=env)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stderr + done.stdout


def check_words_of_the_undo(env: dict[str, str]) -> None:
    """Each command tells of the failed undo as such: the administrator acts, with the undo's own commands."""
    again = f"update-sync runs undo 2 --user {USER}"
    for command in (
        ("dead-letters", "show"),
        ("users", "show", TENANT_KEY, USER),
        ("users", "show", TENANT_KEY, USER, "--recorded"),
    ):
        shown = said(*command, env=env)
        assert again in shown, command
        assert f"update-sync matches show {TENANT_KEY} {USER}" in shown
        assert "run 2 could not be undone completely (EPPN: Skolon user s2" in shown
        assert "in Entra, or" not in shown
    listed = said("dead-letters", "list", "--users", env=env)
    assert "undo_failed (who must act: administrator)" in listed
    (failed,) = json_output("dead-letters", "list", "--users", env=env)["users"]
    assert (failed["reason"], failed["owner"], failed["run"]) == ("undo_failed", "administrator", "4")


def test_a_wrong_link_and_its_undo(made_up: Environment, env: dict[str, str]) -> None:
    """The loss is told before the link; the failed undo stays visible, writes nothing more, and ends."""
    said("trigger", TENANT_KEY, "--wait", env=env)
    asked = said("matches", "link", TENANT_KEY, USER, "s1", env=env, code=2)
    assert "overwrites the EPPN of Skolon user s1, and an undo could not restore it" in asked
    assert "Skolon user s2 has the same EPPN" in asked
    assert json_output("matches", "list", TENANT_KEY, env=env)["decisions"] == []
    linked = said("matches", "link", TENANT_KEY, USER, "s1", "--yes", "--wait", env=env)
    assert f"Entra user {USER}: updated, Skolon user s1 by run 2" in linked
    said("matches", "forget", TENANT_KEY, "--user", USER, "--yes", "--wait", env=env)

    undone = said("runs", "undo", "2", "--user", USER, "--yes", "--wait", env=env, code=1)
    assert "update-sync runs undo 2    once that is settled" in undone
    check_words_of_the_undo(env)
    said("trigger", TENANT_KEY, "--mode", "delta", "--wait", env=env, code=1)
    held = made_up.skolon_user("s1")
    assert held is not None
    assert held["userName"] == OLD["userName"]
    for command in (("matches", "list", TENANT_KEY), ("matches", "show", TENANT_KEY, USER)):
        assert f"update-sync runs undo 2 --user {USER}" in said(*command, env=env)
    assert "in the way (en)  run 2 could not be undone completely (EPPN: Skolon user s2" in said(
        "matches", "show", TENANT_KEY, USER, env=env
    )
    assert "undo_failed" in said("users", "show", TENANT_KEY, USER, env=env)
    assert "undo_failed" in said("status", env=env, code=1)
    assert "undo_failed" in said("dead-letters", "list", env=env)

    others = [{**held}, {**DOUBLE, SKOLON_SCHEMA: {"eppn": f"bea@{DOMAIN}"}}]
    made_up.skolon.fill(next(iter(made_up.skolon.organisations)), others)
    said("runs", "undo", "2", "--user", USER, "--yes", "--wait", env=env)
    said("trigger", TENANT_KEY, "--mode", "delta", "--wait", env=env)
    restored = made_up.skolon_user("s1")
    assert restored is not None
    assert {name: value for name, value in restored.items() if name != "meta"} == OLD
    assert json_output("matches", "list", TENANT_KEY, env=env)["failed_undos"] == []
