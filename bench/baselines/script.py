"""Runs the plain script: `python -m bench.baselines.script THREADS`, in sequence or in a pool of threads.

Prints, as JSON, the time at which each user was done.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from bench.baselines.plain_sync import Job, entra_users, skolon_session, sync_user

if TYPE_CHECKING:
    import requests


class _PerThread(threading.local):
    """Holds one session for each thread: requests does not promise that threads may share one."""

    session: requests.Session | None = None


def main(threads: int) -> list[float]:
    """Sync all users and return the time at which each was done."""
    job = Job.from_environment()
    own = _PerThread()

    def done(user: dict[str, Any]) -> float:
        if own.session is None:
            own.session = skolon_session()
        sync_user(own.session, job, user)
        return time.time()

    if threads == 1:
        return [done(user) for user in entra_users(job)]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(done, entra_users(job)))


if __name__ == "__main__":
    print(json.dumps(main(int(sys.argv[1]))))  # noqa: T201 - what the command is for
