"""`--older-than` and `--newer-than` go by what the lists show: since when the user fails, in all runs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from devtools.commands import json_output, update_sync
from schemas.messages.messages import TENANT_SYNC_QUEUE
from tests.integration.cli.dead_letters.factories import DeadLetterSeeder, seeded_dead_letters

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def dead_letters(env: dict[str, str]) -> Iterator[DeadLetterSeeder]:
    """Have u1 fail for a week and u2 since an hour ago, and both again in the newest run."""
    with seeded_dead_letters(env, "exempel") as dead_letters:
        for event, users, hours in (("a", ["u1"], 170), ("b", ["u1"], 40), ("c", ["u1", "u2"], 1)):
            run = dead_letters.run(users, event=event)
            dead_letters.kill(run, users, hours_ago=hours)
        newest = dead_letters.run(["u1", "u2"], event="newest")
        dead_letters.kill(newest, ["u1", "u2"])
        yield dead_letters


@pytest.mark.usefixtures("dead_letters")
@pytest.mark.parametrize(
    ("options", "users"),
    [
        (("--older-than", "1w"), ["u1"]),
        (("--older-than", "30m"), ["u1", "u2"]),
        (("--newer-than", "2d"), ["u2"]),
        (("--older-than", "2d", "--newer-than", "2w"), ["u1"]),
        (("--older-than", "8d"), []),
    ],
)
def test_the_age_is_the_one_that_is_shown(
    env: dict[str, str], options: tuple[str, ...], users: list[str]
) -> None:
    """Half-hourly runs replace each dead letter: its message is young, and the user's failure is not."""
    listed = json_output("dead-letters", "list", "--users", *options, env=env)
    assert [each["user"] for each in listed["users"]] == users
    assert json_output("dead-letters", "list", *options, env=env)["dead_letters"] == len(users)
    for command in (("show",), ("list", "--ungrouped")):
        found = json_output("dead-letters", *command, *options, env=env)
        assert [each["user"] for each in found] == users


@pytest.mark.parametrize("older_than", ["2d", "8d"])
def test_a_replay_and_a_discard_choose_what_the_list_shows(
    env: dict[str, str], dead_letters: DeadLetterSeeder, older_than: str
) -> None:
    """What is counted before the question, tried again and thrown away are the users of the list."""
    chosen = json_output("dead-letters", "list", "--older-than", older_than, env=env)["dead_letters"]
    assert chosen == (1 if older_than == "2d" else 0)
    options = ("--older-than", older_than, "--yes")
    replayed = update_sync("dead-letters", "replay", *options, "--step-timeout", "0.1", "--json", env=env)
    assert json.loads(replayed.stdout)["counts"] == ({"published": 1, "on_their_way": 1} if chosen else {}), (
        replayed.stderr
    )
    left = ["u2"] if chosen else ["u1", "u2"]
    assert dead_letters.users()[-len(left) :] == left
    done = update_sync("dead-letters", "discard", "--older-than", "30m", "--yes", "--json", env=env)
    assert sum(json.loads(done.stdout)["counts"].values()) == len(left)
    # What goes is shown also where nothing is asked.
    assert f"{len(left)}  exempel " in done.stderr


def test_a_message_of_no_user_keeps_its_own_time(env: dict[str, str], dead_letters: DeadLetterSeeder) -> None:
    """Bytes that are no message tell no time, and an age does not choose them."""
    dead_letters.put(TENANT_SYNC_QUEUE, b"{}")
    assert json_output("dead-letters", "list", env=env)["dead_letters"] == 3
    for option in ("--older-than", "--newer-than"):
        found = json_output("dead-letters", "list", "--queue", "tenant-sync", option, "1h", env=env)
        assert found["dead_letters"] == 0


@pytest.mark.usefixtures("dead_letters")
@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("list", "--users"), "No user that failed fits these options.\n"),
        (("list",), "No dead letter fits these options.\n"),
        (("list", "--ungrouped"), "No dead letter fits these options.\n"),
        (("show",), "No dead letter fits these options.\n"),
        (("discard", "--yes"), "No dead letter fits these options.\n"),
        (("replay", "--yes"), "No dead letter fits these options.\n"),
    ],
)
def test_a_filter_that_finds_nothing_does_not_say_that_nothing_failed(
    env: dict[str, str], command: tuple[str, ...], said: str
) -> None:
    """Users have failed; none of them fits."""
    done = update_sync("dead-letters", *command, "--older-than", "3w", env=env)
    assert (done.returncode, done.stdout) == (0, said)
