"""The same job as Celery tasks, written as Celery's documentation recommends.

Tasks are acknowledged late, on a quorum queue, published with confirms, and their results are not stored. See
Celery's pages on tasks, on quorum queues and on optimizing. `python -m bench.baselines.celery_app` publishes
a task for each user.
"""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING, Any

from celery import Celery

from bench.baselines.noop_actor import TIMESTAMPS_VARIABLE, URL_VARIABLE
from bench.baselines.plain_sync import Job, entra_users, skolon_session, sync_user
from bench.stubs.users import index_in_address
from bench.timestamps import open_timestamps

if TYPE_CHECKING:
    import requests

#: Celery's default queue.
QUEUE = "celery"

app = Celery("bench", broker=os.environ[URL_VARIABLE])
app.conf.update(
    task_acks_late=True,
    task_default_queue_type="quorum",
    task_ignore_result=True,
    broker_transport_options={"confirm_publish": True},
    worker_enable_remote_control=False,
    worker_send_task_events=False,
    broker_connection_retry_on_startup=True,
)


class _PerThread(threading.local):
    """Holds one session for each process and thread of any kind of pool."""

    session: requests.Session | None = None


_own = _PerThread()
_job = Job.from_environment()
_timestamps = open_timestamps(os.environ[TIMESTAMPS_VARIABLE])


@app.task  # type: ignore[untyped-decorator] # Celery has no types
def sync(user: dict[str, Any]) -> None:
    """Sync one user."""
    if _own.session is None:
        _own.session = skolon_session()
    sync_user(_own.session, _job, user)
    _timestamps[index_in_address(user["mail"], int(user["id"][:8], 16)) or 0] = time.time()


if __name__ == "__main__":
    for one in entra_users(_job):
        app.send_task("bench.baselines.celery_app.sync", args=[one])
