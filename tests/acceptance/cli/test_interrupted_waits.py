"""Ctrl-C while a command waits: the request is taken back, or the command says what goes on without it."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING

import pytest

from devtools.commands import json_output, running, wait_for
from sandbox.environment import TENANT_KEY

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.environment import Environment

PEOPLE = 40


def test_a_request_is_taken_back_or_its_run_goes_on(
    made_up: Environment, env: dict[str, str], tmp_path: Path
) -> None:
    """A trigger and an undo that no producer has taken change nobody, whenever a producer comes."""
    log = tmp_path / "waits.log"
    with running("trigger", TENANT_KEY, "--wait", env=env, log=log) as command:
        wait_for(lambda: "producer" in log.read_text(encoding="utf-8"), "the wait")
        command.send_signal(signal.SIGINT)
        assert command.wait(60) == 130
    assert "Interrupted. The request is taken back: nothing was changed" in log.read_text(encoding="utf-8")
    before = made_up.skolon_users()
    with (
        running("producer", env=env, log=tmp_path / "producer.log"),
        running("trigger", TENANT_KEY, "--wait", env=env, log=tmp_path / "open.log") as command,
    ):
        # No worker runs, so the second run stays open.
        wait_for(lambda: len(json_output("runs", "list", env=env)) == 2, "the second run")
        wait_for(lambda: json_output("runs", "list", env=env)[0]["published"], "its users")
        command.send_signal(signal.SIGINT)
        assert command.wait(60) == 130
    text = (tmp_path / "open.log").read_text(encoding="utf-8")
    assert "Run 2 goes on without this command" in text
    assert "'update-sync runs cancel 2'" in text
    assert [run["status"] for run in json_output("runs", "list", env=env)] == ["updating", "cancelled"]
    assert made_up.skolon_users() == before


#: The commands that wait, each as it is called without anything to wait for.
WAITING = (
    ("trigger", TENANT_KEY, "--wait"),
    ("trigger", TENANT_KEY, "--dry-run", "--wait"),
    ("tenants", "preview", TENANT_KEY),
    ("runs", "watch", "1"),
    ("runs", "undo", "1", "--yes", "--wait"),
    ("dead-letters", "replay", "--yes"),
    ("matches", "forget", TENANT_KEY, "--skolon-user", "x", "--wait"),
)


@pytest.mark.parametrize("arguments", WAITING, ids=" ".join)
def test_ctrl_c_in_the_first_second_is_no_bug(
    env: dict[str, str], tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    """At whatever point it is met: it ends with 130, or what the command itself had to say, and in a line."""
    for after in (0.1, 0.3, 0.6, 0.9):
        log = tmp_path / f"{after}.log"
        with running(*arguments, env=env, log=log) as command:
            time.sleep(after)
            command.send_signal(signal.SIGINT)
            # Before Python runs it is the kernel that ends the process; 2 stands for what is not there.
            assert command.wait(60) in (130, 2, 0, -signal.SIGINT)
        text = log.read_text(encoding="utf-8")
        assert "Traceback" not in text
        assert "bug" not in text
