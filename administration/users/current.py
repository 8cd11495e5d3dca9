"""What Entra and Skolon hold of a user now, what a run would do, and why it is not done yet."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from administration.remedies import FailureOwners, remedy_json
from administration.tenants.next_run import next_run
from administration.users.candidates import candidates_in, values_in
from administration.users.explanation import END_FIELDS, explain_user
from administration.users.lookup import MAX_FOUND, decision_about, find_users, not_found, too_many_found
from administration.users.status import user_report
from schemas.dead_letter_reasons import Reason
from schemas.errors import HaltError, PermanentError, TransientError
from schemas.outcomes import Outcome
from schemas.reports.user_status import SyncState
from schemas.runs.sync_result import SyncResult
from schemas.timestamps import timestamp
from workers.pipeline import steps
from workers.pipeline.incomplete import IncompleteUpdateError
from workers.rules.diff import difference

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from administration.tenants.next_run import NextRun
    from administration.users.explanation import Explanation
    from administration.users.status import UserReport
    from clients.gateways import Gateways
    from schemas.outcomes import NotFoundReason
    from schemas.reports.remedy import Owner
    from schemas.reports.user_status import UserStatus
    from schemas.runs.changes import ChangeKind
    from schemas.tenants.match_decision import MatchDecision
    from schemas.users.attributes import Attribute
    from schemas.users.skolon_user import SkolonUser
    from store.store import Store


class DelayReason(StrEnum):
    """Why Skolon differs from Entra although the sync could change it."""

    #: The tenant is disabled, so that no run is made.
    TENANT_DISABLED = "tenant_disabled"
    #: A run that is open or halted has not come to the user yet.
    PENDING_RUN = "pending_run"
    #: No run has processed the user.
    NEVER_PROCESSED = "never_processed"
    #: The last run failed to update the user; it would succeed now.
    FAILED = "failed"
    #: An undo restored former values.
    REVERTED = "reverted"
    #: The last run did not find the user in Skolon, or left it out.
    LEFT_OUT = "left_out"
    #: Entra, Skolon or the tenant's settings have changed since the last run.
    CHANGED_SINCE = "changed_since"


_OF_STATE = {
    SyncState.UNKNOWN: DelayReason.NEVER_PROCESSED,
    SyncState.DEAD_LETTERED: DelayReason.FAILED,
    SyncState.REVERTED: DelayReason.REVERTED,
    SyncState.NOT_IN_SKOLON: DelayReason.LEFT_OUT,
    SyncState.EXCLUDED: DelayReason.LEFT_OUT,
    SyncState.IN_SYNC: DelayReason.CHANGED_SINCE,
}


@dataclass(frozen=True, kw_only=True)
class Delay:
    """Why a difference is not written yet; `run` is the run that it is about, `at` when it ended (aware)."""

    reason: DelayReason
    run: int | None = None
    at: dt.datetime | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object."""
        return {
            "reason": str(self.reason),
            "run": None if self.run is None else str(self.run),
            "at": self.at and timestamp(self.at),
        }


@dataclass(frozen=True, kw_only=True)
class CurrentState:
    """Both sides of a user now; `delay` is there if a run that reads the user would change something.

    `owner` is who must act if a run would fail for the user.

    `decisions` are those about the user and about the Skolon users that match. `erase_blank` is the tenant's
    setting. `next_run` is the tenant's next scheduled run; None without a schedule. `halted_run` is a run
    that has to be answered before any other starts.
    """

    explanation: Explanation
    owner: Owner | None
    delay: Delay | None
    next_run: NextRun | None
    decisions: Sequence[MatchDecision] = ()
    halted_run: int | None = None
    erase_blank: Collection[Attribute] = ()

    @property
    def not_found_reason(self) -> NotFoundReason | None:
        """Why a run would not find the user."""
        end = self.explanation.explained.end
        return end.not_found_reason if isinstance(end, SyncResult) else None

    @property
    def outcome(self) -> Outcome | None:
        """What a run that reads the user would come to; None if it would halt, or a service is away."""
        found = self.explanation.as_json()["outcome"]
        return None if found is None else Outcome(found)

    @property
    def writes(self) -> Mapping[Attribute, ChangeKind]:
        """What a run that reads the user would write; of a user that fails, what it writes all the same."""
        end = self.explanation.explained.end
        result = end.result if isinstance(end, IncompleteUpdateError) else end
        return result.change_kinds if isinstance(result, SyncResult) else {}

    @property
    def is_gone(self) -> bool:
        """Whether Entra has no such user."""
        taken = self.explanation.explained.steps
        return any(isinstance(step, steps.ReadStep) and step.user is None for step in taken)

    @property
    def is_unknown(self) -> bool:
        """Whether Entra or Skolon could not be asked."""
        return isinstance(self.explanation.explained.end, HaltError | TransientError)

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object; values only if they were asked for, else their shape."""
        shown = self.explanation.as_json()
        by_name = {step["step"]: step for step in shown["steps"]}
        mapped = {each["attribute"]: each for each in by_name.get("map", {"attributes": []})["attributes"]}
        compared = by_name.get("compare", {"changes": [], "kept": []})
        match = by_name.get("match", {"by": None, "skolon_user": None})
        reason, due = shown["reason"], self.next_run and self.next_run.due
        full_due = self.next_run and self.next_run.full_due
        return {
            **{name: shown[name] for name in END_FIELDS},
            **(
                remedy_json(Reason(reason), self.owner)
                if reason and self.owner
                else {"owner": None, "explanation": None}
            ),
            "skolon_user": match["skolon_user"],
            "matched_by": match["by"],
            "not_found_reason": self.not_found_reason and str(self.not_found_reason),
            "decisions": [decision.as_json() for decision in self.decisions],
            "differences": _differences(compared["changes"], mapped),
            "candidates": [] if "compare" in by_name else self._candidates(mapped),
            "kept": compared["kept"],
            "not_compared": shown["not_compared"],
            "delay": self.delay and self.delay.as_json(),
            "halted_run": None if self.halted_run is None else str(self.halted_run),
            "next_due": due and timestamp(due.at),
            "next_mode": self.next_run and self.next_run.mode and str(self.next_run.mode),
            "next_full_due": full_due and timestamp(full_due.at),
        }

    @property
    def held_back(self) -> list[SkolonUser]:
        """The Skolon users that a failed match found and did not take."""
        taken, end = self.explanation.explained.steps, self.explanation.explained.end
        if not isinstance(end, PermanentError):
            return []
        named = end.candidates or ((end.collision.skolon_id,) if end.collision else ())
        return [user for user, _ in candidates_in(taken).values() if not named or user.id in named]

    def _candidates(self, mapped: Mapping[str, dict[str, Any]]) -> list[dict[str, Any]]:
        """Return what differs from the Skolon users that a failed match found and did not take."""
        wanted = values_in(self.explanation.explained.steps)
        return [
            {
                "skolon_user": user.id,
                "differences": _differences(
                    self.explanation.changes_json(user, difference(user, wanted, self.erase_blank)), mapped
                ),
            }
            for user in self.held_back
        ]


def _differences(
    changes: Sequence[dict[str, Any]], mapped: Mapping[str, dict[str, Any]]
) -> list[dict[str, Any]]:
    return [
        {
            "attribute": each["attribute"],
            "entra": each["to"],
            "rule": mapped[each["attribute"]]["source"] if each["attribute"] in mapped else None,
            "skolon": each["from"],
            "kind": each["kind"],
            "identity": each["identity"],
            "hint": each["hint"],
        }
        for each in changes
    ]


def current_state(  # noqa: PLR0913 - the user, what is recorded of it, how to show it, and the sources
    user: str, tenant: str, recorded: UserStatus, *, values: bool, store: Store, gateways: Gateways
) -> CurrentState:
    """Look at a user in Entra and Skolon, and say what a run that reads it would do; nothing is changed."""
    explanation = explain_user(user, tenant, override={}, values=values, store=store, gateways=gateways)
    end = explanation.explained.end
    differs = isinstance(end, SyncResult) and end.outcome is Outcome.WOULD_UPDATE
    next_one = next_run(tenant, store, dt.datetime.now(dt.UTC))
    enabled = store.tenants.outline(tenant).enabled
    record = store.tenants.get(tenant)
    decided = [
        record.decisions.by_entra_id.get(user.lower()),
        *map(record.decisions.by_skolon_id.get, candidates_in(explanation.explained.steps)),
    ]
    halted = store.runs.unanswered_guard(tenant)
    owner = None
    if isinstance(end, PermanentError):
        owner = FailureOwners(store).of(tenant, end.reason, end.detail)
    return CurrentState(
        owner=owner,
        halted_run=None if halted is None else halted.id,
        decisions=list({id(each): each for each in decided if each is not None}.values()),
        erase_blank=record.tenant.erase_blank,
        explanation=explanation,
        delay=delay_of(recorded, enabled=enabled) if differs else None,
        next_run=next_one,
    )


def delay_of(recorded: UserStatus, *, enabled: bool) -> Delay:
    """Say why a difference has not been written, from what the runs did."""
    if not enabled:
        return Delay(reason=DelayReason.TENANT_DISABLED)
    if recorded.pending is not None:
        return Delay(reason=DelayReason.PENDING_RUN, run=recorded.pending.run)
    latest = recorded.latest
    return Delay(
        reason=_OF_STATE[recorded.state],
        run=None if latest is None else latest.run,
        at=None if latest is None else latest.at,
    )


@dataclass(frozen=True, kw_only=True)
class CurrentReport:
    """What the runs recorded about a user, and how both sides are now."""

    recorded: UserReport
    now: CurrentState

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object."""
        return {**self.recorded.as_json(), "now": self.now.as_json()}


def current_reports(  # noqa: PLR0913 - the user, how to show it, and the sources
    tenant: str,
    identifier: str,
    *,
    values: bool,
    store: Store,
    gateways: Gateways,
    keys: Sequence[str],
    limit: int,
) -> list[CurrentReport]:
    """Find users by id, address or name in the runs and in Entra, and look at both sides of each.

    An ignored Skolon user may be no user's: then there is no report. Raises `UsageError` if there is no such
    tenant or user, or more than ten; and what Graph raises if only Graph could know the user.
    """
    ids = find_users(tenant, identifier, store=store, gateways=gateways, keys=keys)
    if len(ids) > MAX_FOUND:
        raise too_many_found(ids)
    reports = []
    for user in ids:
        recorded = user_report(tenant, user, store=store, limit=limit)
        now = current_state(user, tenant, recorded.standing, values=values, store=store, gateways=gateways)
        if recorded.history or not now.is_gone:
            reports.append(CurrentReport(recorded=recorded, now=now))
    if not reports and decision_about(tenant, identifier, store=store) is None:
        raise not_found(tenant, identifier, store=store, gateways=gateways)
    return reports
