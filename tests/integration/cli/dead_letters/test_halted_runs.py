"""A run that waits for an answer takes nothing away: failures of the run before stay, with their dates."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from devtools.commands import json_output, update_sync
from schemas.dead_letter_reasons import Reason
from schemas.outcomes import Cause, Outcome, Stage
from schemas.runs.sync_result import Failure, SyncResult
from tests.integration.cli.dead_letters.factories import WRONG, DeadLetterSeeder, seeded_dead_letters
from tests.integration.cli.json_docs import faults

if TYPE_CHECKING:
    from collections.abc import Iterator

SUSPICIOUS = Failure(reason=Reason.SUSPICIOUS_MATCH, stage=Stage.MATCH, detail="birth date differs")
USERS = [f"00000000-0000-4000-8000-00000000000{number}" for number in range(5)]
PENDING = "00000000-0000-4000-8000-000000000009"
#: As a scope does that leaves out everything.
LEFT_OUT = SyncResult(outcome=Outcome.OUT_OF_SCOPE, detail="scope.exclude[0]: city matches the rule")


@pytest.fixture
def seeded(env: dict[str, str]) -> Iterator[DeadLetterSeeder]:
    """Have a complete run with two failures, and a newer one that leaves out all and is halted."""
    with seeded_dead_letters(env, "exempel") as seeder:
        before = seeder.run(USERS, event="before")
        for user in USERS[2:]:
            seeder.store.receipts.finish(
                before, user, SyncResult(outcome=Outcome.UNCHANGED, skolon_id=user[-1])
            )
        seeder.kill(before, USERS[:1], WRONG, hours_ago=50)
        seeder.kill(before, USERS[1:2], SUSPICIOUS, hours_ago=2)
        halted = seeder.run([*USERS, PENDING], event="halts")
        for user in USERS[:4]:
            seeder.store.receipts.finish(halted, user, LEFT_OUT)
        seeder.kill(halted, USERS[4:], WRONG)
        seeder.store.runs.halt(halted, Cause.GUARD_EXCEEDED, "guard.left_scope: 3 of 3 synced users")
        yield seeder


def listed(env: dict[str, str]) -> dict[str, Any]:
    return dict(json_output("dead-letters", "list", env=env))


@pytest.mark.parametrize("answer", [None, "cancel"])
def test_what_waits_for_a_person_goes_on_waiting(
    env: dict[str, str], seeded: DeadLetterSeeder, answer: str | None
) -> None:
    """P9: the lists, the matches, the status and the earlier run all go by the run before."""
    if answer is not None:
        json_output("runs", answer, "2", env=env)
    found = listed(env)
    assert list(faults(found, "DeadLetterCounts")) == []
    assert {group["reason"]: group["dead_letters"] for group in found["groups"]} == {
        "invalid_user": 1,
        "suspicious_match": 1,
    }
    assert found["unanswered_runs"] == ([] if answer else ["2"])
    invalid = next(group for group in found["groups"] if group["reason"] == "invalid_user")
    failed = json_output("dead-letters", "list", "--users", env=env)
    assert [(each["user"], each["run"]) for each in failed["users"]] == [(USERS[0], "1"), (USERS[1], "1")]
    assert failed["users"][0]["since"] == invalid["oldest"]
    assert "\tinvalid_user\t1\t2 d 2 h" in update_sync("dead-letters", "list", env=env).stdout
    waiting = json_output("matches", "list", "exempel", env=env)
    assert [each["user"] for each in waiting["pending"]] == [USERS[1]]
    shown = update_sync("status", env=env).stdout
    assert "3 of 5 users in sync" in shown
    assert json_output("runs", "show", "1", env=env)["dead_letters_settled_later"] == 0
    (user,) = json_output("users", "show", "exempel", USERS[0], "--recorded", env=env)["users"]
    assert (user["state"], user["reason"]) == ("dead_lettered", "invalid_user")
    assert seeded.users() == [USERS[0], USERS[1], USERS[4]]


@pytest.mark.usefixtures("seeded")
def test_the_lists_name_the_run_that_waits(env: dict[str, str]) -> None:
    """Also where they are empty otherwise."""
    for more in ((), ("--users",), ("--reason", "bug"), ("--users", "--reason", "bug")):
        shown = update_sync("dead-letters", "list", *more, env=env).stdout
        assert "Run 2 of exempel is halted and waits for an answer." in " ".join(shown.split())
    json_output("runs", "cancel", "2", env=env)
    assert "Run 2" not in update_sync("dead-letters", "list", env=env).stdout


@pytest.mark.usefixtures("seeded")
def test_a_replay_waits_for_the_answer(env: dict[str, str]) -> None:
    """A replay would find the user in the newer run, do nothing, and leave no dead letter."""
    done = update_sync("dead-letters", "replay", "--yes", "--json", env=env)
    assert (done.returncode, json.loads(done.stdout)) == (1, {"operation": None, "counts": {}})
    assert "2  cannot be replayed: a newer halted run has its user" in done.stderr
    assert listed(env)["dead_letters"] == 2


def test_a_run_without_pending_users_is_complete_at_once(
    env: dict[str, str], seeded: DeadLetterSeeder
) -> None:
    """Then it cannot be cancelled any more, and that is not advised."""
    seeded.store.receipts.finish(2, PENDING, LEFT_OUT)
    shown = update_sync("runs", "show", "2", env=env).stdout
    assert "All its users have an outcome: there was nothing left to do." in shown
    assert "not evaluated" not in shown
    done = update_sync("runs", "resume", "2", "--override-guard", env=env)
    assert "6 users have an outcome already and keep it" in done.stdout
    assert done.stdout.endswith("To look at all anew: 'update-sync trigger exempel'.\n")


@pytest.mark.usefixtures("seeded")
def test_settings_that_have_changed_are_told_before_a_run_goes_on(env: dict[str, str]) -> None:
    """What was corrected does not reach the users that have an outcome: it asks first."""
    assert update_sync("tenants", "set", "exempel", "--source", "eppn=mail", env=env).returncode == 0
    asked = update_sync("runs", "resume", "2", "--override-guard", env=env)
    assert asked.returncode == 2
    told = " ".join(asked.stderr.split())
    assert "The settings of 'exempel' have changed since run 2 started. 5 users have" in told
    assert "'update-sync runs cancel 2', then 'update-sync trigger exempel'. " in told
    assert json_output("runs", "show", "2", env=env)["status"] == "halted"
    assert update_sync("runs", "resume", "2", "--override-guard", "--yes", env=env).returncode == 0


@pytest.mark.usefixtures("seeded")
def test_a_run_that_is_let_through_counts(env: dict[str, str]) -> None:
    """Then its outcomes are the newest, as those of every run."""
    done = update_sync("runs", "resume", "2", "--override-guard", env=env)
    assert done.returncode == 0, done.stderr
    assert "5 users have an outcome already and keep it, whatever was corrected since" in done.stdout
    assert "anew: 'update-sync runs cancel 2', then 'update-sync trigger exempel'." in done.stdout
    failed = json_output("dead-letters", "list", "--users", env=env)
    assert [(each["user"], each["run"]) for each in failed["users"]] == [(USERS[4], "2")]
    assert json_output("runs", "show", "1", env=env)["dead_letters_settled_later"] == 2
