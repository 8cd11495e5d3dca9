"""One Entra user from message to receipt: the order of the steps, and what each failure of one means."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

import structlog

from clients.skolon import SkolonUserGoneError
from schemas.attributes import Attribute
from schemas.errors import Dependency, HaltError, PermanentError, TransientError, VersionConflictError
from schemas.graph_user import is_nameless, load_graph_user
from schemas.guards import ONE_NOT_FOUND
from schemas.outcomes import Cause, Outcome, Reason, Stage
from schemas.sealing import UnsealableError
from schemas.selection import properties_to_select
from schemas.verdicts import NO_LONGER_IN_ENTRA, Verdict
from store.collisions import CollisionError
from workers.completeness import missing_sources
from workers.difference import difference
from workers.guard import check_guard
from workers.mapping import Mapped, check_values, map_user
from workers.matching import choose, keys_to_match
from workers.scope import why_out_of_scope

if TYPE_CHECKING:
    from clients.directories import Directories
    from schemas.graph_user import GraphUser
    from schemas.messages import UserSync
    from schemas.sealing import Sealer
    from schemas.skolon_user import SkolonUser
    from schemas.tenants import Guard, Tenant
    from store.claims import Begun
    from store.store import Store
    from store.tenants import TenantRecord

#: How often a user that changes under our hands is read and compared again before it is a `conflict`.
CONFLICTS: Final = 5

#: Seconds to wait for an older run's worker that has this very user in hand.
WAIT_FOR_OLDER_RUN: Final = 5.0

#: Object ids in Entra are GUIDs: anything else as an External Id is another source's.
_OBJECT_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)

_log = structlog.get_logger(__name__)


class UserSyncer:
    """Works off user messages; may be shared by threads."""

    def __init__(self, *, store: Store, directories: Directories, sealer: Sealer) -> None:
        self._store = store
        self._claims = store.claims
        self._receipts = store.receipts
        self._runs = store.runs
        self._tenants = store.tenants
        self._guards = store.guards
        self._directories = directories
        self._sealer = sealer

    def sync(self, message: UserSync, *, operation: int | None = None) -> None:
        """Bring one user to an outcome and write the receipt; raises an error of ours if that fails.

        `operation` is the replay that published the message, if one did. A message that the receipt
        does not await does nothing: somebody has settled the user, or another replay has taken over.
        """
        begun = self._begun(message)
        if begun.awaits(operation):
            record = self._tenants.at_version(begun.tenant, begun.tenant_version)
            verdict = self._verdict(message, begun, record)
            self._finish(message, verdict)
            if verdict.outcome is Outcome.NOT_FOUND and begun.guarded:
                self._count_not_found(message.run, record.tenant.guard)
        # Also when there was nothing left to do: whoever did it may have died before this line.
        self._runs.complete_if_done(message.run)

    def foresee(self, message: UserSync) -> Outcome:
        """Return what would become of a user now; nothing is written anywhere.

        Raises as `sync` does. Somebody else of the run who has the Skolon user is a collision here too.
        """
        begun = self._begun(message)
        record = self._tenants.at_version(begun.tenant, begun.tenant_version)
        verdict = self._verdict(message, replace(begun, dry_run=True), record)
        if verdict.skolon_id is not None:
            holder = self._claims.holder(message.run, verdict.skolon_id)
            if holder not in (None, message.user):
                raise _collision(verdict.skolon_id, str(holder), message.user)
        return verdict.outcome

    def _begun(self, message: UserSync) -> Begun:
        begun = self._claims.begin(message.run, message.user)
        if begun is None:
            raise PermanentError(
                Reason.UNKNOWN_TENANT,
                Stage.RECEIVE,
                f"run {message.run} has no receipt for this user; has the tenant been removed?",
            )
        return begun

    def _finish(self, message: UserSync, verdict: Verdict) -> None:
        try:
            self._receipts.finish(message.run, message.user, verdict)
        except CollisionError as error:
            raise _collision(error.skolon_id, error.entra_id, message.user) from None
        # One line a user would drown the rest: what became of everybody is in the receipts.
        _log.debug(
            "user done",
            tenant=message.tenant,
            run=message.run,
            user=message.user,
            outcome=str(verdict.outcome),
            changed=[str(attribute) for attribute in verdict.changed],
        )

    def _count_not_found(self, run: int, guard: Guard) -> None:
        if guard.not_found is not None:
            self._guards.count(run, ONE_NOT_FOUND, partial(check_guard, guard))

    def _verdict(self, message: UserSync, begun: Begun, record: TenantRecord) -> Verdict:
        if begun.superseded:
            return Verdict(outcome=Outcome.SUPERSEDED)
        if begun.older_run_active:
            raise TransientError(
                Dependency.ORDER, "an older run has this user in hand", retry_after=WAIT_FOR_OLDER_RUN
            )
        user = self._entra_user(message, record)
        if user is None:
            return Verdict(outcome=Outcome.OUT_OF_SCOPE, detail=NO_LONGER_IN_ENTRA)
        out_of_scope = why_out_of_scope(user, record.tenant.scope)
        if out_of_scope:
            return Verdict(outcome=Outcome.OUT_OF_SCOPE, detail=out_of_scope)
        return _OneUser(self._store, self._directories, message, begun, record).verdict(user)

    def _entra_user(self, message: UserSync, record: TenantRecord) -> GraphUser | None:
        if message.payload is not None:
            try:
                payload = self._sealer.open_json(message.payload)
            except UnsealableError as error:
                raise HaltError(Cause.SEALED_VALUE, error.summary) from None
            user = load_graph_user(payload)
            if not missing_sources(user, record.tenant):
                return user
        elif is_nameless(message.user):
            raise PermanentError(Reason.INVALID_USER, Stage.READ, "id: Graph listed this user without one")
        graph = self._directories.graph(record.credentials)
        raw: object = graph.user(message.user, properties_to_select(record.tenant))
        return None if raw is None else load_graph_user(raw)


class _OneUser:
    """The second half of the way, once it is known who in Entra it is: match, compare, update."""

    def __init__(
        self,
        store: Store,
        directories: Directories,
        message: UserSync,
        begun: Begun,
        record: TenantRecord,
    ) -> None:
        self._claims = store.claims
        self._message = message
        self._begun = begun
        self._tenant: Tenant = record.tenant
        self._skolon = directories.skolon(dry_run=begun.dry_run)
        self._graph = directories.graph(record.credentials)
        self._notes: list[str] = []

    def verdict(self, user: GraphUser) -> Verdict:
        mapped = map_user(user, self._tenant)
        keys = keys_to_match(mapped, self._tenant.match_keys)
        if not keys:
            return Verdict(outcome=Outcome.NOT_FOUND, detail="no match key has a value")
        match = choose(self._skolon.find(self._tenant.organisation, keys), keys)
        if match is None:
            return Verdict(outcome=Outcome.NOT_FOUND)
        self._leave_to_its_owner(user, match)
        self._add_birth_date(user, mapped)
        for _ in range(CONFLICTS):
            try:
                return self._compare_and_update(match, mapped)
            except VersionConflictError:
                current = self._skolon.read(self._tenant.organisation, match.id)
            except SkolonUserGoneError:
                current = None
            if current is None:
                return Verdict(outcome=Outcome.NOT_FOUND, detail="removed from Skolon during the run")
            match = current
        raise PermanentError(
            Reason.CONFLICT, Stage.UPDATE, f"changed in Skolon by somebody else {CONFLICTS} times in a row"
        )

    def _leave_to_its_owner(self, user: GraphUser, match: SkolonUser) -> None:
        """Raise `PermanentError` (`collision`) if the Skolon user is by its External Id somebody else's.

        Two people with one EPPN would otherwise take the Skolon user from each other, run by run,
        whoever came first. An External Id that nobody in Entra has (another source's) is no owner.
        """
        owner = match.attributes.get(Attribute.EXTERNAL_ID)
        if Attribute.EXTERNAL_ID not in self._tenant.match_keys or owner is None or owner == user.id:
            return
        if _OBJECT_ID.fullmatch(owner) and self._graph.user(owner, ("id",)) is not None:
            raise _collision(match.id, owner, user.id)

    def _add_birth_date(self, user: GraphUser, mapped: Mapped) -> None:
        """Ask for the birth date, of a matched user only: Graph gives it one by one."""
        if not (self._tenant.birthdays and self._tenant.sources[Attribute.BIRTH_DATE]):
            return
        birthday = self._graph.birthday(user.id)
        if birthday.problem is None:
            mapped[Attribute.BIRTH_DATE] = birthday.value
            check_values(mapped, self._tenant)
        else:
            self._notes.append(f"birth date not read: {birthday.problem}")

    def _compare_and_update(self, match: SkolonUser, mapped: Mapped) -> Verdict:
        changes = difference(match, mapped, self._tenant.erase_blank)
        changed = tuple(sorted(changes))
        detail = "; ".join(self._notes) or None
        if not changes:
            # A claim of an earlier delivery says that the change was ours, and only its receipt was lost.
            outcome = Outcome.UPDATED if self._begun.claimed else Outcome.UNCHANGED
            return Verdict(outcome=outcome, skolon_id=match.id, skolon_version=match.version, detail=detail)
        if self._begun.dry_run:
            return Verdict(
                outcome=Outcome.WOULD_UPDATE,
                skolon_id=match.id,
                skolon_version=match.version,
                changed=changed,
                detail=detail,
            )
        old_values = {attribute: match.attributes.get(attribute) for attribute in changed}
        try:
            claim = self._claims.claim(
                self._message.run,
                self._message.user,
                match.id,
                old_values,
                allow=partial(check_guard, self._tenant.guard) if self._begun.guarded else None,
            )
        except CollisionError as error:
            raise _collision(match.id, error.entra_id, self._message.user) from None
        if claim.superseded:
            return Verdict(outcome=Outcome.SUPERSEDED)
        version = self._skolon.update(self._tenant.organisation, match, changes)
        return Verdict(
            outcome=Outcome.UPDATED,
            skolon_id=match.id,
            skolon_version=version,
            changed=changed,
            detail=detail,
        )


def _collision(skolon_id: str, holder: str, other: str) -> PermanentError:
    return PermanentError(
        Reason.COLLISION,
        Stage.MATCH,
        f"Entra users {holder} and {other} claim Skolon user {skolon_id}; the first one keeps it",
    )
