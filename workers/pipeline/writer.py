"""What is done about a difference: the user is claimed and updated, or it is only said what would be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from schemas.errors import HaltError
from schemas.outcomes import Outcome
from schemas.runs.changes import ChangeKind, change_kind
from schemas.runs.sync_result import SyncResult
from schemas.users.attributes import Attribute
from schemas.users.skolon_user import SkolonUser
from store.receipts.collisions import CollisionError
from workers.pipeline.collisions import collision
from workers.rules.guard import check_guard

if TYPE_CHECKING:
    from clients.skolon.client import SkolonClient
    from schemas.messages.messages import UserSync
    from schemas.tenants.tenant import Tenant
    from store.receipts.claims import Claims

#: Brings a Skolon user to the values that it should have; None empties an attribute.
Change = Callable[[SkolonUser, Mapping[Attribute, str | None]], SyncResult]


def would_change(user: SkolonUser, changes: Mapping[Attribute, str | None]) -> SyncResult:
    """Say what would be done, and do nothing."""
    return SyncResult(
        outcome=Outcome.WOULD_UPDATE,
        skolon_id=user.id,
        skolon_version=user.version,
        changed=tuple(sorted(changes)),
        change_kinds=_kinds(user, changes),
    )


class ClaimedChange:
    """Claims the Skolon user for the message's receipt, unless somebody was faster, and then updates it."""

    def __init__(  # noqa: PLR0913 - all that a change meets
        self,
        *,
        claims: Claims,
        skolon: SkolonClient,
        message: UserSync,
        tenant: Tenant,
        guarded: bool,
        refused: Callable[[SyncResult], None],
    ) -> None:
        """Take what is told of a change that the guard refuses: what would have been done."""
        self._claims = claims
        self._skolon = skolon
        self._message = message
        self._tenant = tenant
        self._guarded = guarded
        self._refused = refused

    def __call__(self, user: SkolonUser, changes: Mapping[Attribute, str | None]) -> SyncResult:
        """Make the changes.

        Raises as the guard (`HaltError`), a claim (`collision`) and Skolon's update do.
        """
        changed = tuple(sorted(changes))
        old_values = {attribute: user.attributes.get(attribute) for attribute in changed}
        try:
            claim = self._claims.claim(
                self._message.run,
                self._message.user,
                user.id,
                old_values,
                check_limits=partial(check_guard, self._tenant.guard) if self._guarded else None,
                new_values=changes,
            )
        except HaltError:
            self._refused(would_change(user, changes))
            raise
        except CollisionError as error:
            raise collision(user.id, error.entra_id, self._message.user) from None
        if claim.superseded:
            return SyncResult(outcome=Outcome.SUPERSEDED)
        version = self._skolon.update(self._tenant.organisation, user, changes)
        return SyncResult(
            outcome=Outcome.UPDATED,
            skolon_id=user.id,
            skolon_version=version,
            changed=changed,
            change_kinds=_kinds(user, changes),
        )


def _kinds(user: SkolonUser, changes: Mapping[Attribute, str | None]) -> dict[Attribute, ChangeKind]:
    return {attribute: change_kind(user.attributes.get(attribute), new) for attribute, new in changes.items()}
