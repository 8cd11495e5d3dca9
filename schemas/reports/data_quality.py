"""Data-quality report: what a full run found to correct in Entra or Skolon, by ids alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from schemas.details.detail import structured_json
from schemas.timestamps import timestamp

if TYPE_CHECKING:
    from collections.abc import Sequence

    from schemas.dead_letter_reasons import Reason
    from schemas.reports.sign_in import SignInFindings
    from schemas.runs.collision import Collision
    from schemas.runs.run import RunSummary


@dataclass(frozen=True, kw_only=True)
class UserFindings:
    """Users with one finding: how many, and the first of them with the detail of each."""

    count: int
    users: Sequence[tuple[str, str | None]]

    def as_json(self) -> dict[str, Any]:
        """Return it for programs."""
        return {
            "count": self.count,
            "users": [
                {"user": user, "detail": detail, "structured_detail": structured_json(detail)}
                for user, detail in self.users
            ],
        }


@dataclass(frozen=True, kw_only=True)
class FailedFindings:
    """Users whose update failed: how many, and the first of them, each with the reason and the detail."""

    count: int
    users: Sequence[tuple[str, Reason, str | None]]

    def as_json(self) -> dict[str, Any]:
        """Return it for programs."""
        return {
            "count": self.count,
            "users": [
                {
                    "user": user,
                    "reason": str(reason),
                    "detail": detail,
                    "structured_detail": structured_json(detail),
                }
                for user, reason, detail in self.users
            ],
        }


@dataclass(frozen=True, kw_only=True)
class CollisionFindings:
    """Claims of a Skolon user that another Entra user keeps: how many, and the first of them.

    Each has the Entra user that claims it, and the collision.
    """

    count: int
    users: Sequence[tuple[str, Collision]]

    def as_json(self) -> dict[str, Any]:
        """Return it for programs."""
        return {
            "count": self.count,
            "users": [
                {
                    "skolon_user": each.skolon_id,
                    "users": [each.holder_entra_id, user],
                    "holder_tenant": each.holder_tenant,
                }
                for user, each in self.users
            ],
        }


@dataclass(frozen=True, kw_only=True)
class SharedValues:
    """Values that several users share: how many such values, and the users of the first of them."""

    count: int
    groups: Sequence[Sequence[str]]

    def as_json(self) -> dict[str, Any]:
        """Return it for programs."""
        return {"count": self.count, "users": [list(group) for group in self.groups]}


@dataclass(frozen=True, kw_only=True)
class UserPairs:
    """Users with something that another user has or had: how many, and the first of them with one other."""

    count: int
    users: Sequence[tuple[str, str]]

    def as_json(self) -> dict[str, Any]:
        """Return it for programs."""
        return {"count": self.count, "users": [{"user": user, "other": other} for user, other in self.users]}


@dataclass(frozen=True, kw_only=True)
class LeftUsers:
    """Users who have left Entra: how many, and the first of them, each with the Skolon user."""

    count: int
    users: Sequence[tuple[str, str]]

    def as_json(self) -> dict[str, Any]:
        """Return it for programs."""
        users = [{"user": user, "skolon_user": skolon_id} for user, skolon_id in self.users]
        return {"count": self.count, "users": users}


@dataclass(frozen=True, kw_only=True)
class DataQualityReport:
    """The report over a tenant's last complete run of all users.

    `eppn_is_mail`: another user's mail in Entra. `eppn_moved`: the other user had it in the full run before.
    `left_entra`: the full run before had the user in both, and this one has neither of the two.
    """

    run: RunSummary
    collisions: CollisionFindings
    same_eppn: SharedValues
    same_number: SharedValues
    eppn_is_mail: UserPairs
    eppn_moved: UserPairs
    eppn_has_number: UserFindings
    sign_in: SignInFindings
    no_match_key: UserFindings
    not_found: UserFindings
    left_entra: LeftUsers
    ambiguous: UserFindings
    failed: FailedFindings

    def as_json(self) -> dict[str, Any]:
        """Return it for programs."""
        run = self.run.run
        return {
            "tenant": run.tenant,
            "run": str(run.id),
            "finished": run.finished and timestamp(run.finished),
            "users": self.run.published,
            "warnings": [warning.as_json() for warning in self.run.warnings],
            "collisions": self.collisions.as_json(),
            "same_eppn": self.same_eppn.as_json(),
            "same_personal_number": self.same_number.as_json(),
            "eppn_is_mail_of_another": self.eppn_is_mail.as_json(),
            "eppn_moved": self.eppn_moved.as_json(),
            "eppn_has_personal_number": self.eppn_has_number.as_json(),
            "sign_in": self.sign_in.as_json(),
            "no_match_key": self.no_match_key.as_json(),
            "not_found": self.not_found.as_json(),
            "left_entra": self.left_entra.as_json(),
            "ambiguous": self.ambiguous.as_json(),
            "failed": self.failed.as_json(),
        }
