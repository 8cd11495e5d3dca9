"""A halt and its end, told by mail and webhook: by the processes as they are deployed."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from devtools.commands import json_output, running, update_sync, wait_for
from sandbox.environment import TENANT_KEY
from tests.acceptance.runs import ended_run
from tests.integration.notifications.receivers import MailServer, WebhookReceiver

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.environment import Environment

PEOPLE = 20


def test_two_schedulers_tell_of_a_halt_and_of_its_end(
    made_up: Environment, env: dict[str, str], tmp_path: Path
) -> None:
    """Once each, although both look: the run halts for its secret, and is well again with the right one."""
    with MailServer() as mail, WebhookReceiver() as hook, ExitStack() as stack:
        env |= {**mail.variables, "UPDATE_SYNC_WEBHOOK_NETWORKS": "127.0.0.1"}
        options = ("--recipient", "it@exempel.example", "--webhook", hook.url, "--most-failed", "100")
        said = json_output("notifications", "set", TENANT_KEY, *options, "--new-secret", env=env)
        hook.secret = said["webhook_secret"]
        secret = tmp_path / "secret"
        secret.write_text("wrong~made~up~value", encoding="utf-8")
        change = ("tenants", "set", TENANT_KEY, "--client-secret-file", str(secret))
        assert update_sync(*change, env=env).returncode == 0
        for name in ("producer", "worker"):
            stack.enter_context(running(name, env=env, log=tmp_path / f"{name}.log"))
        assert update_sync("trigger", TENANT_KEY, "--wait", env=env).returncode == 1
        for number in (1, 2):
            log = tmp_path / f"scheduler-{number}.log"
            stack.enter_context(running("scheduler", env=env, log=log))
        wait_for(lambda: mail.mails and hook.bodies, "a notification")

        secret.write_text(str(made_up.tenant["client_secret"]), encoding="utf-8")
        assert update_sync(*change, env=env).returncode == 0
        assert update_sync("runs", "resume", "1", env=env).returncode == 0
        assert ended_run(env, 1)["status"] == "completed"
        wait_for(lambda: len(mail.mails) > 1 and len(hook.bodies) > 1, "that it is well again")

    kinds = ["problem.run_halted", "well_again.run_halted"]
    assert [each["type"] for each in hook.bodies] == kinds
    assert [subject.partition(": ")[2] for subject in mail.subjects] == [
        "en körning har stoppats",
        "Åter i ordning: körningen är inte längre stoppad",
    ]
