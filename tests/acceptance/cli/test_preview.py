"""`tenants preview` over real RabbitMQ, PostgreSQL and processes: what it says is what the run then does."""

from __future__ import annotations

import json
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from devtools.commands import command_environment, json_output, running, update_sync, wait_for
from sandbox.environment import TENANT_KEY, Environment
from schemas.crypto.encryption import new_key

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PEOPLE = 150
KINDS = ("filled", "changed", "erased")
MISTAKE = "idp_identifier=onPremisesImmutableId"


@pytest.fixture
def env(made_up: Environment, amqp_url: str, database_url: str, tmp_path: Path) -> dict[str, str]:
    variables = command_environment(
        **made_up.variables,
        UPDATE_SYNC_AMQP_URL=amqp_url,
        UPDATE_SYNC_DATABASE_URL=database_url,
        UPDATE_SYNC_SECRET_KEYS=new_key(),
    )
    settings = {**made_up.tenant, "guard": {"identity_changed": {"count": 10, "share": 0.1}}}
    (tmp_path / "tenant.json").write_text(json.dumps(settings), encoding="utf-8")
    added = ["tenants", "add", TENANT_KEY, "--from", str(tmp_path / "tenant.json")]
    for command in (["database", "upgrade"], added):
        done = update_sync(*command, env=variables)
        assert done.returncode == 0, done.stderr
    return variables


@contextmanager
def pool(env: dict[str, str], folder: Path) -> Iterator[None]:
    """Have a producer and a worker running until the block ends."""
    with (
        running("producer", env=env, log=folder / "producer.log"),
        running("worker", env=env, log=folder / "worker.log"),
    ):
        yield


def kinds_of(summary: dict[str, Any], attribute: str) -> dict[str, int]:
    """Return how often an attribute was changed in each way."""
    return {**dict.fromkeys(KINDS, 0), **summary["attributes"].get(attribute, {})}


def counts(run: dict[str, Any]) -> dict[str, int]:
    outcomes = dict(run["outcomes"])
    outcomes["updated"] += outcomes.pop("would_update")
    return outcomes


def test_a_mistake_is_seen_before_it_is_saved(
    made_up: Environment, env: dict[str, str], tmp_path: Path
) -> None:
    """P1: the preview counts what the run would do, Skolon is only read, and the run then does just that."""
    with (
        running("producer", env=env, log=tmp_path / "p.log"),
        running("worker", env=env, log=tmp_path / "w.log"),
    ):
        done = update_sync("tenants", "preview", TENANT_KEY, "--set", MISTAKE, "--json", env=env)
        assert done.returncode == 1, done.stderr
        mistake = json.loads(done.stdout)
        blank = update_sync("tenants", "preview", TENANT_KEY, "--set", "eppn=extensionAttribute4", env=env)
        usual = json.loads(update_sync("tenants", "preview", TENANT_KEY, "--json", env=env).stdout)
        assert "PATCH user" not in made_up.skolon.requests()
        real = update_sync("trigger", TENANT_KEY, "--wait", "--json", env=env)

    assert blank.returncode == 1
    assert "EPPN: no value for" in blank.stdout
    assert "it would no longer be synced" in blank.stdout
    assert "(guard.identity_changed)" in mistake["guard"]["would_halt"][0]
    assert mistake["attributes"]["idp_identifier"]["changed"] > usual["guard"]["counts"]["identity_changed"]
    assert mistake["settings"]["sources.idp_identifier"]["preview"] == ["onPremisesImmutableId"]
    assert (usual["settings"], usual["guard"]["would_halt"]) == ({}, [])
    ran = json.loads(real.stdout)
    assert (ran["status"], counts(ran), ran["reasons"]) == ("completed", counts(usual), usual["reasons"])
    # Of two people with one EPPN each would change the Skolon user in a way of its own: for each such pair an
    # attribute may be counted once more or less.
    pairs = usual["reasons"]["collision"]
    assert pairs == made_up.municipality.expected_reasons()["collision"]
    for name in {*usual["attributes"], *ran["attributes"]}:
        foreseen, made = (kinds_of(summary, name) for summary in (usual, ran))
        assert all(abs(made[kind] - foreseen[kind]) <= pairs for kind in KINDS), name
    assert json_output("dead-letters", "list", env=env)["dead_letters"] == sum(ran["reasons"].values())
    assert made_up.wrong_users() == []


def test_ctrl_c_gives_a_preview_up(env: dict[str, str], tmp_path: Path) -> None:
    """P4: a preview whose command has ended is cancelled, even before a producer has taken it."""
    log = tmp_path / "preview.log"
    with running("tenants", "preview", TENANT_KEY, env=env, log=log) as command:
        wait_for(lambda: "no producer runs" in log.read_text(encoding="utf-8"), "the wait")
        command.send_signal(signal.SIGINT)
        assert command.wait(60) == 130
    assert "is cancelled" in log.read_text(encoding="utf-8")
    assert json_output("runs", "list", env=env) == []
    [run] = json_output("runs", "list", "--kind", "preview", env=env)
    assert (run["status"], run["published"]) == ("cancelled", 0)
    with (
        running("producer", env=env, log=tmp_path / "p.log"),
        running("worker", env=env, log=tmp_path / "w.log"),
    ):
        real = update_sync("trigger", TENANT_KEY, "--wait", "--json", env=env)
    assert json.loads(real.stdout)["status"] == "completed"
    assert len(json_output("runs", "list", "--kind", "all", env=env)) == 2
