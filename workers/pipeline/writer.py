"""Writes a difference to Skolon after claiming the user, or only reports what would be written."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol

from clients.skolon.errors import RejectedError, UserNotFoundError
from schemas.dead_letter_reasons import Reason
from schemas.details.detail import Detail
from schemas.details.kinds import DetailKind
from schemas.errors import HaltError, PermanentError, VersionConflictError
from schemas.outcomes import NotFoundReason, Outcome, Stage
from schemas.runs.changes import GuardCounts, change_kind, guard_counts
from schemas.runs.collision import Collision
from schemas.runs.sync_result import SyncResult, Unwritten
from schemas.users.attributes import Attribute
from store.receipts.collisions import CollisionError
from workers.rules.guard import check_guard

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from clients.skolon.interface import SkolonClient
    from schemas.messages.messages import UserSync
    from schemas.tenants.tenant import Tenant
    from schemas.users.skolon_user import SkolonUser
    from store.receipts.claims import Claim, Claims

#: How often a user that changes during the update is read and compared again, before it is a `conflict`.
MAX_CONFLICTS: Final = 5


class Writer(Protocol):
    """Writes changes to a Skolon user."""

    def write(
        self,
        user: SkolonUser,
        changes: Mapping[Attribute, str | None],
        unwritten: Mapping[Attribute, Unwritten],
    ) -> SyncResult:
        """Write the changes; None empties an attribute. `unwritten` cannot be written, and is not tried."""


class DryRunWriter:
    """Reports the changes, and writes nothing."""

    def write(
        self,
        user: SkolonUser,
        changes: Mapping[Attribute, str | None],
        unwritten: Mapping[Attribute, Unwritten],
    ) -> SyncResult:
        """Return `would_update` with the changes."""
        del unwritten
        return _changed(Outcome.WOULD_UPDATE, user, changes, version=user.version)


class ClaimingWriter:
    """Claims the Skolon user for the message's receipt, and then updates it."""

    def __init__(  # noqa: PLR0913 - what a claim and an update need
        self,
        *,
        claims: Claims,
        skolon: SkolonClient,
        message: UserSync,
        tenant: Tenant,
        guarded: bool,
        on_blocked: Callable[[SyncResult], None],
    ) -> None:
        """Take the user's message; `on_blocked` gets the result that the guard has blocked."""
        self._claims = claims
        self._skolon = skolon
        self._message = message
        self._tenant = tenant
        self._guarded = guarded
        self._on_blocked = on_blocked

    def write(
        self,
        user: SkolonUser,
        changes: Mapping[Attribute, str | None],
        unwritten: Mapping[Attribute, Unwritten],
    ) -> SyncResult:
        """Write the changes; those that Skolon refuses are `unwritten` in the result, and the others written.

        Raises `HaltError` for the guard's limit, `collision` for a claimed user, and the other errors of
        Skolon's client.
        """
        old_values = {attribute: user.attributes.get(attribute) for attribute in sorted(changes)}
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
            blocked = _changed(Outcome.WOULD_UPDATE, user, changes, version=user.version)
            self._on_blocked(replace(blocked, unwritten=unwritten))
            raise
        except CollisionError as error:
            raise collision(user.id, error.entra_id, self._message.user) from None
        if claim.superseded:
            return SyncResult(outcome=Outcome.SUPERSEDED)
        try:
            after = self._skolon.update(self._tenant.organisation, user, changes)
        except RejectedError as error:
            if error.concerns_values:
                return self._write_one_by_one(user, changes, claim, error)
            self._withdraw(user, changes, changes, claim)
            raise
        return self._written(user, changes, after, claim)

    def _written(
        self,
        user: SkolonUser,
        changes: Mapping[Attribute, str | None],
        after: SkolonUser | None,
        claim: Claim,
    ) -> SyncResult:
        """Return the result of an update; a change that Skolon does not show at all is none.

        `after` is the user as Skolon shows it then, None if it has accepted the changes and shows none so
        far. The claim keeps what was written, so that no later run writes it again.
        """
        if after is None:
            before = {name: user.attributes.get(name) for name in changes}
            self._claims.note_accepted(self._message.run, self._message.user, before)
            return _changed(Outcome.UPDATED, user, changes, version=None)
        if not (altered := after.lacking(changes)):
            return _changed(Outcome.UPDATED, user, changes, version=after.version)
        shown = {name: after.attributes.get(name) for name in altered}
        made = {
            name: value
            for name, value in changes.items()
            if name not in shown or shown[name] != user.attributes.get(name)
        }
        self._claims.note_shown(
            self._message.run,
            self._message.user,
            shown,
            miscounted=_miscounted(user, changes, made) if claim.is_counted else GuardCounts(),
        )
        outcome = Outcome.UPDATED if made else Outcome.UNCHANGED
        result = _changed(outcome, user, made, version=after.version)
        return replace(result, altered=tuple(sorted(altered)))

    def _write_one_by_one(
        self,
        user: SkolonUser,
        changes: Mapping[Attribute, str | None],
        claim: Claim,
        error: RejectedError,
    ) -> SyncResult:
        """Write each change by itself after Skolon has refused them together.

        Of a refused PATCH nothing is written (RFC 7644 section 3.5.2).
        """
        current = user
        refused = dict.fromkeys(changes, error) if len(changes) == 1 else {}
        for attribute in sorted(changes.keys() - refused.keys()):
            change = {attribute: changes[attribute]}
            try:
                after = self._skolon.update(self._tenant.organisation, current, change)
            except RejectedError as one:
                refused[attribute] = one
            else:
                current = self._checked(current, change, after)
        self._withdraw(user, changes, refused, claim)
        written = {name: value for name, value in changes.items() if name not in refused}
        if not written:
            result = _changed(Outcome.UNCHANGED, user, {}, version=current.version)
        else:
            result = self._written(user, written, current, claim)
        return replace(result, unwritten={name: _refusal(name, one) for name, one in refused.items()})

    def _checked(
        self, user: SkolonUser, change: Mapping[Attribute, str | None], after: SkolonUser | None
    ) -> SkolonUser:
        """Return a user as it is after a change of ours; raise if anything else changed as well."""
        current = after or self._skolon.read(self._tenant.organisation, user.id)
        if current is None:
            raise UserNotFoundError("the Skolon user is no longer there")
        others = (name for name in Attribute if name not in change)
        if any(current.attributes.get(name) != user.attributes.get(name) for name in others):
            raise VersionConflictError("the Skolon user has changed since it was written")
        return current

    def _withdraw(
        self,
        user: SkolonUser,
        changes: Mapping[Attribute, str | None],
        refused: Collection[Attribute],
        claim: Claim,
    ) -> None:
        """Take back of a claim what Skolon has refused."""
        if not refused:
            return
        written = {attribute: value for attribute, value in changes.items() if attribute not in refused}
        self._claims.withdraw(
            self._message.run,
            self._message.user,
            {attribute: changes[attribute] for attribute in refused},
            miscounted=_miscounted(user, changes, written) if claim.is_counted else GuardCounts(),
        )


def write_until_settled(
    user: SkolonUser,
    *,
    write: Callable[[SkolonUser], SyncResult],
    read: Callable[[], SkolonUser | None],
    gone: Detail,
) -> SyncResult:
    """Call `write`; after each version conflict call it again with the result of `read`.

    A user that is no longer in Skolon is `not_found`, with `gone` as the detail. Raises `PermanentError`
    (`conflict`) after `MAX_CONFLICTS`.
    """
    for _ in range(MAX_CONFLICTS):
        try:
            return write(user)
        except VersionConflictError:
            current = read()
        except UserNotFoundError:
            current = None
        if current is None:
            return no_longer_in_skolon(gone)
        user = current
    raise PermanentError(
        Reason.CONFLICT, Stage.UPDATE, Detail(DetailKind.CHANGED_BY_OTHERS, times=MAX_CONFLICTS)
    )


def no_longer_in_skolon(detail: Detail) -> SyncResult:
    """Return the result of a user that was deleted from Skolon."""
    return SyncResult(
        outcome=Outcome.NOT_FOUND, not_found_reason=NotFoundReason.NO_LONGER_IN_SKOLON, detail=detail
    )


def collision(skolon_id: str, holder: str, other: str, tenant: str | None = None) -> PermanentError:
    """Return the error of the second Entra user that claims a Skolon user; `tenant` is another holder's."""
    users: dict[str, str] = {"holder": holder, "other": other, "skolon_user": skolon_id}
    detail = (
        Detail(DetailKind.COLLISION, **users)
        if tenant is None
        else Detail(DetailKind.COLLISION_WITH_TENANT, tenant=tenant, **users)
    )
    return PermanentError(
        Reason.COLLISION,
        Stage.MATCH,
        detail,
        collision=Collision(holder_entra_id=holder, skolon_id=skolon_id, holder_tenant=tenant),
    )


def _miscounted(
    user: SkolonUser, counted: Mapping[Attribute, str | None], made: Mapping[Attribute, str | None]
) -> GuardCounts:
    """Return what the guard has counted too much if only some of the counted changes were made."""
    held, really = (
        {attribute: user.attributes.get(attribute) for attribute in each} for each in (counted, made)
    )
    return guard_counts(held) - (guard_counts(really) if really else GuardCounts())


def _refusal(attribute: Attribute, error: RejectedError) -> Unwritten:
    fault = Detail(DetailKind.VALUE_REFUSED, attribute=attribute, answer=error.detail)
    reason = Reason.VALUE_TAKEN if error.is_taken else error.reason
    return Unwritten(reason=reason, stage=error.stage, fault=fault)


def _changed(
    outcome: Outcome, user: SkolonUser, changes: Mapping[Attribute, str | None], *, version: str | None
) -> SyncResult:
    return SyncResult(
        outcome=outcome,
        skolon_id=user.id,
        skolon_version=version,
        changed=tuple(sorted(changes)),
        change_kinds={
            attribute: change_kind(user.attributes.get(attribute), new) for attribute, new in changes.items()
        },
    )
