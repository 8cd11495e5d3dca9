"""The worker command, with one person over whom its process dies: `python -m … EXTERNAL_ID`.

Everything is as `update-sync worker` puts it together, but for the death.
"""

from __future__ import annotations

from queues.consuming.gevent_patch import patch_gevent

patch_gevent()

# ruff: noqa: E402 - everything else comes afterwards, as in `cli.entrypoint`
import os
import signal
import sys
from typing import TYPE_CHECKING
from unittest.mock import patch

from clients.skolon.client import ScimSkolonClient
from queues.consuming.processes import run_processes
from schemas.messages.messages import USER_SYNC_QUEUE
from schemas.users.attributes import Attribute
from workers import main

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from clients.skolon.search import SearchResult

_search_many = ScimSkolonClient.search_many


def _deadly_search_many(
    directory: ScimSkolonClient, organisation: str, people: Sequence[Mapping[Attribute, str]]
) -> list[SearchResult]:
    if any(keys.get(Attribute.EXTERNAL_ID) == sys.argv[1] for keys in people):
        os.kill(os.getpid(), signal.SIGKILL)
    return _search_many(directory, organisation, people)


def build() -> None:
    """Put a worker process together, as dramatiq's command line asks for it."""
    patch.object(ScimSkolonClient, "search_many", _deadly_search_many).start()
    main.build()


if __name__ == "__main__":
    sys.exit(
        run_processes(
            "tests.acceptance.workers.fatal_worker:build", queues=(USER_SYNC_QUEUE,), processes=1, threads=8
        )
    )
