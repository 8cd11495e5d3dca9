"""Runs with a few users, made in the database without a worker, for the tests of the pages."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from schemas.dead_letter_reasons import Reason
from schemas.messages.messages import SyncRequest
from schemas.outcomes import Mode, Outcome, Stage
from schemas.runs.sync_result import Failure, SyncResult
from tests.integration.cli.command_line import add_tenant, tenant_object

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from store.store import Store
    from tests.integration.hub.browser import Hub

USERS = tuple(f"00000000-0000-4000-8000-00000000000{number}" for number in range(6))
FAILED = Failure(reason=Reason.INVALID_USER, stage=Stage.MAP, detail="eppn: must have exactly one @")
UNCHANGED = SyncResult(outcome=Outcome.UNCHANGED)
NOT_FOUND = SyncResult(outcome=Outcome.NOT_FOUND)


def start(store: Store, tenant: str, event: str, users: Sequence[str] = USERS) -> int:
    """Begin a run of all users, or of the named ones; they are all pending."""
    named = () if users is USERS or len(users) > len(USERS) else tuple(users)
    run = store.triggers.open(SyncRequest(tenant=tenant, mode=Mode.FULL, users=named), event).run.id
    store.receipts.create_pending(run, users)
    return run


def finish(
    store: Store, run: int, results: Mapping[str, SyncResult | Failure], users: Sequence[str] = USERS
) -> None:
    """Give users their results, the others `unchanged`, and end the run."""
    for user in users:
        result = results.get(user, UNCHANGED)
        if isinstance(result, Failure):
            store.receipts.mark_dead_lettered(run, user, result, 1)
        else:
            store.receipts.finish(run, user, result)
    store.runs.finish_reading(run)
    store.runs.complete_if_done(run)


def new_tenant(hub: Hub, key: str) -> str:
    add_tenant(hub.env, key, tenant_object(name=f"Kommun {key}", organisation=key))
    return key


def text_of(page: str) -> str:
    """Return a page's content as it reads."""
    content = page.partition("<main")[2].partition("</main>")[0]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", content))
