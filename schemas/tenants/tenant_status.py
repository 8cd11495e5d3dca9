"""Status of a tenant: its last run, its users in Skolon, what is due next, and what needs a person."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from schemas.dead_letter_reasons import Reason
from schemas.timestamps import timestamp

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from schemas.errors import Dependency
    from schemas.outcomes import Cause
    from schemas.reports.remedy import Owner
    from schemas.runs.run import Run, RunSummary
    from schemas.runs.totals.scope_change import ScopeChange
    from schemas.tenants.schedule_state import SchedulePause

#: Reasons that a wrong source in the settings gives to all users. How many users, and which share of those
#: that are to be in sync, speak for that.
REASONS_OF_SOURCES: Final = (Reason.INVALID_USER,)
_MANY: Final = 5
_MOST: Final = 0.5


class ProblemKind(StrEnum):
    """What keeps a tenant from being in order until a person acts."""

    #: No run of all users was ever complete, none is open, and no schedule will start one.
    NEVER_SYNCED = "never_synced"
    #: The scope leaves out all users that Skolon has, so that none is in sync.
    NO_USERS = "no_users"
    #: Most users have no value of an attribute in Entra, so that it is not synced for them.
    NO_VALUES = "no_values"
    #: A run is open, and no process takes its pages or users, or RabbitMQ is away.
    NO_PRODUCER = "no_producer"
    NO_WORKER = "no_worker"
    BROKER_AWAY = "broker_away"
    #: Users or pages of an open run have waited for a service for more than an hour.
    SERVICE_AWAY = "service_away"
    #: A run is halted, and no later run of all users is complete.
    RUN_HALTED = "run_halted"
    #: A scheduled run is due, and no scheduler has requested it.
    RUN_OVERDUE = "run_overdue"
    #: A scheduled run was requested, and no producer has started it.
    RUN_NOT_STARTED = "run_not_started"
    #: Requests for runs were refused while a halted run waited for an answer (`guard_unanswered`).
    REQUESTS_REFUSED = "requests_refused"
    #: The schedule cannot be read.
    SCHEDULE_INVALID = "schedule_invalid"
    #: Users are dead letters, all for one reason.
    USERS_FAILED = "users_failed"
    #: No user was confirmed as right for some days, as many as the tenant has chosen.
    NOT_CONFIRMED = "not_confirmed"
    #: The date of the client secret has passed, or passes within a month.
    SECRET_EXPIRED = "secret_expired"  # noqa: S105 - the name of a problem, no secret
    SECRET_EXPIRES = "secret_expires"  # noqa: S105 - the name of a problem, no secret


@dataclass(frozen=True, kw_only=True)
class Problem:
    """What needs a person, and who must act; the other fields are those that the kind has.

    `run` is the run that it is about, and `cause` that of a halted one, which may be an undo (`of_undo`).
    `reason` and `users` are those of failed users; of `no_users`, `users` are those that are left out or not
    in Skolon, of `no_values` those without a value. `since` is when a run was halted, or due, or the last
    user was confirmed (aware). `expires` is the date of the client secret. `requests` are those that were
    refused. `service` is what a run has waited for since then, and `users` how many of its users do.
    """

    kind: ProblemKind
    owner: Owner
    run: int | None = None
    cause: Cause | None = None
    of_undo: bool = False
    reason: Reason | None = None
    users: int | None = None
    since: dt.datetime | None = None
    expires: dt.date | None = None
    requests: int | None = None
    service: Dependency | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object."""
        return {
            "kind": str(self.kind),
            "owner": str(self.owner),
            "run": None if self.run is None else str(self.run),
            "cause": self.cause and str(self.cause),
            "reason": self.reason and str(self.reason),
            "users": self.users,
            "since": self.since and timestamp(self.since),
            "expires": self.expires and self.expires.isoformat(),
            "requests": self.requests,
            "service": self.service and str(self.service),
        }


@dataclass(frozen=True, kw_only=True)
class UserTotals:
    """The users of a tenant's last complete run of all users (`run`) and of later runs, by their state.

    `in_sync` of them were updated or unchanged, `within_day` and `within_week` of these verified in the last
    day and in the last seven days; `oldest` and `newest` are the first and the last of these times (aware).
    `reverted` have the
    values that an undo restored. `failed` has the users that failed by reason, and `held_in_entra` how many
    of these should get what another user in Entra has. `set_aside` of them a member has set aside.
    """

    run: int | None = None
    in_sync: int = 0
    within_day: int = 0
    within_week: int = 0
    oldest: dt.datetime | None = None
    newest: dt.datetime | None = None
    reverted: int = 0
    not_found: int = 0
    out_of_scope: int = 0
    failed: Mapping[Reason, int]
    held_in_entra: Mapping[Reason, int] = field(default_factory=dict)
    set_aside: Mapping[Reason, int] = field(default_factory=dict)

    @property
    def failures(self) -> int:
        """How many users are dead letters."""
        return sum(self.failed.values())

    @property
    def expected(self) -> int:
        """How many users are to be in sync: all but those that are out of scope or not found."""
        return self.in_sync + self.reverted + self.failures

    @property
    def widespread(self) -> frozenset[Reason]:
        """The reasons that so many users fail for that the settings are at fault, not each user's values."""
        return frozenset(
            reason
            for reason in REASONS_OF_SOURCES
            if (users := self.failed.get(reason, 0)) >= _MANY and users > self.expected * _MOST
        )

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object."""
        return {
            "expected": self.expected,
            "in_sync": self.in_sync,
            "verified_within_day": self.within_day,
            "verified_within_week": self.within_week,
            "reverted": self.reverted,
            "not_found": self.not_found,
            "out_of_scope": self.out_of_scope,
            "failed": self.failures,
            "reasons": {str(reason): count for reason, count in sorted(self.failed.items())},
            "set_aside": sum(self.set_aside.values()),
        }


@dataclass(frozen=True, kw_only=True)
class TenantStatus:
    """The status of a tenant, which has a key and a name.

    `last_run` is its newest run of all users that is no dry run, if it has one. `open_run` is that run with
    its totals while it is not completed. `next_due` is the next scheduled time (aware); None without a
    schedule. `pause` is in force until its end. `scope_change` is that of its last complete run of all users.
    """

    tenant: str
    name: str
    enabled: bool
    last_run: Run | None
    open_run: RunSummary | None
    users: UserTotals
    scope_change: ScopeChange | None
    next_due: dt.datetime | None
    client_secret_expires: dt.date | None
    problems: tuple[Problem, ...]
    pause: SchedulePause | None = None

    @property
    def never_synced(self) -> bool:
        """Whether no run of all users was ever complete."""
        return self.scope_change is None and not self.users.in_sync

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object."""
        run, summary, expires = self.last_run, self.open_run, self.client_secret_expires
        return {
            "tenant": self.tenant,
            "enabled": self.enabled,
            "last_run": run
            and {
                "run": str(run.id),
                "mode": str(run.mode),
                "status": str(run.status),
                "cause": run.cause and str(run.cause),
                "started": timestamp(run.started),
                "finished": run.finished and timestamp(run.finished),
                "published": summary and summary.published,
                "pending": summary and summary.pending,
                "waiting": [waiting.as_json() for waiting in summary.waiting] if summary else [],
            },
            "never_synced": self.never_synced,
            "users": self.users.as_json(),
            "scope_change": self.scope_change and self.scope_change.as_json(),
            "next_due": self.next_due and timestamp(self.next_due),
            "pause": self.pause and self.pause.as_json(),
            "client_secret_expires": expires and expires.isoformat(),
            "problems": [problem.as_json() for problem in self.problems],
        }
