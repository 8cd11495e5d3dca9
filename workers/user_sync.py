"""One Entra user from message to receipt; the half that Skolon sees is in `workers.skolon_sync`."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

import structlog

from schemas.errors import Dependency, HaltError, PermanentError, TransientError
from schemas.graph_user import is_nameless, load_graph_user
from schemas.guards import ONE_NOT_FOUND
from schemas.outcomes import Cause, Outcome, Reason, Stage
from schemas.sealing import UnsealableError
from schemas.selection import properties_to_select
from schemas.verdicts import NO_LONGER_IN_ENTRA, Verdict
from store.collisions import CollisionError
from workers.completeness import missing_sources
from workers.guard import check_guard
from workers.scope import why_out_of_scope
from workers.skolon_sync import SkolonSync, collision

if TYPE_CHECKING:
    from clients.directories import Directories
    from schemas.graph_user import GraphUser
    from schemas.messages import UserSync
    from schemas.sealing import Sealer
    from schemas.tenants import Guard
    from store.claims import Begun
    from store.store import Store
    from store.tenants import TenantRecord

#: Seconds to wait for an older run's worker that has this very user in hand.
WAIT_FOR_OLDER_RUN: Final = 5.0

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
                raise collision(verdict.skolon_id, str(holder), message.user)
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
            raise collision(error.skolon_id, error.entra_id, message.user) from None
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
        return SkolonSync(self._store, self._directories, message, begun, record).verdict(user)

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
