"""`update-sync dead-letters replay` with real processes: killed, stopped, cancelled, brought to its end."""

from __future__ import annotations

import json
import signal
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

from devtools.commands import json_output, kill_all, running, update_sync, wait_for
from devtools.trigger_message import event, publish
from sandbox.skolon.faults import rejected_searches
from tests.acceptance.runs import counts, ended_run, read_dead_letters

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.environment import Environment

#: All users fail here, and no guard is to halt that.
SETTINGS = {"guard": {"failed": None}}
REPLAY = ("dead-letters", "replay", "--yes", "--max-failed", "1")


@pytest.fixture
def failed(made_up: Environment, env: dict[str, str], amqp_url: str, pool: list[Path]) -> dict[str, Any]:
    """Make a run in which Skolon refused all users, and workers that continue."""
    assert pool
    made_up.skolon.faults.add(rejected_searches())
    publish(amqp_url, "tenant-sync", event("first"))
    run = ended_run(env, 1)
    made_up.skolon.faults.clear()
    assert run["outcomes"]["dead_lettered"] > 200
    return run


def outcomes(env: dict[str, str], run: dict[str, Any]) -> dict[str, int]:
    shown: dict[str, int] = json_output("runs", "show", run["run"], env=env)["outcomes"]
    return counts(shown)


def test_a_killed_replay_loses_nobody_and_doubles_nothing(
    made_up: Environment, env: dict[str, str], amqp_url: str, failed: dict[str, Any], tmp_path: Path
) -> None:
    """P2, P3, P4: SIGKILL in the middle of replays changes nothing about what the last one brings about."""
    before: int = failed["outcomes"]["dead_lettered"]
    for number, share in enumerate((0.9, 0.6)):
        with ExitStack() as stack:
            log = tmp_path / f"replay-{number}.log"
            replay = stack.enter_context(running(*REPLAY, "--rate", "60", env=env, log=log))

            def far_enough(most: float = share * before) -> bool:
                return outcomes(env, failed)["dead_lettered"] < most

            wait_for(far_enough, f"less than {share:.0%} of the letters left")
            kill_all(replay)

    last = update_sync(*REPLAY, "--json", env=env)

    municipality = made_up.municipality
    expected = municipality.expected_outcomes("first")
    operation = json.loads(last.stdout)
    assert operation["status"] == "completed", last.stderr
    wait_for(lambda: outcomes(env, failed) == expected, "the outcomes of a run without faults")
    assert made_up.wrong_users() == []
    assert made_up.change_totals() == municipality.expected_changes()
    dead_letters = [json.loads(body)["kwargs"]["user"] for body in read_dead_letters(amqp_url, "user-sync")]
    assert sorted(dead_letters) == sorted(set(dead_letters))
    assert len(dead_letters) == expected["dead_lettered"]


def test_a_replay_stops_by_itself(
    made_up: Environment, env: dict[str, str], amqp_url: str, failed: dict[str, Any]
) -> None:
    """What still fails is found out with one person, with 1 as the exit code; nothing else has moved."""
    made_up.skolon.faults.add(rejected_searches())
    before = sorted(json.loads(body)["message_id"] for body in read_dead_letters(amqp_url, "user-sync"))
    done = update_sync("dead-letters", "replay", "--yes", "--reason", "rejected_by_skolon", "--json", env=env)
    assert done.returncode == 1
    operation = json.loads(done.stdout)
    assert (operation["status"], operation["counts"]["published"]) == ("stopped", 1)
    assert "rejected_by_skolon 1" in operation["detail"]
    after = sorted(json.loads(body)["message_id"] for body in read_dead_letters(amqp_url, "user-sync"))
    assert after == before
    assert outcomes(env, failed) == counts(failed["outcomes"])


def test_ctrl_c_ends_a_replay_in_order(
    env: dict[str, str], amqp_url: str, failed: dict[str, Any], tmp_path: Path
) -> None:
    """P3: a cancelled replay says what it has done; every receipt and letter is in a plain state."""
    log = tmp_path / "replay.log"
    with running(*REPLAY, "--rate", "20", env=env, log=log) as replay:
        wait_for(
            lambda: outcomes(env, failed)["dead_lettered"] < failed["outcomes"]["dead_lettered"],
            "a first outcome",
        )
        replay.send_signal(signal.SIGINT)
        assert replay.wait(60) == 1
    said = log.read_text(encoding="utf-8")
    assert "cancelled" in said
    assert "Traceback" not in said
    wait_for(
        lambda: outcomes(env, failed)["dead_lettered"] == len(read_dead_letters(amqp_url, "user-sync")),
        "calm",
    )
    assert sum(outcomes(env, failed).values()) == failed["published"]
