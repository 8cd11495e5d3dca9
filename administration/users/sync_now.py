"""Syncing one user now, from pages and programs: what may keep it from beginning, and how far it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from administration.hub.actions import carry_out
from administration.runs.actions.start import check_request, event_of
from administration.runs.trigger import build_request, publish_request
from schemas.hub.action import Action
from schemas.hub.session import AuditKind
from schemas.outcomes import ENDED_STATUSES, Outcome, Status

if TYPE_CHECKING:
    from queues.interfaces import Publisher
    from schemas.hub.action import Submission
    from schemas.reports.user_status import HistoryEntry
    from schemas.runs.run import Run
    from store.store import Store


@dataclass(frozen=True, kw_only=True)
class SyncNowProgress:
    """How far the sync of one user is; `run` is None until it has begun, `entry` until it has a result."""

    run: Run | None
    entry: HistoryEntry | None

    @property
    def goes_on(self) -> bool:
        """Whether there is more to come."""
        return self.run is None or (
            self.entry is None and self.run.status not in (*ENDED_STATUSES, Status.HALTED)
        )


def sync_user_now(
    tenant: str, user: str, submission: Submission, *, store: Store, publisher: Publisher
) -> str:
    """Request a run of one user, once for each key of a submission, and return its event id.

    Skolon is asked about the user whatever earlier runs verified. Raises `ActionRefusedError` for what a
    producer would refuse, and as `carry_out` does.
    """
    event_id = event_of(tenant, submission.key)
    action = Action(
        kind=AuditKind.USER_SYNC_REQUESTED,
        tenant=tenant,
        key=submission.key,
        event=event_id,
        user=user,
    )

    def publish() -> dict[str, Any]:
        request = build_request(tenant=tenant, users=[user], recheck_all=True)
        check_request(request, store=store)
        publish_request(request, store=store, publisher=publisher, event_id=event_id)
        return {"kind": str(action.kind), "event": event_id, "user": user}

    return str(carry_out(action, submission.actor, publish, store=store)["event"])


def sync_now_progress(tenant: str, user: str, key: str, *, store: Store) -> SyncNowProgress | None:
    """Return how far the sync of a user is that an action's key has requested; None if none has."""
    result = store.hub_actions.result(tenant, key)
    if result is None or (result.get("kind"), result.get("user")) != (AuditKind.USER_SYNC_REQUESTED, user):
        return None
    run = store.triggers.find_run(result["event"])
    if run is None:
        return SyncNowProgress(run=None, entry=None)
    entries = store.user_history.entries(tenant, user)
    entry = next(
        (each for each in entries if each.run == run.id and each.outcome is not Outcome.PENDING), None
    )
    return SyncNowProgress(run=run, entry=entry)
