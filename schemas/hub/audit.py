"""What the audit of the Data Hub records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime as dt

    from schemas.dead_letter_reasons import Reason
    from schemas.hub.session import AuditKind


@dataclass(frozen=True, kw_only=True)
class AuditEntry:
    """What happened at the aware time `at`, by or to which member, and which tenant and user it was about.

    What a program did has its `token`, and what was done to a run has the `run`; both are numbers. A look at
    the names of a group has its `reason` and the number of `users`.
    `by` is another member who did it to `member`.
    """

    id: int
    kind: AuditKind
    member: int | None
    by: int | None
    tenant: str | None
    user: str | None
    at: dt.datetime
    token: int | None = None
    run: int | None = None
    reason: Reason | None = None
    users: int | None = None


@dataclass(frozen=True, kw_only=True)
class AuditPage:
    """Entries, the newest first; `before` leads to the older ones, None if there are none."""

    entries: tuple[AuditEntry, ...]
    before: int | None
