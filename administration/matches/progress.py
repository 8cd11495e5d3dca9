"""What has become of the users of a decision that was made in the Data Hub."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from schemas.hub.session import AuditKind
from schemas.outcomes import ENDED_STATUSES, Outcome, Status

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from schemas.reports.user_status import HistoryEntry
    from schemas.runs.run import Run
    from store.store import Store

#: Users that are shown, each with what the run did.
_MAX_SHOWN: Final = 10

_OURS: Final = (AuditKind.MATCH_LINKED, AuditKind.USER_IGNORED, AuditKind.DECISION_FORGOTTEN)


@dataclass(frozen=True, kw_only=True)
class DecisionProgress:
    """A decision, the run that applies it, and its users with what the run did; None before it did.

    `is_requested` says that a run was asked for; `run` is None until it has begun. If none could be asked
    for, the next run applies the decision; `halted_run` has to be answered before. Of many users the first
    ones are shown, and `more` are not.
    """

    kind: AuditKind
    user: str | None
    skolon_id: str | None
    is_requested: bool
    run: Run | None
    users: Sequence[tuple[str, HistoryEntry | None]]
    more: int
    halted_run: str | None
    undos: Sequence[Mapping[str, str]]

    @property
    def goes_on(self) -> bool:
        """Whether there is more to come."""
        return self.is_requested and (
            self.run is None or self.run.status not in (*ENDED_STATUSES, Status.HALTED)
        )


def decision_progress(tenant: str, key: str, *, store: Store) -> DecisionProgress | None:
    """Return how far a decision with an action's key is; None if no decision has this key."""
    result: Mapping[str, Any] | None = store.hub_actions.result(tenant, key)
    if result is None or result.get("kind") not in _OURS:
        return None
    event = result["event"]
    run = None if event is None else store.triggers.find_run(event)
    users: list[str] = result["users"]
    return DecisionProgress(
        kind=AuditKind(result["kind"]),
        user=result["user"],
        skolon_id=result["skolon_user"],
        is_requested=event is not None,
        run=run,
        users=[(user, _entry(tenant, user, run, store)) for user in users[:_MAX_SHOWN]],
        more=len(users[_MAX_SHOWN:]),
        halted_run=result["halted_run"],
        undos=result["undos"],
    )


def _entry(tenant: str, user: str, run: Run | None, store: Store) -> HistoryEntry | None:
    if run is None:
        return None
    entries = store.user_history.entries(tenant, user)
    return next(
        (each for each in entries if each.run == run.id and each.outcome is not Outcome.PENDING), None
    )
