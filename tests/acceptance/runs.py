"""A run as the commands print it, and the dead letters that it left."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import pika

from devtools.commands import json_output, wait_for
from sandbox.environment import TENANT_KEY
from schemas.outcomes import OPEN_STATUSES
from tests.integration.cli.command_line import open_store

#: In the made-up municipality, unless a module says otherwise.
PEOPLE = 250


def ended_run(env: dict[str, str], number: int) -> dict[str, Any]:
    """Return the last run of the tenant as `runs show` prints it, once so many have ended."""
    # To look again and again costs a query here, and would cost a command each time.
    with closing(open_store(env)) as store:

        def have_ended() -> bool:
            runs = store.runs.list(TENANT_KEY)
            return sum(each.run.status not in OPEN_STATUSES for each in runs) == number

        wait_for(have_ended, f"the end of run {number}")
    runs = json_output("runs", "list", "--kind", "all", "--tenant", TENANT_KEY, env=env)
    ended = [run for run in runs if run["status"] not in ("reading", "updating")]
    assert len(ended) == number
    shown: dict[str, Any] = json_output("runs", "show", ended[0]["run"], env=env)
    return shown


def counts(outcomes: dict[str, int]) -> dict[str, int]:
    return {outcome: count for outcome, count in outcomes.items() if count}


def read_dead_letters(amqp_url: str, queue: str) -> list[bytes]:
    """Return the dead letters of a queue; they go back when the connection ends."""
    with pika.BlockingConnection(pika.URLParameters(amqp_url)) as connection:
        channel = connection.channel()
        bodies: list[bytes] = []
        while True:
            method, _, body = channel.basic_get(f"{queue}.XQ")
            if method is None:
                return bodies
            bodies.append(body)
