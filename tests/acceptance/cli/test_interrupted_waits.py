"""Ctrl-C while a command waits: the request is taken back, or the command says what goes on without it."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from devtools.commands import json_output, running, update_sync, wait_for
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


def test_an_undo_asks_and_refuses_without_a_terminal(env: dict[str, str]) -> None:
    """What changes users on a person's word needs the word: --yes, or an answer."""
    done = update_sync("runs", "undo", "1", env=env)
    assert (done.returncode, "pass --yes" in done.stderr) == (2, True)
    done = update_sync("dead-letters", "replay", env=env)
    assert (done.returncode, "pass --yes" in done.stderr) == (2, True)
