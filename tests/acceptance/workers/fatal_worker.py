"""The worker command, with a user over whom its process dies: `python -m … EXTERNAL_ID`."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING
from unittest.mock import patch

from tests.acceptance.patched_command import run_patched

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from clients.skolon.search.scim_search import SearchResult
    from schemas.users.attributes import Attribute


def _die_of(external_id: str) -> None:
    from clients.skolon.client import ScimSkolonClient  # noqa: PLC0415 - as `run_patched` says

    search_many = ScimSkolonClient.search_many

    def deadly_search_many(
        client: ScimSkolonClient, organisation: str, users: Sequence[Mapping[Attribute, str]]
    ) -> list[SearchResult]:
        if any(external_id in keys.values() for keys in users):
            os.kill(os.getpid(), signal.SIGKILL)
        return search_many(client, organisation, users)

    patch.object(ScimSkolonClient, "search_many", deadly_search_many).start()


if __name__ == "__main__":
    deadly = sys.argv[1]
    run_patched("worker", "--threads", "8", replace=lambda: _die_of(deadly))
