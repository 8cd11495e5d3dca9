"""A user with several dead letters of one run counts once: in lists, before a replay, and when discarded."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from devtools.commands import json_output, update_sync
from tests.integration.cli.dead_letters.factories import AMBIGUOUS, DeadLetterSeeder, seeded_dead_letters

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def dead_letters(env: dict[str, str]) -> Iterator[DeadLetterSeeder]:
    """Have two users that fail, with their messages three times and twice among the dead letters."""
    with seeded_dead_letters(env, "exempel") as seeder:
        run = seeder.run(["u1", "u2"])
        seeder.kill(run, ["u1", "u2"])
        seeder.kill(run, ["u1", "u2", "u1"], told=False)
        yield seeder


@pytest.mark.usefixtures("dead_letters")
def test_each_user_counts_once(env: dict[str, str]) -> None:
    """As a message that RabbitMQ confirmed too late is published twice, and may fail twice."""
    assert json_output("dead-letters", "list", env=env)["dead_letters"] == 2
    assert json_output("dead-letters", "list", "--users", env=env)["count"] == 2
    listed = json_output("dead-letters", "list", "--ungrouped", env=env)
    assert [each["user"] for each in listed] == ["u1", "u2"]
    assert "exempel\tinvalid_user\t2\t" in update_sync("dead-letters", "list", env=env).stdout


@pytest.mark.usefixtures("dead_letters")
def test_a_replay_says_how_many_users_it_tries(env: dict[str, str]) -> None:
    done = update_sync("dead-letters", "replay", "--yes", "--step-timeout", "1", "--json", env=env)
    assert "2  exempel invalid_user" in done.stderr
    counts = json.loads(done.stdout)["counts"]
    assert (counts["published"], counts["left"]) == (1, 1)


@pytest.mark.usefixtures("dead_letters")
def test_a_replay_needs_a_word(env: dict[str, str]) -> None:
    """Without a terminal it says what it would replay, and refuses unless --yes is given."""
    done = update_sync("dead-letters", "replay", env=env)
    assert (done.returncode, "pass --yes" in done.stderr) == (2, True)


def test_all_copies_of_a_user_are_discarded(env: dict[str, str], dead_letters: DeadLetterSeeder) -> None:
    """Two users are discarded, not five; with a limit, all that lies there of the first user."""
    done = update_sync("dead-letters", "discard", "--yes", "--limit", "1", env=env)
    assert "1  exempel invalid_user" in done.stderr
    assert "Discarded 1 dead letter" in done.stdout
    assert dead_letters.users() == ["u2", "u2"]
    dead_letters.kill(dead_letters.run(["u3"], event="second"), ["u3", "u3"], AMBIGUOUS)
    done = update_sync("dead-letters", "discard", "--yes", env=env)
    assert "Discarded 2 dead letters" in done.stdout
    assert "gone already" not in done.stdout
    assert dead_letters.users() == []
