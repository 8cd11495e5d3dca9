"""What the audit of the Data Hub records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from schemas.hub.member import Role

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from schemas.dead_letter_reasons import Reason
    from schemas.hub.session import AuditKind


@dataclass(frozen=True, kw_only=True)
class Membership:
    """The role of a member, and the tenants by their keys, from an entry of the audit on.

    `former_role` and `former_tenants` are those until then; None and nothing for a member who was invited.
    """

    role: Role
    tenants: tuple[str, ...]
    former_role: Role | None = None
    former_tenants: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object."""
        return {
            "role": str(self.role),
            "tenants": list(self.tenants),
            "former_role": self.former_role and str(self.former_role),
            "former_tenants": list(self.former_tenants),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Membership:
        """Return what `as_json` made the object of."""
        former = data["former_role"]
        return cls(
            role=Role(data["role"]),
            tenants=tuple(data["tenants"]),
            former_role=None if former is None else Role(former),
            former_tenants=tuple(data["former_tenants"]),
        )


@dataclass(frozen=True, kw_only=True)
class AuditEntry:
    """What happened at the aware time `at`, by or to which member, and which tenant and user it was about.

    What a program did has its `token`, and what was done to a run has the `run`; both are numbers. A run that
    was asked for has its trigger's `event`. A look at the names of a group has its `reason` and the number of
    `users`. An invitation, and a change of a member, has what the `membership` was and became.
    What is about the `mapping` has the draft's number, the attributes, and those that needed a second person
    `before` and `after`, as far as it is about them.
    `by` is another member who did it to `member`. A decision about a user in Skolon has the `skolon_id`.
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
    skolon_id: str | None = None
    reason: Reason | None = None
    users: int | None = None
    event: str | None = None
    membership: Membership | None = None
    mapping: Mapping[str, Any] | None = None


@dataclass(frozen=True, kw_only=True)
class AuditPage:
    """Entries, the newest first; `before` leads to the older ones, None if there are none."""

    entries: tuple[AuditEntry, ...]
    before: int | None
