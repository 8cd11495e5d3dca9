"""A wait has a reason, which is said within five seconds: no producer, no worker, another run."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from devtools.commands import json_output, running, update_sync, wait_for
from sandbox.environment import TENANT_KEY

if TYPE_CHECKING:
    from pathlib import Path

#: Small, so that the list of users is read at once.
PEOPLE = 30

NO_PRODUCER = "Waiting (en): no producer runs: start one with 'update-sync producer'."
NO_WORKER = "Waiting (en): no worker runs: start one with 'update-sync worker'."


def test_why_nothing_happens(env: dict[str, str], tmp_path: Path) -> None:
    """Each reason in its turn, on standard error, in `runs show`, and as JSON; none once all run."""

    def waited(*options: str) -> str:
        # All within five seconds: that is when the command gives up.
        return update_sync("trigger", TENANT_KEY, *options, "--wait", "--timeout", "5", env=env).stderr

    assert NO_PRODUCER in waited()
    with running("producer", env=env, log=tmp_path / "producer.log"):
        # A producer needs seconds to start; what a wait says is judged once the list is read.
        wait_for(
            lambda: [each["status"] for each in json_output("runs", "list", env=env)] == ["updating"],
            "a read list",
        )
        wait_for(lambda: NO_WORKER in waited(), "the reason that no worker runs")
        # A run of one user is another one: it waits for the end of the first.
        assert "Waiting (en): run 1 of the tenant is open: the request waits for its end." in waited(
            "--dry-run"
        )
        shown = json_output("runs", "show", "1", env=env)
        assert shown["idle"] == [{"reason": "no_worker", "run": None}]
        text = update_sync("runs", "show", "1", env=env).stdout
        assert re.search(r"^waiting \(en\) +no worker runs", text, re.MULTILINE), text
        with running("worker", env=env, log=tmp_path / "worker.log"):
            watched = update_sync("runs", "watch", "1", env=env)
            assert "completed" in watched.stdout
    assert json_output("runs", "show", "1", env=env)["idle"] == []
