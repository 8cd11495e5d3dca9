"""Starts the baselines' processes, under the same conditions as the product's."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from bench.baselines.noop_actor import (
    QUEUE,
    QUEUE_ARGUMENTS,
    TIMESTAMPS_VARIABLE,
    URL_VARIABLE,
    QuorumQueues,
    message,
)
from bench.baselines.plain_sync import JOB_VARIABLE, Job
from bench.broker import consumers, fill, kind_of
from bench.environment import DEADLINE, wait
from bench.measures import BenchError, rate
from bench.timestamps import make_timestamps, open_timestamps
from devtools.commands import command_environment, running
from devtools.started_command import LOG_TAIL, describe_end

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bench.context import Bench
    from bench.stubs.users import Population

#: Characters of a payload that makes a message as long as one of the product.
PAYLOAD = 687


def body(number: int) -> bytes:
    """Return the encoded message of that number."""
    return message(number, "x" * PAYLOAD).encode()


@contextmanager
def declared(bench: Bench) -> Iterator[str]:
    """Yield a virtual host with dramatiq's queue. Raises BenchError when its arguments differ from ours."""
    with bench.servers.virtual_host() as url:
        broker = QuorumQueues(url)
        broker.declare_queue(QUEUE, ensure=True)
        broker.close()
        if kind_of(bench.servers, url, QUEUE) != QUEUE_ARGUMENTS:
            raise BenchError(f"dramatiq's queue was declared with something else than {QUEUE_ARGUMENTS}")
        yield url


def dramatiq_noop(bench: Bench, *, count: int, processes: int, threads: int) -> float:
    """Return how many messages a second dramatiq processes with an actor that does nothing."""
    file = bench.folder / "finish_times"
    make_timestamps(file, count)
    finish_times = open_timestamps(file)
    with declared(bench) as url:
        fill(url, QUEUE, map(body, range(count)))
        command = (sys.executable, "-m", "dramatiq", "bench.baselines.noop_actor:build")
        env = command_environment(**{URL_VARIABLE: url, TIMESTAMPS_VARIABLE: str(file)})
        options = ("--processes", str(processes), "--threads", str(threads))
        with running(*options, env=env, log=bench.folder / "dramatiq.log", command=command) as process:
            wait(lambda: 0.0 not in finish_times, "the last of dramatiq's messages", [process])
    return rate(finish_times.tolist())


def printed(module: str, *arguments: str, env: Mapping[str, str]) -> str:
    """Run a module to its end and return its output. Raises BenchError when it fails."""
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", module, *arguments],
        env=dict(env),
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )
    if done.returncode:
        last_lines = "\n".join(done.stderr.splitlines()[-LOG_TAIL:])
        raise BenchError(describe_end(f"python -m {module}", done.returncode, last_lines))
    return done.stdout


def job(bench: Bench, population: Population) -> Job:
    """Return the job of syncing a population, for a baseline."""
    stubs = bench.stand_ins
    return Job(
        graph_url=stubs.graph_url,
        entra_url=stubs.entra_url,
        skolon_url=stubs.skolon_url.replace("{organisation}", population.organisation),
        authority=str(stubs.authority),
        directory=population.directory,
    )


def plain_script(bench: Bench, population: Population, *, threads: int, latency: float) -> float:
    """Return how many users a second the plain script syncs. Raises BenchError when a user is missing."""
    bench.stand_ins.prepare(population, latency=latency)
    env = command_environment(**{JOB_VARIABLE: job(bench, population).as_text()})
    moments = printed("bench.baselines.script", str(threads), env=env)
    check_done(bench, population)
    return rate(json.loads(moments))


def celery(bench: Bench, population: Population, *, processes: int, threads: int, latency: float) -> float:
    """Return how many users a second Celery syncs with some workers, each with a pool of threads."""
    bench.stand_ins.prepare(population, latency=latency)
    file = bench.folder / "finish_times"
    make_timestamps(file, population.people)
    finish_times = open_timestamps(file)
    with bench.servers.virtual_host() as url, ExitStack() as stack:
        env = command_environment(
            **{URL_VARIABLE: url, TIMESTAMPS_VARIABLE: str(file)},
            **{JOB_VARIABLE: job(bench, population).as_text()},
        )
        printed("bench.baselines.celery_app", env=env)
        bench.stand_ins.hold()
        workers = []
        for number in range(processes):
            command = (sys.executable, "-m", "celery", "--app", "bench.baselines.celery_app", "worker")
            options = ("--pool", "threads", "--concurrency", str(threads), "--hostname", f"w{number}@%h")
            log = bench.folder / "celery.log"
            workers.append(stack.enter_context(running(*options, env=env, log=log, command=command)))
        wait(lambda: consumers(url, "celery") >= processes, "the last of Celery's workers", workers)
        bench.stand_ins.release()
        wait(lambda: 0.0 not in finish_times, "the last of Celery's tasks", workers)
    check_done(bench, population)
    return rate(finish_times.tolist())


def check_done(bench: Bench, population: Population) -> None:
    """Raise BenchError unless each user was searched for, and each stale user changed, once."""
    asked = bench.stand_ins.requests()["skolon"]
    wanted = {"search": population.people, "patch": population.stale_people}
    if asked != {kind: count for kind, count in wanted.items() if count} or bench.stand_ins.wrong(population):
        raise BenchError(f"Skolon was asked {asked}, and should have been asked {wanted}")
