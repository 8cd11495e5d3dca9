"""The worker command, whose process dies when it has written a temporary value to Skolon."""

from __future__ import annotations

import os
import re
import signal
from typing import TYPE_CHECKING, Final
from unittest.mock import patch

from tests.acceptance.patched_command import run_patched

if TYPE_CHECKING:
    from collections.abc import Mapping

    from schemas.users.attributes import Attribute
    from schemas.users.skolon_user import SkolonUser

_TEMPORARY: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}@.+")


def _die_between() -> None:
    from clients.skolon.client import ScimSkolonClient  # noqa: PLC0415 - as `run_patched` says

    update = ScimSkolonClient.update

    def deadly_update(
        client: ScimSkolonClient,
        organisation: str,
        user: SkolonUser,
        changes: Mapping[Attribute, str | None],
    ) -> SkolonUser | None:
        after = update(client, organisation, user, changes)
        if any(_TEMPORARY.fullmatch(value or "") for value in changes.values()):
            os.kill(os.getpid(), signal.SIGKILL)
        return after

    patch.object(ScimSkolonClient, "update", deadly_update).start()


if __name__ == "__main__":
    run_patched("worker", "--threads", "8", replace=_die_between)
