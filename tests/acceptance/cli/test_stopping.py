"""Processes that are asked to end: while what they wait for hangs, in their first moments, as process 1."""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import subprocess
import threading
import time
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pika
import pytest

from devtools.chaos.proxy import Proxies
from devtools.commands import COMMAND, json_output, kill_all, running, wait_for
from devtools.trigger_message import event, publish
from tests.acceptance.runs import PEOPLE, counts, ended_run

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sandbox.environment import Environment

pytestmark = pytest.mark.usefixtures("real_processes")

#: Seconds until a container that was asked to end is killed.
GRACE = 10.0


@contextmanager
def hanging() -> Iterator[tuple[int, list[socket.socket]]]:
    """Give the port of a server that takes connections and never answers, and the connections it has."""
    taken: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def take() -> None:
            with suppress(OSError):
                while True:
                    taken.append(server.accept()[0])

        threading.Thread(target=take, daemon=True).start()
        try:
            yield server.getsockname()[1], taken
        finally:
            server.shutdown(socket.SHUT_RDWR)
            for connection in taken:
                connection.close()


def lying(amqp_url: str, queue: str) -> int:
    """Return how many messages wait in a queue."""
    with pika.BlockingConnection(pika.URLParameters(amqp_url)) as connection:
        return int(connection.channel().queue_declare(queue, passive=True).method.message_count)


def children(process: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def test_a_worker_ends_in_time_while_skolon_hangs(env: dict[str, str], amqp_url: str, tmp_path: Path) -> None:
    """P2: SIGTERM ends a worker within its grace; what it had goes back, and none of it as a suspect."""
    with ExitStack() as stack:
        port, taken = stack.enter_context(hanging())
        stack.enter_context(running("producer", env=env, log=tmp_path / "producer.log"))
        publish(amqp_url, "tenant-sync", event("first"))
        wait_for(lambda: _is_read(env), "a run that is read")
        scim = f"https://127.0.0.1:{port}/{{organisation}}/scim/v2"
        stuck = {**env, "UPDATE_SYNC_SKOLON_SCIM_URL": scim}
        worker = stack.enter_context(
            running("worker", "--processes", "2", env=stuck, log=tmp_path / "worker.log")
        )
        wait_for(lambda: taken, "a request to Skolon")
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(GRACE) == 0
        [waiting] = json_output("runs", "list", env=env)
        assert lying(amqp_url, "user-sync") == waiting["pending"] > 0
        stack.enter_context(running("worker", env=env, log=tmp_path / "worker.log"))
        run = ended_run(env, 1)
    assert run["status"] == "completed"
    assert "quarantined" not in (tmp_path / "worker.log").read_text()


def _is_read(env: Mapping[str, str]) -> bool:
    runs = json_output("runs", "list", env=env)
    return bool(runs) and runs[0]["status"] == "updating"


def test_a_producer_ends_in_time_while_graph_hangs(
    env: dict[str, str], amqp_url: str, tmp_path: Path
) -> None:
    """P2: SIGTERM ends a producer that waits for Graph, and its page is read by the next one."""
    log = tmp_path / "producer.log"
    with hanging() as (port, taken):
        stuck = {**env, "UPDATE_SYNC_GRAPH_URL": f"https://127.0.0.1:{port}"}
        with running("producer", env=stuck, log=log) as producer:
            publish(amqp_url, "tenant-sync", event("first"))
            wait_for(lambda: taken, "a request to Graph")
            producer.send_signal(signal.SIGTERM)
            assert producer.wait(GRACE) == 0
    with running("producer", env=env, log=log):
        wait_for(lambda: _is_read(env), "a run that is read")
    assert "quarantined" not in log.read_text()


@pytest.mark.parametrize("command", ["worker", "scheduler", "hub", "runs"])
def test_it_ends_in_time_while_the_database_hangs(
    env: dict[str, str], postgresql: object, tmp_path: Path, command: str
) -> None:
    """P8: SIGTERM ends any command within its grace while PostgreSQL answers nothing."""
    del postgresql
    url = env["UPDATE_SYNC_DATABASE_URL"]
    arguments = {"runs": ("runs", "list")}.get(command, (command,))
    place = url.rpartition("@")[2].partition("/")[0]
    host, _, port = place.partition(":")
    with Proxies() as proxies:
        proxy = proxies.open(host, int(port))
        proxy.hold()
        held = {**env, "UPDATE_SYNC_DATABASE_URL": url.replace(place, f"127.0.0.1:{proxy.port}")}
        with running(*arguments, env=held, log=tmp_path / "log") as process:
            wait_for(lambda: proxy.touched, "a question to the database")
            process.send_signal(signal.SIGTERM)
            assert process.wait(GRACE) == (128 + signal.SIGTERM if command == "runs" else 0)
    assert "Traceback" not in (tmp_path / "log").read_text()


MOMENTS = [
    ("worker", 0.05),
    ("worker", 0.2),
    ("worker", 0.5),
    ("worker", 1.5),
    ("producer", 0.5),
    ("scheduler", 0.5),
    ("hub", 0.5),
    ("hub", 2),
]


@pytest.mark.parametrize(("command", "after"), MOMENTS)
def test_it_ends_from_its_first_moment(
    env: dict[str, str], tmp_path: Path, command: str, after: float
) -> None:
    """SIGTERM is heard at any time; before Python itself runs it is the kernel that ends the process."""
    with running(command, env=env, log=tmp_path / "log") as process:
        time.sleep(after)
        process.send_signal(signal.SIGTERM)
        assert process.wait(GRACE) in (0, -signal.SIGTERM)
    assert "Traceback" not in (tmp_path / "log").read_text()


@pytest.mark.parametrize("command", ["worker", "scheduler", "hub"])
def test_process_1_ends_when_asked(env: dict[str, str], tmp_path: Path, command: str) -> None:
    """As process 1 of a container, whom the kernel spares signals without a handler, it ends too."""
    unshare = ("unshare", "--pid", "--fork", "--mount-proc", "--kill-child")
    tried = subprocess.run([*unshare, "true"], capture_output=True, check=False)  # noqa: S603 - as below
    if tried.returncode:
        pytest.skip("no namespace of processes can be made here")
    with running(command, env=env, log=tmp_path / "log", command=(*unshare, COMMAND)) as outer:
        first = wait_for(lambda: next((each for each in children(outer.pid) if hears(each)), 0), "process 1")
        os.kill(first, signal.SIGTERM)
        assert outer.wait(GRACE) == 0


def hears(process: int) -> bool:
    """Say whether a process has a handler for SIGTERM."""
    with suppress(OSError):
        status = Path(f"/proc/{process}/status").read_text()
        caught = int(status.partition("SigCgt:")[2].split()[0], 16)
        return bool(caught >> (signal.SIGTERM - 1) & 1)
    return False


def test_a_killed_master_leaves_nobody_behind(env: dict[str, str], amqp_url: str, tmp_path: Path) -> None:
    """Worker processes whose master was killed give back what they have, and end."""
    with running("worker", "--processes", "2", env=env, log=tmp_path / "log") as master:
        left = wait_for(lambda: found if len(found := children(master.pid)) == 2 else None, "two processes")
        publish(amqp_url, "user-sync", b"{}")
        master.kill()
        master.wait()
        wait_for(lambda: not any(Path(f"/proc/{child}").exists() for child in left), "the end of both")


def test_a_master_that_is_stuck_ends_in_time(env: dict[str, str]) -> None:
    """P2: SIGTERM ends all processes of a pool within their grace period, even if their log is not read."""
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    with ExitStack() as stack:
        stack.callback(os.close, reader)
        stack.callback(os.close, writer)
        command = [COMMAND, "worker", "--processes", "2"]
        master = subprocess.Popen(command, env=env, stdout=writer, stderr=writer)  # noqa: S603 - our own
        stack.callback(master.kill)
        first, second = wait_for(lambda: found if len(found := children(master.pid)) == 2 else None, "two")
        wait_for(lambda: hears(first) and hears(second), "their handlers")
        _fill(writer)
        os.kill(first, signal.SIGKILL)
        # Its end is taken note of before it is said, and that is where the master hangs now.
        wait_for(lambda: not Path(f"/proc/{first}").exists(), "its end")
        master.send_signal(signal.SIGTERM)
        master.wait(GRACE)
        wait_for(lambda: not hears(second), "the end of the other")


def test_who_insists_is_obeyed_at_once(env: dict[str, str], tmp_path: Path) -> None:
    """A second SIGTERM kills processes that do not answer, long before the deadline."""
    with running("worker", env=env, log=tmp_path / "log") as master:
        [child] = wait_for(lambda: [each for each in children(master.pid) if hears(each)], "a worker process")
        os.kill(child, signal.SIGSTOP)
        # Of two pending signals the kernel delivers the one with the lower number first: SIGTERM.
        wait_for(lambda: "State:\tT" in Path(f"/proc/{child}/status").read_text(), "the stop")
        master.send_signal(signal.SIGTERM)
        wait_for(lambda: _is_pending(child), "the first one, handed on")
        assert master.poll() is None
        master.send_signal(signal.SIGTERM)
        master.wait(GRACE / 2)


def _is_pending(process: int) -> bool:
    """Say whether a SIGTERM waits for a process that is stopped."""
    status = Path(f"/proc/{process}/status").read_text()
    return bool(int(status.partition("ShdPnd:")[2].split()[0], 16) >> (signal.SIGTERM - 1) & 1)


def _fill(pipe: int) -> None:
    """Fill a pipe, so that the next writer waits."""
    own = os.open(f"/proc/self/fd/{pipe}", os.O_WRONLY | os.O_NONBLOCK)
    with suppress(BlockingIOError):
        while True:
            os.write(own, b"\n")
    os.close(own)


def test_a_rolling_restart_makes_no_suspects(
    made_up: Environment, env: dict[str, str], amqp_url: str, tmp_path: Path
) -> None:
    """P2, P4: workers that are replaced in mid-run, one after the other, leave no trace on what they had."""
    log = tmp_path / "worker.log"

    def share_is_done(part: float) -> bool:
        runs = json_output("runs", "list", env=env)
        return bool(runs) and runs[0]["published"] - runs[0]["pending"] > part * PEOPLE

    with ExitStack() as stack:
        stack.enter_context(running("producer", env=env, log=tmp_path / "producer.log"))
        pool = [stack.enter_context(running("worker", "--threads", "4", env=env, log=log)) for _ in range(2)]
        publish(amqp_url, "tenant-sync", event("first"))
        for part, old in zip((0.1, 0.4), pool, strict=True):
            wait_for(lambda part=part: share_is_done(part), f"{part:.0%} of the run")  # type: ignore[misc] # bound at once
            old.send_signal(signal.SIGTERM)
            assert old.wait(GRACE) == 0
            stack.enter_context(running("worker", "--threads", "4", env=env, log=log))
        run = ended_run(env, 1)
    assert counts(run["outcomes"]) == made_up.municipality.expected_outcomes("first")
    assert made_up.wrong_users() == []
    assert "quarantined" not in log.read_text()


def test_what_was_fetched_by_a_killed_worker_is_done_several_at_a_time(
    env: dict[str, str], amqp_url: str, tmp_path: Path
) -> None:
    """P7: after a worker was killed, what it had is worked on apart, and none of it one by one."""
    log = tmp_path / "worker.log"
    with ExitStack() as stack:
        port, taken = stack.enter_context(hanging())
        stack.enter_context(running("producer", env=env, log=tmp_path / "producer.log"))
        publish(amqp_url, "tenant-sync", event("first"))
        wait_for(lambda: _is_read(env), "a run that is read")
        stuck = {**env, "UPDATE_SYNC_SKOLON_SCIM_URL": f"https://127.0.0.1:{port}/{{organisation}}/scim/v2"}
        worker = stack.enter_context(running("worker", env=stuck, log=tmp_path / "stuck.log"))
        wait_for(lambda: taken and not lying(amqp_url, "user-sync"), "a request to Skolon")
        kill_all(worker)
        [waiting] = json_output("runs", "list", env=env)
        stack.enter_context(running("worker", env=env, log=log))
        assert ended_run(env, 1)["status"] == "completed"
    said = log.read_text()
    assert said.count('"queue": "user-sync.redelivered"') >= waiting["pending"] > 0
    assert "user-sync.quarantine" not in said
