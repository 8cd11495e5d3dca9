"""What would become of one user now, step by step: the worker's own way, with doors that only read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from schemas.errors import HaltError, PermanentError, TransientError
from workers.pipeline.user_way import UserWay
from workers.pipeline.writer import would_change

if TYPE_CHECKING:
    from clients.gateways import Gateways
    from schemas.runs.sync_result import SyncResult
    from store.tenants.tenants import TenantRecord
    from workers.pipeline.steps import Step


@dataclass(frozen=True, kw_only=True)
class UserExplanation:
    """The steps that were taken, and how the way ended: with a verdict, or with an error of ours."""

    steps: tuple[Step, ...]
    end: SyncResult | PermanentError | HaltError | TransientError


def explain(user_id: str, record: TenantRecord, gateways: Gateways) -> UserExplanation:
    """Go a user's way with a tenant's settings; nothing is written anywhere (promise P1)."""
    steps: list[Step] = []
    way = UserWay(record=record, gateways=gateways, dry_run=True, change=would_change, on_step=steps.append)
    end: SyncResult | PermanentError | HaltError | TransientError
    try:
        end = way.verdict(user_id, None)
    except (PermanentError, HaltError, TransientError) as error:
        end = error
    return UserExplanation(steps=tuple(steps), end=end)
