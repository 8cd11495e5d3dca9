"""The request that undoes a run, and what it will do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from administration.runs.guard_forecast import guard_forecast
from administration.runs.trigger import build_request, check_may_start
from schemas.errors import UsageError
from schemas.outcomes import Mode, Status
from store.changes.undo import undo_block_reason

if TYPE_CHECKING:
    from collections.abc import Sequence

    from administration.runs.guard_forecast import GuardForecast
    from schemas.messages.messages import SyncRequest
    from schemas.runs.run import Run
    from schemas.runs.totals.run_undo import RunUndo
    from store.store import Store


@dataclass(frozen=True, kw_only=True)
class UndoPlan:
    """A request that undoes a run, how many users that run may have changed, and what the guard may say.

    `guard` has what the undo counts at most; None if it passes the guard anyway. `reread` are the Entra users
    whose Skolon user the next delta run finds out again: the run wrote because of a link that was taken back.
    `linked` are users whose link still stands, so that the next run writes the same again. `undos` have been
    made already.
    """

    undone: Run
    request: SyncRequest
    users: int
    guard: GuardForecast | None
    reread: Sequence[str] = ()
    linked: Sequence[str] = ()
    undos: Sequence[RunUndo] = ()

    @property
    def cancels_run(self) -> bool:
        """Whether the undo cancels the run: a halted one, if all its users are undone."""
        return self.undone.status is Status.HALTED and not (self.request.users or self.request.dry_run)


def plan_undo(
    run: int, *, users: tuple[str, ...], dry_run: bool, override_guard: bool, store: Store
) -> UndoPlan:
    """Return the request that undoes a run for `users`, or for all its users if there are none.

    Raises `UsageError` if the run cannot be undone, or has no receipt of one of the users.
    """
    undone = store.runs.get(run)
    request = build_request(
        tenant=undone.tenant,
        mode=str(Mode.UNDO),
        dry_run=dry_run,
        users=list(users),
        reverts_run_id=run,
        override_guard=override_guard,
    )
    check_may_start(request, store=store)
    changed = len(request.users) or store.undo_records.count_claimed(run)
    why = undo_block_reason(undone.status, dry_run=undone.dry_run, people=changed)
    if why is not None:
        raise UsageError(f"Run {run} cannot be undone: {why}.")
    unknown = [user for user in request.users if store.receipts.get(run, user) is None]
    if unknown:
        raise UsageError(f"Run {run} has no result of:", unknown)
    guard = None
    if not override_guard:
        guard = guard_forecast(
            store.tenants.outline(undone.tenant).guard,
            store.undo_records.guard_counts(run, request.users),
            store.guard_counters.directory_size(run),
        )
    decisions = store.tenants.get(undone.tenant).decisions
    return UndoPlan(
        undone=undone,
        request=request,
        users=changed,
        guard=guard,
        reread=store.undo_records.users_of_forgotten_links(run, request.users),
        linked=tuple(user for user in request.users if decisions.linked_skolon_id(user) is not None),
        undos=store.undo_records.undos_of(run),
    )
