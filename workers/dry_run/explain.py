"""Explains step by step what a sync would do to one user; writes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from schemas.errors import HaltError, PermanentError, TransientError
from workers.pipeline.identity import Keeper, no_keeper
from workers.pipeline.pipeline import SyncPipeline
from workers.pipeline.source_order import Memory, nothing_remembered
from workers.pipeline.writer import DryRunWriter

if TYPE_CHECKING:
    from clients.gateways import Gateways
    from schemas.runs.sync_result import SyncResult
    from store.tenants.tenants import TenantRecord
    from workers.pipeline.steps import Step


@dataclass(frozen=True, kw_only=True)
class UserExplanation:
    """The steps that were taken, and their end: a result, or an error of ours."""

    steps: tuple[Step, ...]
    end: SyncResult | PermanentError | HaltError | TransientError


def explain(
    user_id: str,
    record: TenantRecord,
    gateways: Gateways,
    remembered_sources: Memory = nothing_remembered,
    keeper: Keeper = no_keeper,
) -> UserExplanation:
    """Run the steps of a user with a tenant's settings; write nothing (promise P1)."""
    steps: list[Step] = []
    pipeline = SyncPipeline(
        record=record,
        gateways=gateways,
        dry_run=True,
        writer=DryRunWriter(),
        remembered_sources=remembered_sources,
        keeper=keeper,
        on_step=steps.append,
    )
    end: SyncResult | PermanentError | HaltError | TransientError
    try:
        end = pipeline.run(user_id, None)
    except (PermanentError, HaltError, TransientError) as error:
        end = error
    return UserExplanation(steps=tuple(steps), end=end)
