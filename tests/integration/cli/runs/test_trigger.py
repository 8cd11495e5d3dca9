"""`trigger`, `runs resume`, `worker` and `producer`, as processes on a real RabbitMQ."""

from __future__ import annotations

import json
import signal
import subprocess
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pika
import pytest

from devtools.commands import DEADLINE, command_environment, json_output, running, update_sync, wait_for
from sandbox.environment import TENANT_KEY, Environment, serve_environment
from schemas.messages.messages import SyncRequest, load_user_sync
from schemas.outcomes import Cause, Outcome
from schemas.runs.sync_result import SyncResult
from tests.integration.cli.command_line import (
    COMMAND,
    UNREACHABLE,
    add_tenant,
    database_environment,
    open_store,
    run_on_terminal,
    tenant_object,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from store.store import Store

USER = "00000000-0000-4000-8000-000000000001"
OTHER = "00000000-0000-4000-8000-000000000002"
#: A worker or producer needs them to start; nothing is asked of them here.
SKOLON = {
    "UPDATE_SYNC_SKOLON_SCIM_URL": f"https://{UNREACHABLE}/{{organisation}}",
    "UPDATE_SYNC_SKOLON_TOKEN": "made-up",
}


@pytest.fixture
def env(tmp_path: Path, amqp_url: str) -> dict[str, str]:
    variables = database_environment(tmp_path, UPDATE_SYNC_AMQP_URL=amqp_url, **SKOLON)
    add_tenant(variables, TENANT_KEY, tenant_object())
    return variables


def waiting(amqp_url: str, queue: str) -> list[dict[str, Any]]:
    """Take what is in a queue, which may not be there."""
    with pika.BlockingConnection(pika.URLParameters(amqp_url)) as connection:
        channel = connection.channel()
        bodies = []
        try:
            while (got := channel.basic_get(queue, auto_ack=True))[0] is not None:
                bodies.append(json.loads(got[2]))
        except pika.exceptions.ChannelClosedByBroker:
            return []
        return bodies


def test_a_trigger_is_one_message(env: dict[str, str], amqp_url: str) -> None:
    """The message asks for what the options say, under the event id that is printed."""
    options = ("--mode", "delta", "--dry-run", "--user", USER, "--user", OTHER)
    printed = json_output("trigger", TENANT_KEY, *options, env=env)
    (message,) = waiting(amqp_url, "tenant-sync")
    assert printed == {"event": message["message_id"]}
    assert message["actor_name"] == "tenant_sync"
    assert message["kwargs"] == {
        "tenant": TENANT_KEY,
        "mode": "delta",
        "dry_run": True,
        "users": [USER, OTHER],
    }


@pytest.mark.parametrize("command", [("show",), ("watch",), ("cancel",), ("undo", "--yes")])
def test_a_run_that_no_producer_has_started_yet(env: dict[str, str], command: tuple[str, ...]) -> None:
    """There is no such run so far: that its request may still wait is said, and what for."""
    name, *options = command
    assert "request" not in update_sync("runs", name, "1", *options, env=env).stderr
    update_sync("trigger", TENANT_KEY, env=env)
    early = update_sync("runs", name, "1", *options, env=env)
    assert (early.returncode, early.stdout) == (2, "")
    assert "There is no run 1;" in early.stderr
    assert (
        "1 request for a run waits: no producer runs. Start one with 'update-sync producer'." in early.stderr
    )


def test_a_trigger_is_full_and_for_everybody_by_default(env: dict[str, str], amqp_url: str) -> None:
    """Without options a trigger changes things, for all; each has an id of its own."""
    printed = {update_sync("trigger", TENANT_KEY, env=env).stdout for _ in range(2)}
    messages = waiting(amqp_url, "tenant-sync")
    assert [message["kwargs"] for message in messages] == [
        {"tenant": TENANT_KEY, "mode": "full", "dry_run": False, "users": []}
    ] * 2
    assert len({message["message_id"] for message in messages}) == len(printed) == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nowhere",), "no tenant 'nowhere'"),
        (("No Tenant",), "tenant"),
        ((TENANT_KEY, "--user", "a b"), "'--user': Not an Entra object id"),
        ((TENANT_KEY, "--mode", "sideways"), "sideways"),
        ((TENANT_KEY, "--timeout", "-1"), "timeout"),
    ],
)
def test_a_trigger_that_cannot_be_is_not_published(
    env: dict[str, str], amqp_url: str, arguments: tuple[str, ...], said: str
) -> None:
    """Wrong use ends with 2, in words, and nothing is in the queue."""
    done = update_sync("trigger", *arguments, env=env)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert waiting(amqp_url, "tenant-sync") == []


def test_a_disabled_tenant_is_not_triggered(env: dict[str, str], store: Store, amqp_url: str) -> None:
    """A disabled tenant is said to be so, with the command that enables it."""
    store.tenants.change(TENANT_KEY, {"enabled": False})
    done = update_sync("trigger", TENANT_KEY, env=env)
    assert done.returncode == 2
    assert "--enabled" in done.stderr
    assert waiting(amqp_url, "tenant-sync") == []


def test_a_wait_ends_in_time(env: dict[str, str], amqp_url: str) -> None:
    """Without a producer, --timeout ends the wait with 1, and the message stays."""
    done = update_sync("trigger", TENANT_KEY, "--wait", "--timeout", "1", "--json", env=env)
    assert (done.returncode, done.stdout) == (1, "")
    assert "in time" in done.stderr
    assert len(waiting(amqp_url, "tenant-sync")) == 1


def test_a_wait_says_that_nobody_takes_the_message(env: dict[str, str]) -> None:
    """Without a producer, the wait says so within five seconds, and goes on."""
    done = update_sync("trigger", TENANT_KEY, "--wait", "--timeout", "5", env=env)
    assert done.returncode == 1
    assert "Waiting (en): no producer runs: start one with" in done.stderr
    assert "Waiting (sv): ingen producer är igång: starta en med" in done.stderr


@pytest.fixture
def made_up(tmp_path: Path) -> Iterator[Environment]:
    folder = tmp_path / "world"
    folder.mkdir()
    with serve_environment(folder, users=60) as served:
        yield served


@pytest.fixture
def whole(made_up: Environment, tmp_path: Path, amqp_url: str, database_url: str) -> Iterator[dict[str, str]]:
    """Have the stand-ins, a producer and a worker running."""
    env = command_environment(
        **made_up.variables,
        UPDATE_SYNC_AMQP_URL=amqp_url,
        UPDATE_SYNC_DATABASE_URL=database_url,
        UPDATE_SYNC_SECRET_KEYS=database_environment(tmp_path)["UPDATE_SYNC_SECRET_KEYS"],
    )
    with closing(open_store(env)) as store:
        store.upgrade()
    add_tenant(env, TENANT_KEY, made_up.tenant)
    with (
        running("producer", env=env, log=tmp_path / "producer.log"),
        running("worker", env=env, log=tmp_path / "worker.log"),
    ):
        yield env


def test_a_wait_shows_the_run_and_judges_it(made_up: Environment, whole: dict[str, str]) -> None:
    """P3: the object at the end is the run's; dead letters make it 1, and none of them 0."""
    done = update_sync("trigger", TENANT_KEY, "--wait", "--json", env=whole)
    shown = json.loads(done.stdout)
    assert shown["status"] == "completed"
    assert shown["published"] == sum(shown["outcomes"].values()) == 60
    assert shown["reasons"] == made_up.municipality.expected_reasons()
    assert done.returncode == 1
    right = next(
        receipt["user"]
        for receipt in json_output("runs", "show", shown["run"], "--users", env=whole)["users"]
        if receipt["outcome"] == "unchanged"
    )
    code, seen = run_on_terminal("trigger", TENANT_KEY, "--user", right, "--wait", env=whole)
    assert code == 0, seen
    assert "unchanged" in seen


def test_a_halted_run_goes_on_where_it_stood(made_up: Environment, whole: dict[str, str]) -> None:
    """P7: wrong credentials halt the run once, without dead letters; mended and resumed, it completes."""
    wrong = json.dumps({"client_secret": "wrong~one"})
    assert update_sync("tenants", "set", TENANT_KEY, "--from", "-", env=whole, stdin=wrong).returncode == 0
    halted = update_sync("trigger", TENANT_KEY, "--wait", "--json", env=whole)
    shown = json.loads(halted.stdout)
    assert (halted.returncode, shown["status"], shown["cause"]) == (1, "halted", "entra_credentials")
    mended = json.dumps({"client_secret": made_up.tenant["client_secret"]})
    assert update_sync("tenants", "set", TENANT_KEY, "--from", "-", env=whole, stdin=mended).returncode == 0
    assert update_sync("runs", "resume", shown["run"], env=whole).returncode == 0
    update_sync("runs", "watch", shown["run"], env=whole)
    again = json_output("runs", "show", shown["run"], env=whole)
    assert (again["status"], again["published"]) == ("completed", 60)
    assert again["reasons"] == made_up.municipality.expected_reasons()


def test_resuming_publishes_whoever_is_pending(env: dict[str, str], store: Store, amqp_url: str) -> None:
    """P3: a run that had read its list goes on with its pending users, by id, without what was read."""
    run = store.triggers.open(SyncRequest(tenant=TENANT_KEY), "first").run.id
    store.receipts.create_pending(run, [USER, OTHER])
    store.runs.finish_reading(run)
    store.receipts.finish(run, OTHER, SyncResult(outcome=Outcome.UNCHANGED))
    store.runs.halt(run, Cause.SKOLON_CREDENTIALS, "Skolon does not take the token")
    done = update_sync("runs", "resume", str(run), env=env)
    assert done.returncode == 0, done.stderr
    (message,) = waiting(amqp_url, "user-sync")
    published = load_user_sync(message["kwargs"])
    assert (published.tenant, published.run, published.user) == (TENANT_KEY, run, USER)
    assert store.message_cipher.decrypt_user(published).data is None
    assert json_output("runs", "show", str(run), env=env)["status"] == "updating"


def test_resuming_a_reading_reads_again(env: dict[str, str], store: Store, amqp_url: str) -> None:
    """P3: a run that was reading starts a new scan, and those pending so far are published as well.

    Whoever has left Entra in between is not on the new list, and would stay pending for ever.
    """
    run = store.triggers.open(SyncRequest(tenant=TENANT_KEY), "first").run
    store.receipts.create_pending(run.id, [USER])
    store.runs.halt(run.id, Cause.ENTRA_CREDENTIALS, "The client secret has expired")
    assert update_sync("runs", "resume", str(run.id), env=env).returncode == 0
    (page,) = waiting(amqp_url, "tenant-pages")
    assert page["kwargs"]["attempt"] > run.attempt
    assert (page["kwargs"]["number"], page["kwargs"]["link"]) == (1, None)
    assert [user["kwargs"]["user"] for user in waiting(amqp_url, "user-sync")] == [USER]


def test_resuming_with_nobody_pending_completes(env: dict[str, str], store: Store) -> None:
    """P3: a run that was halted after its last user is complete when it is resumed."""
    run = store.triggers.open(SyncRequest(tenant=TENANT_KEY), "first").run.id
    store.receipts.create_pending(run, [USER])
    store.runs.finish_reading(run)
    store.runs.halt(run, Cause.SKOLON_CREDENTIALS, "Skolon does not take the token")
    store.receipts.finish(run, USER, SyncResult(outcome=Outcome.UNCHANGED))
    assert update_sync("runs", "resume", str(run), env=env).returncode == 0
    assert json_output("runs", "show", str(run), env=env)["status"] == "completed"


def test_what_has_ended_is_not_resumed(env: dict[str, str], store: Store, amqp_url: str) -> None:
    """Resuming a cancelled run is wrong use, and publishes nothing."""
    run = store.triggers.open(SyncRequest(tenant=TENANT_KEY), "first").run.id
    store.runs.cancel(run)
    done = update_sync("runs", "resume", str(run), env=env)
    assert done.returncode == 2
    assert "cancelled" in done.stderr
    assert waiting(amqp_url, "tenant-pages") == []


@pytest.mark.parametrize("command", ["worker", "producer"])
def test_what_is_away_is_said_at_once_and_waited_for(
    env: dict[str, str], command: str, tmp_path: Path
) -> None:
    """P8: without RabbitMQ or database a long-running process says so plainly, and waits until ended."""
    for name, address in (
        ("UPDATE_SYNC_AMQP_URL", f"amqp://guest:s3cretpassw0rd@{UNREACHABLE}"),
        ("UPDATE_SYNC_DATABASE_URL", f"postgresql://u:s3cretpassw0rd@{UNREACHABLE}/x"),
    ):
        log = tmp_path / f"{name}.log"
        with running(command, env={**env, name: address}, log=log) as process:
            wait_for(lambda log=log: "service_unavailable" in log.read_text(), "what is away")  # type: ignore[misc] # bound at once
            assert process.poll() is None
        assert process.returncode == 0
        assert "s3cretpassw0rd" not in log.read_text()
        assert "Traceback" not in log.read_text()


@pytest.mark.parametrize("command", ["worker", "producer"])
def test_a_database_that_is_not_upgraded_stops_a_process(
    env: dict[str, str], tmp_path: Path, command: str
) -> None:
    """A process does not start on a database without its tables; exit 2 with the command to run."""
    done = update_sync(
        command, env={**env, "UPDATE_SYNC_DATABASE_URL": f"sqlite:///{tmp_path / 'no.sqlite'}"}
    )
    assert done.returncode == 2
    assert "update-sync database upgrade" in done.stderr


@pytest.mark.parametrize(
    ("command", "own", "others"),
    [
        ("worker", {"user-sync"}, {"tenant-sync", "tenant-pages"}),
        ("producer", {"tenant-sync", "tenant-pages"}, {"user-sync"}),
    ],
)
def test_a_process_takes_its_own_queues_and_ends_on_sigterm(
    env: dict[str, str], amqp_url: str, command: str, own: set[str], others: set[str]
) -> None:
    """Each kind of process consumes its own queues alone, and SIGTERM ends an idle one with 0."""
    with subprocess.Popen([COMMAND, command], env=env, stderr=subprocess.PIPE, text=True) as process:  # noqa: S603 - ours
        try:
            wait_for(lambda: own <= consumed(amqp_url, own | others), f"a consumer of each of {own}")
            assert not others & consumed(amqp_url, own | others)
            process.send_signal(signal.SIGTERM)
            _, errors = process.communicate(timeout=DEADLINE)
        finally:
            process.kill()
    assert process.returncode == 0
    assert "Traceback" not in errors


@pytest.mark.parametrize(("command", "queue"), [("worker", "user-sync"), ("producer", "tenant-sync")])
def test_whoever_works_on_messages_has_few_threads_of_the_system(
    env: dict[str, str], amqp_url: str, tmp_path: Path, command: str, queue: str
) -> None:
    """Many messages at a time cost a process no thread each: it has greenlets (decision 31)."""
    log = tmp_path / "process.log"
    with running(command, "--threads", "100", env=env, log=log) as process:
        wait_for(lambda: consumed(amqp_url, {queue}), f"a consumer of {queue}")
        (child,) = map(int, Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split())
        assert len(list(Path(f"/proc/{child}/task").iterdir())) < 20


@pytest.mark.usefixtures("real_processes")
def test_a_hangup_has_a_worker_start_afresh(env: dict[str, str], amqp_url: str, tmp_path: Path) -> None:
    """SIGHUP lets a worker finish what it has and start again, under the same process id."""
    with running("worker", env=env, log=tmp_path / "worker.log") as process:
        wait_for(lambda: consumed(amqp_url, {"user-sync"}), "a consumer")
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        before = children.read_text()
        process.send_signal(signal.SIGHUP)
        wait_for(
            lambda: children.read_text() not in ("", before) and consumed(amqp_url, {"user-sync"}),
            "a worker that started afresh",
        )


def consumed(amqp_url: str, queues: set[str]) -> set[str]:
    """Return those of the queues that are there and have a consumer."""
    found = set()
    with pika.BlockingConnection(pika.URLParameters(amqp_url)) as connection:
        for queue in queues:
            channel = connection.channel()
            try:
                declared = channel.queue_declare(queue, passive=True)
            except pika.exceptions.ChannelClosedByBroker:
                continue
            if declared.method.consumer_count:
                found.add(queue)
    return found
