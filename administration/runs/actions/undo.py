"""What an undo of a run would restore, and the request for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from administration.hub.actions import carry_out
from administration.runs.actions.start import check_request, event_of
from administration.runs.guard_forecast import guard_forecast
from administration.runs.trigger import build_request, publish_request
from schemas.hub.action import Action, ActionRefusal, ActionRefusedError
from schemas.hub.session import AuditKind
from schemas.outcomes import OPEN_STATUSES, Mode, Status
from schemas.runs.changes import GuardCounts

if TYPE_CHECKING:
    from administration.runs.guard_forecast import GuardForecast
    from queues.interfaces import Publisher
    from schemas.hub.action import Submission
    from schemas.runs.changes import ChangeCounts
    from schemas.runs.run import Run, RunSummary
    from schemas.runs.totals.run_undo import RunUndo
    from store.store import Store


@dataclass(frozen=True, kw_only=True)
class UndoOffer:
    """What an undo of a run would restore at most, for so many `users`, in which attribute.

    `refusal` says why it cannot be undone, None if it can. Of `forgotten` users the former values are not
    kept any more. `reread` users are read again afterwards: the run went by a link that was taken back.
    `last_preview` is the newest preview of the undo that has ended, and `undos` have been made.
    """

    summary: RunSummary
    refusal: ActionRefusal | None
    users: int
    forgotten: int
    changes: ChangeCounts
    guard: GuardForecast
    reread: int
    last_preview: RunSummary | None
    undos: tuple[RunUndo, ...]

    @property
    def cancels_run(self) -> bool:
        """Whether the undo cancels the run, because it is halted."""
        return self.summary.run.status is Status.HALTED

    @property
    def is_done(self) -> bool:
        """Whether an undo has come to its end for all users, so that another one has nothing to do."""
        return any(each.is_complete for each in self.undos)

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object."""
        return {
            "refusal": self.refusal and str(self.refusal),
            "users": self.users,
            "forgotten": self.forgotten,
            "attributes": self.changes.as_json(),
            "cancels_run": self.cancels_run,
            "reread": self.reread,
            "would_halt": list(self.guard.would_halt),
            "last_preview": self.last_preview and self.last_preview.as_json(),
            "undone_by": [undo.as_json() for undo in self.undos],
        }


def offer_undo(summary: RunSummary, *, store: Store) -> UndoOffer:
    """Return what an undo of a run would restore as things stand."""
    run, records = summary.run, store.undo_records
    users, changes = records.count_claimed(run.id), records.changes(run.id)
    preview = records.last_preview(run.id)
    return UndoOffer(
        summary=summary,
        refusal=_refusal(run, users),
        users=users,
        forgotten=records.count_forgotten(run.id),
        changes=changes,
        guard=guard_forecast(
            store.tenants.outline(run.tenant).guard,
            GuardCounts(changed=changes.users, identity_changed=changes.identity),
            store.guard_counters.directory_size(run.id),
        ),
        reread=len(records.users_of_forgotten_links(run.id)),
        last_preview=None if preview is None else store.runs.summary(preview),
        undos=records.undos_of(run.id),
    )


def undo_run_once(
    run: Run, submission: Submission, *, dry_run: bool, store: Store, publisher: Publisher
) -> str:
    """Request the undo of a run, or its preview, once for each key of a submission; return its event id.

    Raises `ActionRefusedError` for a run that cannot be undone, and as `carry_out` does.
    """
    event_id = event_of(run.tenant, submission.key)
    action = Action(
        kind=AuditKind.UNDO_PREVIEWED if dry_run else AuditKind.RUN_UNDONE,
        tenant=run.tenant,
        key=submission.key,
        run=run.id,
        fields={"dry_run": dry_run},
    )

    def publish() -> dict[str, str]:
        why = _refusal(store.runs.get(run.id), store.undo_records.count_claimed(run.id))
        if why is not None:
            raise ActionRefusedError(why, f"Run {run.id} cannot be undone: {why}.")
        request = build_request(
            tenant=run.tenant, mode=str(Mode.UNDO), dry_run=dry_run, reverts_run_id=run.id
        )
        check_request(request, store=store)
        publish_request(request, store=store, publisher=publisher, event_id=event_id)
        return {"event": event_id}

    return str(carry_out(action, submission.actor, publish, store=store)["event"])


def _refusal(run: Run, users: int) -> ActionRefusal | None:
    """Return why a run that has claimed so many users cannot be undone, as `undo_block_reason` says it."""
    if run.dry_run:
        return ActionRefusal.NOTHING_TO_UNDO
    if run.status in OPEN_STATUSES:
        return ActionRefusal.NOT_ENDED
    # A worker may process a user of a halted run just now; the undo takes care of that.
    if not users and run.status is not Status.HALTED:
        return ActionRefusal.NOTHING_TO_UNDO
    return None
