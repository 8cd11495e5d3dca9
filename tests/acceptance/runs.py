"""A run as the commands print it, and the dead letters that it left."""

from __future__ import annotations

from typing import Any

import pika

from devtools.commands import json_output, wait_for
from sandbox.environment import TENANT_KEY

#: In the made-up municipality, unless a module says otherwise.
PEOPLE = 250


def ended_run(env: dict[str, str], number: int) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        runs = json_output("runs", "list", "--kind", "all", "--tenant", TENANT_KEY, env=env)
        ended = [run for run in runs if run["status"] not in ("reading", "updating")]
        found: dict[str, Any] | None = ended[0] if len(ended) == number else None
        return found

    run = wait_for(look, f"the end of run {number}")
    shown: dict[str, Any] = json_output("runs", "show", run["run"], env=env)
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
