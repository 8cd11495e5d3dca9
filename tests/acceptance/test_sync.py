"""A tenant-sync message in, updated Skolon users out: real RabbitMQ, real PostgreSQL, real processes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from devtools.commands import update_sync, wait_for
from devtools.trigger_message import event, publish
from sandbox.environment import TENANT_KEY, Environment
from sandbox.microsoft.http_messages import Kind
from sandbox.municipality.changes import changed_users
from sandbox.municipality.expectation import other_values
from tests.acceptance.runs import PEOPLE, counts, ended_run, read_dead_letters

if TYPE_CHECKING:
    from pathlib import Path

#: No user of Entra's has this id.
NOWHERE = "00000000-0000-4000-8000-000000000000"


@pytest.mark.usefixtures("pool")
def test_everybody_is_accounted_for_and_right(
    made_up: Environment, env: dict[str, str], amqp_url: str
) -> None:
    """P1, P3, P4: an event becomes a run; its sums and all Skolon users are as expected independently."""
    before = {user["id"]: other_values(user) for user in made_up.skolon_users()}

    checked = update_sync("tenants", "check", TENANT_KEY, env=env)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    publish(amqp_url, "tenant-sync", event("first"))
    first = ended_run(env, 1)
    publish(amqp_url, "tenant-sync", event("first"))
    publish(amqp_url, "tenant-sync", event("second"))
    second = ended_run(env, 2)

    municipality = made_up.municipality
    assert first["status"] == second["status"] == "completed"
    assert first["published"] == sum(first["outcomes"].values()) == PEOPLE
    assert counts(first["outcomes"]) == municipality.expected_outcomes("first")
    assert first["reasons"] == second["reasons"] == municipality.expected_reasons()
    assert counts(second["outcomes"]) == municipality.expected_outcomes("second")
    assert made_up.wrong_users() == []
    assert {user["id"]: other_values(user) for user in made_up.skolon_users()} == before
    assert set(made_up.skolon.requests()) <= {
        # What the server says of itself, which the check of the tenant reads.
        "GET other",
        "POST search",
        "GET search",
        "GET user",
        "PATCH user",
        "POST token",
    }


@pytest.mark.usefixtures("pool")
def test_a_dry_run_only_reads(made_up: Environment, env: dict[str, str], amqp_url: str) -> None:
    """P1: a dry run finds out what would change, and nothing but reading reaches Skolon."""
    before = made_up.skolon_users()

    publish(amqp_url, "tenant-sync", event("dry", dry_run=True))
    run = ended_run(env, 1)

    expected = made_up.municipality.expected_outcomes("first")
    assert run["outcomes"]["would_update"] == expected["updated"]
    assert run["outcomes"]["updated"] == 0
    assert made_up.skolon_users() == before
    assert not any(kind.startswith("PATCH") for kind in made_up.skolon.requests())


def test_a_delta_run_reads_what_changed(made_up: Environment, env: dict[str, str], pool: list[Path]) -> None:
    """P4, P6: after a full run a delta writes changed users only, and no log has its link.

    It looks at those again that the full run could not bring up to date, all of them in one request.
    """
    trigger = ("trigger", TENANT_KEY, "--wait")
    full = update_sync(*trigger, "--json", env=env)
    # There are dead letters among them, and so the command ends with 1.
    assert (full.returncode, json.loads(full.stdout)["published"]) == (1, PEOPLE)
    full_outcomes = json.loads(full.stdout)["outcomes"]
    changed = changed_users(made_up.municipality, 7)
    directory = next(iter(made_up.microsoft.directories.values()))
    for user in changed:
        directory.change(user["id"], user)
    made_up.microsoft.requests.reset()

    # Nor have the dead letters gone, which the delta tries again.
    run = json.loads(update_sync(*trigger, "--mode", "delta", "--json", env=env).stdout)
    first = graph_requests(made_up)
    made_up.microsoft.requests.reset()
    again = json.loads(update_sync(*trigger, "--mode", "delta", "--json", env=env).stdout)

    unresolved = full_outcomes["not_found"] + full_outcomes["dead_lettered"]
    assert 0 < run["read_again"] <= unresolved
    assert run["published"] == 7 + run["read_again"]
    assert (run["status"], run["mode"], run["outcomes"]["updated"]) == ("completed", "delta", 7)
    assert run["outcomes"]["unchanged"] == 0
    assert (again["status"], again["published"]) == ("completed", run["read_again"])
    assert graph_requests(made_up)["delta"] == 1
    # The delta, the batch of those that are read again, the owners of contested users, and birthdays in the
    # hands of two processes' threads.
    assert Kind.USERS not in first
    assert sum(first.values()) <= 12, first
    assert (first["delta"], again["warnings"]) == (1, [])
    assert "deltatoken" not in "".join(log.read_text(encoding="utf-8") for log in pool)


def graph_requests(made_up: Environment) -> dict[str, int]:
    """Return the requests that came to Graph, by kind: one for each batch, whatever is in it."""
    counts = made_up.microsoft.requests.counts()
    to_graph = (Kind.USERS, Kind.COUNT, Kind.DELTA, Kind.USER, Kind.BIRTHDAY, Kind.BATCH)
    return {str(kind): counts[kind] for kind in to_graph if kind in counts}


def test_nobodys_data_is_in_the_logs_or_queues(
    made_up: Environment, env: dict[str, str], amqp_url: str, pool: list[Path]
) -> None:
    """P6: no log line and no dead letter has a user's name, address, number or a secret."""
    publish(amqp_url, "tenant-sync", event("first"))
    ended_run(env, 1)

    written = "".join(log.read_text(encoding="utf-8") for log in pool)
    written += "".join(body.decode() for body in read_dead_letters(amqp_url, "user-sync"))
    assert "dead_lettered" in written
    values = {made_up.tenant["client_secret"]}
    for person in made_up.municipality:
        values |= {person.entra["surname"], person.entra["userPrincipalName"], person.entra["mobilePhone"]}
    # Short names may be part of an innocent word.
    found = [value for value in values if value and len(value) > 5 and value in written]
    assert found == []


@pytest.mark.usefixtures("pool")
def test_what_is_no_trigger_becomes_a_dead_letter(env: dict[str, str], amqp_url: str) -> None:
    """P2: garbage, an unknown tenant, actor or field end as dead letters, and the next event works."""
    envelope = {"queue_name": "tenant-sync", "args": [], "kwargs": {}, "options": {}}
    bad = [
        b"\xff\xfe garbage",
        b"[1, 2, 3]",
        b'{"specversion": "1.0"}',
        event("unknown-tenant", tenant="nowhere"),
        event("wrong-types", mode="sideways", users="everybody", extra=1),
        json.dumps({**envelope, "actor_name": "nobody"}).encode(),
        json.dumps({**envelope, "actor_name": "tenant_sync", "kwargs": []}).encode(),
        json.dumps({**envelope, "actor_name": "tenant_sync", "args": [TENANT_KEY]}).encode(),
    ]
    for body in bad:
        publish(amqp_url, "tenant-sync", body)
    publish(amqp_url, "tenant-sync", event("good", users=[NOWHERE]))

    run = ended_run(env, 1)
    dead_letters = wait_for(
        lambda: kept if len(kept := read_dead_letters(amqp_url, "tenant-sync")) == len(bad) else None,
        f"{len(bad)} dead letters",
    )

    assert run["status"] == "completed"
    assert counts(run["outcomes"]) == {"out_of_scope": 1}
    named = update_sync("trigger", TENANT_KEY, "--user", NOWHERE, "--wait", env=env)
    assert named.returncode == 1
    assert f"Entra has no user with the id {NOWHERE}" in named.stdout
    sections = [json.loads(body)["options"]["update_sync"] for body in dead_letters if b"update_sync" in body]
    reasons = sorted(section["reason"] for section in sections)
    assert reasons == ["invalid_trigger", "invalid_trigger", "invalid_trigger", "unknown_tenant"]
    faults = " ".join(section["detail"] for section in sections)
    assert all(field in faults for field in ("mode", "users", "extra", "type", "data"))
