"""Resumes halted runs: publishes their remaining work again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from producers.page_sources import PAGE_SIZE
from queues.message import tenant_page_message, user_sync_message
from schemas.errors import UpdateSyncError, UsageError
from schemas.messages.messages import TenantPage
from schemas.outcomes import Cause, Status

if TYPE_CHECKING:
    from queues.interfaces import Publisher
    from schemas.runs.run import Run
    from store.store import Store


def resume_run(
    run_id: int, *, store: Store, publisher: Publisher, override_guard: bool = False
) -> tuple[Run, int]:
    """Resume a halted run; return it and how many users were published.

    What the guard has halted goes on only with `override_guard`, and then unwatched: otherwise it raises
    `UsageError`. So does a run that found suspiciously few users, and one whose tenant
    has another run that the guard has halted. Raises as `Runs.resume` and
    `Publisher.publish` do. When publishing fails, the run is halted again with the cause it had, so that it
    does not stay open without messages.
    """
    halted = store.runs.get(run_id)
    if not halted.dry_run:
        store.runs.check_guard_answered(halted.tenant, except_run=run_id)
    if override_guard:
        store.guard_counters.override(run_id)
    elif halted.cause is Cause.GUARD_EXCEEDED:
        raise UsageError(
            f"The guard has halted run {run_id}: {halted.detail}. "
            f"'runs resume {run_id} --override-guard' lets it go on, 'runs cancel {run_id}' ends it."
        )
    elif halted.cause is Cause.SUSPICIOUS_LIST and store.runs.summary(run_id).published:
        raise UsageError(
            f"Run {run_id} may have found too few users: {halted.detail}. If it is right, "
            f"'runs resume {run_id} --override-guard' completes it. Otherwise correct the cause, end it with "
            f"'runs cancel {run_id}' and start a new run."
        )
    run = store.runs.resume(run_id)
    try:
        return run, publish_pending(run, store=store, publisher=publisher)
    except UpdateSyncError:
        if halted.cause is not None:
            store.runs.halt(run_id, halted.cause, halted.detail or "")
        raise


def publish_pending(run: Run, *, store: Store, publisher: Publisher) -> int:
    """Publish what a resumed run needs to go on, and return how many users that were.

    Pending users are published without payload, and so read afresh by id. A run whose list has
    not been read to its end reads it once more beside that: the list alone would not do, because
    a user who has left Entra since then is no longer on it and would stay pending for ever.
    All of it may be done twice without harm.
    """
    give_up = store.tenants.outline(run.tenant).give_up_after_hours
    if run.status is Status.READING:
        page = TenantPage(tenant=run.tenant, run=run.id, attempt=run.attempt, number=1, link=None)
        publisher.publish(
            [
                tenant_page_message(
                    store.message_cipher.sign_page(page),
                    give_up_after_hours=give_up,
                    is_quick=run.is_quick,
                )
            ]
        )
    published, last = 0, ""
    while users := store.runs.pending_users(run.id, after=last, limit=PAGE_SIZE):
        publisher.publish(
            [
                user_sync_message(user, give_up_after_hours=give_up, is_quick=run.is_quick)
                for user in store.message_cipher.encrypt_users(run.tenant, run.id, dict.fromkeys(users))
            ]
        )
        published, last = published + len(users), users[-1]
    store.runs.complete_if_done(run.id)
    return published
