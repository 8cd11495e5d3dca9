"""The plain script: `python -m bench.baselines.script THREADS`, one after the other or in a pool of threads.

Prints, as JSON, when each user was done.
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
    """Each thread has a session of its own: requests does not promise that one may be shared."""

    session: requests.Session | None = None


def main(threads: int) -> list[float]:
    """Sync everybody and return when each was done."""
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
