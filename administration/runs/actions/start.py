"""What a new run of a tenant would do, and the request for it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from administration.hub.actions import carry_out
from administration.runs.trigger import build_request, check_enabled, check_may_start, publish_request
from schemas.errors import UsageError
from schemas.hub.action import Action, ActionRefusal, ActionRefusedError
from schemas.hub.session import AuditKind
from schemas.outcomes import Mode, RunKind, Status

if TYPE_CHECKING:
    from queues.interfaces import Publisher
    from schemas.hub.action import Submission
    from schemas.messages.messages import SyncRequest
    from schemas.runs.run import Run, RunSummary
    from store.store import Store


class StartKind(StrEnum):
    """What can be started: a run of all users or of those that changed in Entra, or a dry run."""

    FULL = "full"
    DELTA = "delta"
    DRY_RUN = "dry_run"


@dataclass(frozen=True, kw_only=True)
class StartPlan:
    """What there is to know before a run is started.

    `last_full` is the last complete run of all users, and `last_read` the run that a run of the changed users
    begins behind. A request for another run waits for the `open_run`. While `unanswered` waits for an answer
    nothing but a dry run can be started, and of a disabled tenant nothing at all.
    """

    last_full: RunSummary | None
    last_read: RunSummary | None
    open_run: Run | None
    unanswered: Run | None
    is_enabled: bool

    @property
    def may_change(self) -> bool:
        """Whether a run that changes users can be started."""
        return self.is_enabled and self.unanswered is None

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object."""
        return {
            "enabled": self.is_enabled,
            "open_run": None if self.open_run is None else str(self.open_run.id),
            "unanswered_run": None if self.unanswered is None else str(self.unanswered.id),
            "last_full": None if self.last_full is None else self.last_full.as_json(),
        }


def plan_start(tenant: str, *, store: Store) -> StartPlan:
    """Return what there is to know before a run of a tenant is started."""
    runs = store.runs
    complete = (Status.COMPLETED,)
    last_full = runs.list(tenant, 1, statuses=complete, kinds=[RunKind.FULL])
    last_read = runs.list(tenant, 1, statuses=complete, kinds=[RunKind.FULL, RunKind.DELTA])
    return StartPlan(
        last_full=next(iter(last_full), None),
        last_read=next(iter(last_read), None),
        open_run=runs.open_run(tenant),
        unanswered=runs.unanswered_guard(tenant),
        is_enabled=store.tenants.outline(tenant).enabled,
    )


def start_run(
    tenant: str, kind: StartKind, submission: Submission, *, store: Store, publisher: Publisher
) -> str:
    """Request a run, once for each key of a submission, and return its event id.

    Raises `ActionRefusedError` for what a producer would refuse, and as `carry_out` does.
    """
    is_dry = kind is StartKind.DRY_RUN
    mode = Mode.DELTA if kind is StartKind.DELTA else Mode.FULL
    request = build_request(tenant=tenant, mode=str(mode), dry_run=is_dry)
    event_id = event_of(tenant, submission.key)
    action = Action(
        kind=AuditKind.PREVIEW_REQUESTED if is_dry else AuditKind.RUN_REQUESTED,
        tenant=tenant,
        key=submission.key,
        event=event_id,
        fields={"kind": str(kind)},
    )

    def publish() -> dict[str, str]:
        check_request(request, store=store)
        publish_request(request, store=store, publisher=publisher, event_id=event_id)
        return {"event": event_id}

    return str(carry_out(action, submission.actor, publish, store=store)["event"])


def event_of(tenant: str, key: str) -> str:
    """Return the event id of the run that an action with a key requests: one and the same each time."""
    return f"hub/{tenant}/{key}"


def check_request(request: SyncRequest, *, store: Store) -> None:
    """Raise `ActionRefusedError` for a request that a producer would refuse as things stand."""
    try:
        check_enabled(request.tenant, store=store)
    except UsageError as error:
        raise ActionRefusedError(ActionRefusal.DISABLED, str(error)) from None
    try:
        check_may_start(request, store=store)
    except UsageError as error:
        raise ActionRefusedError(ActionRefusal.UNANSWERED, str(error)) from None
