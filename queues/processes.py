"""dramatiq's own worker processes: forked, restarted with SIGHUP, ended with SIGTERM."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dramatiq import cli, set_broker

from queues.isolation import alone_queue
from queues.liveness import Liveness

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dramatiq import Broker

#: Milliseconds that a worker may take to finish what it has in hand when it is to end.
_SHUTDOWN_TIMEOUT = 60_000


def run_processes(build: str, *, queues: Sequence[str], processes: int, threads: int) -> int:
    """Work off `queues` until a signal ends it, and return the exit code.

    `build` names the function (`package.module:function`) that puts a process together.
    """
    arguments = [
        build,
        "--processes",
        str(processes),
        "--threads",
        str(threads),
        "--queues",
        *queues,
        *map(alone_queue, queues),
        "--worker-shutdown-timeout",
        str(_SHUTDOWN_TIMEOUT),
        # Our own logging is set up by `build`; this keeps dramatiq's from doubling it.
        "--skip-logging",
    ]
    # dramatiq has no types there.
    parser = cli.make_argument_parser()  # type: ignore[no-untyped-call]
    return int(cli.main(parser.parse_args(arguments)) or 0)  # type: ignore[no-untyped-call]


def hand_over(broker: Broker) -> None:
    """Give this process's broker to dramatiq's command line, and have its threads looked after.

    It calls a `build` function, ignores what that returns, and takes dramatiq's global broker.
    """
    broker.add_middleware(Liveness())
    set_broker(broker)
