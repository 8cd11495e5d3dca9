"""The worker command, with a thread that dies by an exception as soon as it works on anything.

Everything is as `update-sync worker` puts it together, but for the death.
"""

from __future__ import annotations

from queues.consuming.gevent_patch import patch_gevent

patch_gevent()

# ruff: noqa: E402 - everything else comes afterwards, as in `cli.entrypoint`
import sys
from typing import Any, NoReturn
from unittest.mock import patch

from dramatiq.worker import WorkerThread

from queues.consuming.processes import run_processes
from schemas.messages.messages import USER_SYNC_QUEUE
from workers import main


def _die(*_: Any) -> NoReturn:
    raise RuntimeError("a bug in the library")


def build() -> None:
    """Put a worker process together, as dramatiq's command line asks for it."""
    patch.object(WorkerThread, "process_message", _die).start()
    main.build()


if __name__ == "__main__":
    sys.exit(
        run_processes(
            "tests.acceptance.workers.killed_worker:build", queues=(USER_SYNC_QUEUE,), processes=1, threads=4
        )
    )
