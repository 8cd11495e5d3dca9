"""Users whose dead letter was discarded still fail: the lists that `status` leads to tell of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from devtools.commands import json_output, update_sync
from tests.integration.cli.dead_letters.factories import (
    AMBIGUOUS,
    WRONG,
    DeadLetterSeeder,
    seeded_dead_letters,
)
from tests.integration.cli.json_docs import faults

if TYPE_CHECKING:
    from collections.abc import Iterator

USERS = [f"00000000-0000-4000-8000-00000000000{number}" for number in range(3)]


@pytest.fixture
def seeded(env: dict[str, str]) -> Iterator[DeadLetterSeeder]:
    """Have two users that fail for one reason, and one for another."""
    with seeded_dead_letters(env, "exempel") as seeder:
        run = seeder.run(USERS)
        seeder.kill(run, USERS[:2], WRONG, hours_ago=5)
        seeder.kill(run, USERS[2:], AMBIGUOUS)
        yield seeder


def users_of(env: dict[str, str], *options: str) -> dict[str, bool]:
    """Return the users that are listed, and whether each has a dead letter."""
    found = json_output("dead-letters", "list", "--users", *options, env=env)
    assert list(faults(found, "FailedUsers")) == []
    assert found["count"] == len(found["users"])
    return {each["user"]: each["dead_letter"] for each in found["users"]}


def counts(env: dict[str, str], *options: str) -> dict[str, Any]:
    found = json_output("dead-letters", "list", *options, env=env)
    assert list(faults(found, "DeadLetterCounts")) == []
    return dict(found)


@pytest.mark.usefixtures("seeded")
def test_the_list_that_the_status_leads_to_is_not_empty(env: dict[str, str]) -> None:
    """The database still counts them: they are listed, with the reason and that nothing can be replayed."""
    discarded = update_sync("dead-letters", "discard", "--reason", "invalid_user", "--yes", env=env)
    assert discarded.returncode == 0
    assert "Their users still count as failed, until a run that reads them brings" in discarded.stdout

    status = update_sync("status", env=env).stdout
    assert "2 users failed: invalid_user" in status
    command = "dead-letters list --users --tenant exempel --reason invalid_user"
    assert f"update-sync {command}" in status
    shown = update_sync(*command.split(), env=env).stdout
    assert all(user in shown for user in USERS[:2])
    assert "the dead letter was discarded or lost: there is nothing to replay" in shown
    assert "invalid_user (who must act: entra)" in shown
    assert users_of(env) == {USERS[0]: False, USERS[1]: False, USERS[2]: True}
    problems = json.loads(update_sync("status", "--json", env=env).stdout)["tenants"][0]["problems"]
    assert sum(each["users"] for each in problems) == len(users_of(env))


@pytest.mark.usefixtures("seeded")
def test_the_groups_count_what_has_no_dead_letter(env: dict[str, str]) -> None:
    """Beside the dead letters that there are, with the command that lists the users."""
    assert counts(env)["without_dead_letter"] == []
    update_sync("dead-letters", "discard", "--user", USERS[0], "--yes", env=env)

    found = counts(env)
    assert found["dead_letters"] == 2
    assert found["without_dead_letter"] == [{"tenant": "exempel", "reason": "invalid_user", "users": 1}]
    shown = update_sync("dead-letters", "list", env=env).stdout
    assert "exempel: 1 user fails for invalid_user without a dead letter" in shown
    assert "update-sync dead-letters list --users --tenant exempel --reason invalid_user" in shown
    assert counts(env, "--reason", "ambiguous_match")["without_dead_letter"] == []


@pytest.mark.usefixtures("seeded")
def test_options_choose_users_without_a_dead_letter_too(env: dict[str, str]) -> None:
    """By reason, user, run and age; a message's id is gone with the message."""
    update_sync("dead-letters", "discard", "--yes", env=env)
    assert set(users_of(env).values()) == {False}
    assert list(users_of(env, "--reason", "ambiguous_match")) == [USERS[2]]
    assert list(users_of(env, "--user", USERS[1])) == [USERS[1]]
    assert list(users_of(env, "--older-than", "2h")) == USERS[:2]
    assert list(users_of(env, "--newer-than", "2h")) == USERS[2:]
    assert users_of(env, "--run", "1", "--tenant", "exempel").keys() == set(USERS)
    for none in (("--id", "x"), ("--queue", "tenant-sync"), ("--reason", "bug")):
        assert users_of(env, *none) == {}


def test_a_replay_that_is_on_its_way_is_not_lost(env: dict[str, str], seeded: DeadLetterSeeder) -> None:
    """Its message has left the dead letters, and comes to an outcome by itself."""
    update_sync("dead-letters", "discard", "--reason", "invalid_user", "--yes", env=env)
    seeded.store.replays.reopen(1, [(1, USERS[0])])
    assert list(users_of(env, "--reason", "invalid_user")) == [USERS[1]]
