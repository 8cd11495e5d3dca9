"""A user's way from Entra to an outcome, whoever asks: a run's worker, a rehearsal, or a preview.

Nothing is written but by the `change` that it is given: what explains a user is what works on it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.errors import PermanentError
from schemas.outcomes import Outcome, Reason, Stage
from schemas.runs.sync_result import NO_LONGER_IN_ENTRA, SyncResult
from schemas.tenants.mapping_settings import selected_properties
from schemas.users.graph_user import is_placeholder_id, load_graph_user
from workers.pipeline import steps
from workers.pipeline.skolon_sync import SkolonSync
from workers.rules.delta_completeness import missing_properties
from workers.rules.scope import evaluate_scope, exclusion_reason

if TYPE_CHECKING:
    from clients.gateways import Gateways
    from schemas.users.graph_user import GraphUser
    from store.tenants.tenants import TenantRecord
    from workers.pipeline.verification_cache import Trust
    from workers.pipeline.writer import Change


class UserWay:
    """The way of one user of a tenant; `tell` is told of each step."""

    def __init__(  # noqa: PLR0913 - all that a user's way meets
        self,
        *,
        record: TenantRecord,
        gateways: Gateways,
        dry_run: bool,
        change: Change,
        claimed: bool = False,
        trust: Trust | None = None,
        on_step: steps.StepListener = steps.ignore_step,
    ) -> None:
        """Take the doors, with a `dry_run` those that only read; the rest as `SyncPipeline` does."""
        self._tenant = record.tenant
        self._gateways = gateways
        self._graph = gateways.graph(record.credentials)
        self._on_step = on_step
        self._skolon_sync = SkolonSync(
            tenant=record.tenant,
            graph=self._graph,
            skolon=gateways.skolon(dry_run=dry_run),
            change=change,
            claimed=claimed,
            trust=trust,
            on_step=on_step,
        )

    def verdict(self, user_id: str, given: object | None) -> SyncResult:
        """Bring the user to an outcome; raises an error of ours if that fails.

        `given` is what a page of Graph had of the user; without it the user is read by id.
        """
        if self._tenant.wants_birthdays:
            self._graph.expect_birthday()
        else:
            self._gateways.skip_birthday()
        user = self._entra_user(user_id, given)
        if user is None:
            return SyncResult(outcome=Outcome.OUT_OF_SCOPE, detail=NO_LONGER_IN_ENTRA)
        said = evaluate_scope(user, self._tenant.scope)
        self._on_step(steps.ScopeStep(results=said))
        out_of_scope = exclusion_reason(said)
        if out_of_scope:
            return SyncResult(outcome=Outcome.OUT_OF_SCOPE, detail=out_of_scope)
        return self._skolon_sync.verdict(user)

    def _entra_user(self, user_id: str, given: object | None) -> GraphUser | None:
        if given is not None:
            user = load_graph_user(given)
            if not missing_properties(user, self._tenant):
                self._on_step(steps.ReadStep(user=user, by_id=False))
                return user
        elif is_placeholder_id(user_id):
            raise PermanentError(Reason.INVALID_USER, Stage.READ, "id: Graph listed this user without one")
        raw: object = self._graph.user(user_id, selected_properties(self._tenant))
        read = None if raw is None else load_graph_user(raw)
        self._on_step(steps.ReadStep(user=read, by_id=True))
        return read
