"""The state of each user of tenants: the rule of `schemas/reports/user_status.py`, for many users at once.

The users of a tenant are those of its last complete run of all users, the *base*, and of later runs. Most
have no result but that of the base, which is counted as it is. Only the results since then are compared.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import and_, case, exists, false, func, or_, select, true, union_all

from schemas.outcomes import VERIFYING_OUTCOMES, Mode, Outcome
from schemas.reports.user_status import STATES, SyncState
from store import tables
from store.reports.users import asked_at

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import CTE, ColumnElement, FromClause, Select, Subquery

_TELLING_NOTHING: Final = (Outcome.PENDING, Outcome.SUPERSEDED)


def user_states(tenant_ids: Collection[int] | None) -> Subquery:
    """Return a query of one row for each user of the tenants with these ids, or of all tenants.

    Its columns are `tenant_id`, `base` (the run, or null), `state` (a `SyncState`), `reason` of a user that
    failed, `holder` (the Entra user who has what the user should get), `set_aside`, 1 if a member has
    set a user that failed aside, and `asked_at`, when Skolon was asked about a user in sync.
    """
    base = _base(tenant_ids)
    later = _later(base)
    return union_all(_of_base(base, later), _of_later(base, later)).subquery("states")


def _base(tenant_ids: Collection[int] | None) -> CTE:
    """Return each tenant with its last complete run of all users, null if it has none."""
    tenants, runs = tables.tenants, tables.runs
    last = (
        select(func.max(runs.c.id))
        .where(runs.c.tenant_id == tenants.c.id, tables.IS_COMPLETE_SYNC)
        .correlate(tenants)
        .scalar_subquery()
    )
    wanted = true() if tenant_ids is None else tenants.c.id.in_(tenant_ids)
    return select(tenants.c.id.label("tenant_id"), last.label("run")).where(wanted).cte("base")


def _later(base: CTE) -> CTE:
    """Return the users that runs after the base tell of: the most telling sync of each, and undo.

    Of both it has the run, the outcome, and whether that is in doubt. `restored` is the newest undo that
    wrote, and `not_met` the newest run of which an undo no longer met what that run had written. Each has the
    moment of the last such undo.
    """
    receipts, runs = tables.receipts, tables.runs
    results = (
        select(
            receipts.c.tenant_id,
            receipts.c.entra_id,
            receipts.c.run_id,
            receipts.c.outcome,
            receipts.c.reason,
            receipts.c.holder_entra_id,
            _is_set_aside(receipts).label("set_aside"),
            asked_at(receipts).label("asked_at"),
            receipts.c.finished_at,
            (runs.c.mode == Mode.UNDO).label("is_undo"),
            runs.c.reverts_run_id,
            tables.is_in_doubt(receipts, runs).label("in_doubt"),
        )
        .select_from(base)
        .join(
            runs,
            and_(
                runs.c.tenant_id == base.c.tenant_id,
                runs.c.id > func.coalesce(base.c.run, 0),
                ~runs.c.dry_run,
            ),
        )
        .join(receipts, receipts.c.run_id == runs.c.id)
        .where(receipts.c.outcome.not_in(_TELLING_NOTHING))
        # A fence: whether an outcome is in doubt is asked once, however often it is used.
        .offset(0)
        .subquery("results")
    ).c
    user = results.tenant_id, results.entra_id
    undo_tells = and_(results.is_undo, ~results.in_doubt)
    restores = and_(undo_tells, results.outcome == Outcome.UPDATED)
    meets_not = and_(undo_tells, results.outcome == Outcome.UNCHANGED)
    ranked = select(
        *results,
        func.row_number()
        .over(partition_by=(*user, results.is_undo), order_by=(results.in_doubt, results.run_id.desc()))
        .label("place"),
        func.max(case((restores, results.run_id))).over(partition_by=user).label("restored"),
        func.max(case((restores, results.finished_at))).over(partition_by=user).label("restored_at"),
        func.max(case((meets_not, results.reverts_run_id))).over(partition_by=user).label("not_met"),
        func.max(case((meets_not, results.finished_at))).over(partition_by=user).label("not_met_at"),
    ).subquery("ranked")

    def of(condition: ColumnElement[bool], name: str) -> list[ColumnElement[Any]]:
        columns = {
            "run": ranked.c.run_id,
            "in_doubt": case((ranked.c.in_doubt, 1), else_=0),
            "outcome": ranked.c.outcome,
            "reason": ranked.c.reason,
            "holder": ranked.c.holder_entra_id,
            "set_aside": ranked.c.set_aside,
            "asked_at": ranked.c.asked_at,
            "at": ranked.c.finished_at,
        }
        # There is one of each kind, so its value is the greatest.
        return [
            func.max(case((condition, column))).label(f"{name}_{label}") for label, column in columns.items()
        ]

    return (
        select(
            ranked.c.tenant_id,
            ranked.c.entra_id,
            *of(~ranked.c.is_undo, "sync"),
            *of(ranked.c.is_undo, "undo"),
            func.max(ranked.c.restored).label("restored"),
            func.max(ranked.c.restored_at).label("restored_at"),
            func.max(ranked.c.not_met).label("not_met"),
            func.max(ranked.c.not_met_at).label("not_met_at"),
        )
        .where(ranked.c.place == 1)
        .group_by(ranked.c.tenant_id, ranked.c.entra_id)
        .cte("later")
    )


def _of_base(base: CTE, later: CTE) -> Select[Any]:
    """Return the users that no later run tells of."""
    receipts = tables.receipts
    is_told_later = exists().where(
        later.c.tenant_id == receipts.c.tenant_id, later.c.entra_id == receipts.c.entra_id
    )
    return (
        select(
            base.c.tenant_id,
            base.c.run.label("base"),
            _state(receipts.c.outcome).label("state"),
            receipts.c.reason,
            receipts.c.holder_entra_id.label("holder"),
            _is_set_aside(receipts).label("set_aside"),
            asked_at(receipts).label("asked_at"),
        )
        .select_from(base)
        .join(receipts, receipts.c.run_id == base.c.run)
        .where(receipts.c.outcome.not_in(_TELLING_NOTHING), ~is_told_later)
    )


def _of_later(base: CTE, later: CTE) -> Select[Any]:
    """Return the users that later runs tell of, by the result of a sync and that of an undo since."""
    user = _with_base(base, later).c
    is_certain = or_(user.base_outcome.is_not(None), user.sync_in_doubt == 0)
    outcome = func.coalesce(user.base_outcome, user.sync_outcome)
    run = func.coalesce(case((user.base_outcome.is_not(None), user.base), else_=user.sync_run), 0)
    failed = Outcome.DEAD_LETTERED
    at = case((user.base_outcome.is_not(None), user.base_at), else_=user.sync_at)
    # A dead letter was replayed after the undo.
    is_redone = func.coalesce(and_(at > user.undo_at, user.undo_outcome != failed), false())
    # An undo that is older than the sync, or in doubt while the sync is not, tells nothing.
    undo = case(
        (
            and_(
                user.undo_run > run,
                or_(user.undo_in_doubt == 0, ~func.coalesce(is_certain, false())),
                ~is_redone,
            ),
            user.undo_outcome,
        )
    )
    is_reverted = or_(
        and_(user.restored > run, ~func.coalesce(user.restored_at < at, false())),
        and_(
            user.not_met >= run,
            ~func.coalesce(user.not_met_at < at, false()),
            func.coalesce(outcome, Outcome.UPDATED) == Outcome.UPDATED,
        ),
    )
    return select(
        user.tenant_id,
        user.base,
        case(
            (or_(undo == failed, outcome == failed), SyncState.DEAD_LETTERED),
            (undo.not_in(VERIFYING_OUTCOMES), _state(undo)),
            (
                and_(is_reverted, func.coalesce(outcome, Outcome.UPDATED).in_(VERIFYING_OUTCOMES)),
                SyncState.REVERTED,
            ),
            else_=_state(outcome),
        ).label("state"),
        case(
            (undo == failed, user.undo_reason),
            (user.base_outcome.is_not(None), user.base_reason),
            else_=user.sync_reason,
        ).label("reason"),
        case(
            (undo == failed, user.undo_holder),
            (user.base_outcome.is_not(None), user.base_holder),
            else_=user.sync_holder,
        ).label("holder"),
        case(
            (undo == failed, user.undo_set_aside),
            (user.base_outcome.is_not(None), user.base_set_aside),
            else_=user.sync_set_aside,
        ).label("set_aside"),
        case((user.base_outcome.is_not(None), user.base_asked_at), else_=user.sync_asked_at).label(
            "asked_at"
        ),
    )


def _with_base(base: CTE, later: CTE) -> Subquery:
    """Return the users that later runs tell of; where no later sync is certain, with the base's result."""
    receipts = tables.receipts
    needs_base = func.coalesce(later.c.sync_in_doubt, 1) == 1

    def of_base(column: ColumnElement[Any]) -> ColumnElement[Any]:
        # A query of its own for each of these few users: joined, PostgreSQL would read all results.
        found = (
            select(column)
            .where(
                receipts.c.run_id == base.c.run,
                receipts.c.entra_id == later.c.entra_id,
                receipts.c.outcome.not_in(_TELLING_NOTHING),
            )
            .correlate(base, later)
            .scalar_subquery()
        )
        return case((needs_base, found))

    return (
        select(
            *later.c,
            base.c.run.label("base"),
            of_base(receipts.c.outcome).label("base_outcome"),
            of_base(receipts.c.reason).label("base_reason"),
            of_base(receipts.c.holder_entra_id).label("base_holder"),
            of_base(_is_set_aside(receipts)).label("base_set_aside"),
            of_base(asked_at(receipts)).label("base_asked_at"),
            of_base(receipts.c.finished_at).label("base_at"),
        )
        .join(base, base.c.tenant_id == later.c.tenant_id)
        # A fence: each of the columns is asked for once, however often it is used.
        .offset(0)
        .subquery("with_base")
    )


def _state(outcome: ColumnElement[Any]) -> ColumnElement[str]:
    """Return the state of a user whose outcome determines it."""
    return case(*((outcome == each, str(state)) for each, state in STATES.items()), else_=None)


def _is_set_aside(receipts: FromClause) -> ColumnElement[int]:
    return case((receipts.c.discard_id.is_not(None), 1), else_=0)
