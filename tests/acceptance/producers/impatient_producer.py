"""The producer command, with a reconciler that waits for seconds where it would wait for minutes.

Everything is as `update-sync producer` puts it together, but for the periods.
"""

from __future__ import annotations

from queues.consuming.gevent_patch import patch_gevent

patch_gevent()

# ruff: noqa: E402 - everything else comes afterwards, as in `cli.entrypoint`
import sys
from functools import partial
from unittest.mock import patch

from producers import main
from producers.reconciliation.loss_detection import LossTimeouts
from queues.consuming.processes import run_processes
from schemas.messages.messages import TENANT_PAGES_QUEUE, TENANT_SYNC_QUEUE


def build() -> None:
    """Put a producer process together, as dramatiq's command line asks for it."""
    patch.object(
        main,
        "LossTimeouts",
        partial(LossTimeouts, check_interval=0.5, quiet_time=5.0, quiet_time_in_outage=5.0),
    ).start()
    main.build()


if __name__ == "__main__":
    sys.exit(
        run_processes(
            "tests.acceptance.producers.impatient_producer:build",
            queues=(TENANT_SYNC_QUEUE, TENANT_PAGES_QUEUE),
            processes=1,
            threads=4,
        )
    )
