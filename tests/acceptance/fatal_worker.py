"""The worker command, with one person over whom its process dies: `python -m … EXTERNAL_ID`.

Everything is as `update-sync worker` puts it together, but for the death.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING
from unittest.mock import patch

from clients.skolon import ScimDirectory
from queues.processes import run_processes
from schemas.attributes import Attribute
from schemas.messages import USER_SYNC_QUEUE
from workers import main

if TYPE_CHECKING:
    from collections.abc import Mapping

    from schemas.skolon_user import SkolonUser

_find = ScimDirectory.find


def _deadly_find(
    directory: ScimDirectory, organisation: str, keys: Mapping[Attribute, str]
) -> list[SkolonUser]:
    if keys.get(Attribute.EXTERNAL_ID) == sys.argv[1]:
        os.kill(os.getpid(), signal.SIGKILL)
    return _find(directory, organisation, keys)


def build() -> None:
    """Put a worker process together, as dramatiq's command line asks for it."""
    patch.object(ScimDirectory, "find", _deadly_find).start()
    main.build()


if __name__ == "__main__":
    sys.exit(
        run_processes(
            "tests.acceptance.fatal_worker:build", queues=(USER_SYNC_QUEUE,), processes=1, threads=8
        )
    )
