"""A tenant's runs, page by page, and one of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from schemas.errors import UsageError
from schemas.messages.messages import MAX_RUN_ID
from schemas.outcomes import Outcome, RunKind

if TYPE_CHECKING:
    from schemas.runs.run import RunSummary
    from store.store import Store

#: Undos that are named.
_MAX_UNDOS: Final = 20


@dataclass(frozen=True, kw_only=True)
class RunsPage:
    """Runs, the newest first; `before` leads to the next page, None on the last one."""

    runs: tuple[RunSummary, ...]
    before: int | None


def runs_page(tenant: str, *, store: Store, before: str | None = None, limit: int) -> RunsPage:
    """Return a page of a tenant's runs that are older than the run with the number `before` (digits)."""
    number = 0 if before is None else _number(before)
    if before is not None and not number:
        return RunsPage(runs=(), before=None)
    found = store.runs.list(tenant, limit + 1, before=number)
    shown = found[:limit]
    return RunsPage(runs=tuple(shown), before=shown[-1].run.id if len(found) > limit else None)


def undos_since(tenant: str, run: int | None, *, store: Store) -> list[RunSummary]:
    """Return the undos of a tenant that are newer than a run and have restored values, the newest first."""
    undos = store.runs.list(tenant, _MAX_UNDOS, kinds=(RunKind.UNDO,))
    return [each for each in undos if each.run.id > (run or 0) and each.counts.get(Outcome.UPDATED)]


def run_of_tenant(tenant: str, run: str, *, store: Store) -> RunSummary | None:
    """Return the run of a tenant with a number, given as any text; None if the tenant has none."""
    if not (run.isascii() and run.isdigit()):
        return None
    try:
        summary = store.runs.summary(_number(run))
    except UsageError:
        return None
    return summary if summary.run.tenant == tenant else None


def _number(digits: str) -> int:
    """Return the number of digits; 0, which no run has, if no run can have it."""
    number = int(digits) if len(digits) <= len(str(MAX_RUN_ID)) else 0
    return number if number <= MAX_RUN_ID else 0
