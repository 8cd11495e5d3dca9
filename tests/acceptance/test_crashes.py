"""Workers and producers that are killed in the middle of a run."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from tests.acceptance.commands import answer, kill_all, running, until
from tests.acceptance.test_whole_way import counts, ended_run, env, event, made_up, publish

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.world import World

__all__ = ["env", "made_up"]


def test_a_killed_pool_loses_nobody_and_doubles_nothing(
    made_up: World, env: dict[str, str], amqp_url: str, tmp_path: Path
) -> None:
    """P2, P4: SIGKILL of all workers and of the producer in mid-run changes nothing about its result."""

    def share_is_done(part: float) -> bool:
        runs = answer("runs", "list", env=env)
        return bool(runs) and runs[0]["published"] - runs[0]["pending"] > part * made_up.municipality.size

    with ExitStack() as stack:
        producer = stack.enter_context(running("producer", env=env, log=tmp_path / "producer.log"))
        publish(amqp_url, "tenant-sync", event("first"))
        for attempt, part in enumerate((0.1, 0.4)):
            log = tmp_path / f"worker-{attempt}.log"
            workers = stack.enter_context(running("worker", "--processes", "2", env=env, log=log))
            until(lambda part=part: share_is_done(part), f"{part:.0%} of the run")  # type: ignore[misc] # bound at once
            kill_all(workers)
        kill_all(producer)
        stack.enter_context(running("worker", env=env, log=tmp_path / "worker-last.log"))
        run = ended_run(env, 1)

    assert run["status"] == "completed"
    assert counts(run["outcomes"]) == made_up.municipality.expected_outcomes("first")
    assert made_up.wrong_users() == []
