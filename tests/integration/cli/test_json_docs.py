"""docs/json.md describes what commands print: each field with its type, and none besides."""

from __future__ import annotations

import datetime as dt
import json
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from devtools.commands import update_sync
from schemas.messages.messages import SyncRequest
from schemas.outcomes import Cause, Outcome
from schemas.runs.sync_result import SyncResult
from store import tables
from tests.integration.cli.command_line import add_tenant, database_environment, open_store, tenant_object
from tests.integration.cli.dead_letters.factories import DeadLetterSeeder, seeded_dead_letters
from tests.integration.cli.json_docs import examples, faults, objects

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def env(tmp_path: Path, amqp_url: str) -> dict[str, str]:
    variables = database_environment(tmp_path, UPDATE_SYNC_AMQP_URL=amqp_url)
    add_tenant(variables, "exempel", tenant_object(client_secret_expires="2020-01-01"))  # noqa: S106 - a date
    return variables


@pytest.fixture
def seeded(env: dict[str, str]) -> Iterator[DeadLetterSeeder]:
    """Have a run with two dead letters and an updated user, a halted one, and an open one."""
    with seeded_dead_letters(env, "exempel") as seeder:
        run = seeder.run(["u1", "u2", "u3"])
        seeder.store.receipts.finish(run, "u3", SyncResult(outcome=Outcome.UPDATED, skolon_id="s3"))
        seeder.kill(run, ["u1", "u2"])
        halted = seeder.store.triggers.open(SyncRequest(tenant="exempel"), "halts").run.id
        seeder.store.runs.halt(halted, Cause.ENTRA_CREDENTIALS, "invalid_client")
        yield seeder


@pytest.mark.usefixtures("seeded")
@pytest.mark.parametrize(
    ("command", "kind"),
    [
        ("runs list", "list of Run"),
        ("runs show 1", "RunDetails"),
        ("runs cancel 2", "Run"),
        ("status", "StatusReport"),
        ("keys status", "KeyReport"),
        ("hub invite Ada --role reader --tenant exempel", "HubInvitation"),
        ("hub members", "list of HubMember"),
        ("database prune --keep-days 1 --dry-run", "Pruning"),
        ("dead-letters set-aside --tenant exempel --reason bug --end", "SetAsideGroup"),
        ("notifications show exempel", "Notifications"),
        ("tenants freshness exempel", "Freshness"),
        ("tenants freshness --all", "list of Freshness"),
        ("trigger exempel --dry-run", "Published"),
        ("tenants set exempel --add-exclude city=Umeå", "SettingsChange"),
        ("dead-letters list", "DeadLetterCounts"),
        ("dead-letters list --users", "FailedUsers"),
        ("dead-letters list --ungrouped", "list of DeadLetter"),
        ("dead-letters show", "list of DeadLetterDetails"),
        ("dead-letters discard --yes", "Operation"),
    ],
)
def test_commands_print_what_the_page_says(env: dict[str, str], command: str, kind: str) -> None:
    """Types and names of all fields, those inside of others included; ids are strings."""
    assert list(faults(output(env, command), kind)) == []


@pytest.mark.usefixtures("seeded")
def test_a_replays_dry_run_is_as_the_page_says(env: dict[str, str]) -> None:
    """Skolon does not answer, so nothing is known of the users."""
    skolon = {
        "UPDATE_SYNC_SKOLON_SCIM_URL": "https://127.0.0.1:9/{organisation}/scim/v2",
        "UPDATE_SYNC_SKOLON_TOKEN": "made-up",
    }
    found = output({**env, **skolon}, "dead-letters replay --dry-run --original-payload")
    assert list(faults(found, "ReplayForecast")) == []
    assert found["users"] == 2


def test_the_sandbox_prints_what_the_page_says(env: dict[str, str]) -> None:
    """Its first run is the object that `runs show` prints."""
    assert list(faults(output(env, "sandbox --users 60"), "SandboxRuns")) == []


def test_a_scheduled_trigger_is_as_the_page_says(env: dict[str, str]) -> None:
    """What is due when the scheduler looks once."""
    assert output(env, "scheduler --once") == []
    assert update_sync("tenants", "set", "exempel", "--schedule", "* * * * *", env=env).returncode == 0
    with closing(open_store(env)) as store, store.database.transaction() as connection:
        an_hour_ago = dt.datetime.now(dt.UTC) - dt.timedelta(hours=1)
        connection.execute(tables.tenants.update().values(schedule_active_since=an_hour_ago))
    triggered = output(env, "scheduler --once")
    assert len(triggered) == 1
    assert list(faults(triggered, "list of ScheduledTrigger")) == []


@pytest.mark.usefixtures("seeded")
def test_users_and_results_are_as_the_page_says(env: dict[str, str]) -> None:
    """What stands inside of another object."""
    for user in ("u1", "u3"):
        shown = output(env, f"users show exempel {user} --recorded")
        assert list(faults(shown["users"], "list of User")) == []
    assert list(faults(output(env, "runs show 1 --users")["users"], "list of Result")) == []


@pytest.mark.parametrize(("kind", "example"), examples())
def test_examples_are_what_they_are_examples_of(kind: str, example: Any) -> None:
    """Each example fits its own table."""
    assert list(faults(example, kind)) == []


def test_no_described_object_is_without_use() -> None:
    """Each object is printed by a command, or stands in another one."""
    used = {
        kind.removesuffix(" or null").removeprefix("list of ")
        for row in objects().values()
        for kind in row.values()
    }
    printed = {
        "Run",
        "RunDetails",
        "Result",
        "Published",
        "TenantCheck",
        "StatusReport",
        "Freshness",
        "User",
        "SettingsChange",
    }
    printed |= {"DeadLetterCounts", "FailedUsers", "MatchList", "MatchComparison", "DeadLetter", "Operation"}
    printed |= {"Preview", "UserPreview", "Report", "KeyReport", "Pruning", "SandboxRuns", "SandboxServed"}
    printed |= {"DeadLetterDetails", "ReplayForecast", "ScheduledTrigger", "HubInvitation", "HubMember"}
    printed |= {"DecidedMatch", "SetAsideGroup", "Notifications"}
    # It is sent, and not printed.
    printed |= {"Webhook"}
    assert objects().keys() - used - printed == set()


def output(env: dict[str, str], command: str) -> Any:
    done = update_sync(*command.split(), "--json", env=env)
    assert done.stdout, done.stderr
    return json.loads(done.stdout)
