"""How receipts get their outcomes: one statement for all who finish at the same moment in a process."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import (
    JSON,
    Boolean,
    DateTime,
    Integer,
    String,
    and_,
    case,
    cast,
    false,
    func,
    literal,
    null,
    or_,
    select,
    type_coerce,
    update,
)
from sqlalchemy.exc import IntegrityError

from schemas.details.detail import to_stored
from schemas.outcomes import VERIFYING_OUTCOMES, Mode, Outcome, Status
from schemas.runs.changes import format_changes
from schemas.runs.totals.kept_blanks import format_kept_blanks
from store import tables
from store.batch_statements import BatchRows, coalesced
from store.receipts.collisions import collision
from store.timestamps import now

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Sequence

    from sqlalchemy import ColumnElement, FromClause
    from sqlalchemy.sql.base import Executable
    from sqlalchemy.types import TypeEngine

    from runtime.coalescer import Coalescer
    from schemas.runs.sync_result import SyncResult
    from schemas.users.attributes import Attribute
    from store.database import Database

#: What a verdict writes into a receipt, and which one it is.
_FINISHED: Final[dict[str, TypeEngine[Any]]] = {
    "run_id": Integer(),
    "entra_id": String(),
    "outcome": String(),
    "finished_at": DateTime(timezone=True),
    "detail": String(),
    "not_found_reason": String(),
    "candidate_skolon_ids": String(),
    "skolon_id": String(),
    "skolon_version": String(),
    "changed": String(),
    "changes": String(),
    "skipped_attributes": String(),
    "identity_kept": String(),
    "altered_attributes": String(),
    "value_sources": String(),
    "kept_blanks": String(),
    "mapping_comparison": String(),
    "source_facts": String(),
    "marked": Boolean(),
    "eppn_digest": String(),
    "ssn_digest": String(),
    "mail_digest": String(),
    "eppn_has_number": Boolean(),
    "email_match": String(),
    "idp_identifier_match": String(),
    "verified_fingerprint": String(),
    "verified_at": DateTime(timezone=True),
}


@dataclass(frozen=True)
class _Finished:
    run_id: int
    entra_id: str
    result: SyncResult
    #: Not when it is written, which may be after a while: failures of other users are compared with it
    #: (`store.receipts.peer_progress`).
    finished_at: dt.datetime = field(default_factory=now)


@dataclass(frozen=True, kw_only=True)
class FinishedReceipt:
    """What became of a receipt; with `left_scope` a rule leaves out a user that was synced before."""

    left_scope: bool


class OutcomeWriter:
    """Gives open receipts their outcomes; may be shared by threads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._rows = BatchRows(_FINISHED, is_sqlite=database.is_sqlite)
        self._statement = _finish_statement(self._rows.table, is_sqlite=database.is_sqlite)
        self._finishing: Coalescer[None, _Finished, FinishedReceipt | None] = coalesced(self._write_batch)

    def finish(self, run_id: int, entra_id: str, result: SyncResult) -> FinishedReceipt | None:
        """Give a receipt its outcome; None if it has one already.

        Raises `CollisionError` when another user of the run has claimed the result's Skolon user.
        """
        try:
            return self._finishing.call(None, _Finished(run_id, entra_id, result))
        except IntegrityError:
            raise collision(self._database, run_id, result.skolon_id or "") from None

    def _write_batch(self, _: None, finished: Sequence[_Finished]) -> list[FinishedReceipt | None]:
        # Of a message that came twice in the same moment the first is as good as the other.
        firsts = {(one.run_id, one.entra_id): one for one in reversed(finished)}
        # In one order, so that two workers with the same messages do not lock each other out.
        rows = [_finished_row(firsts[person]) for person in sorted(firsts)]
        with self._database.statement() as connection:
            done = self._rows.execute(connection, self._statement, rows)
            settled = {(row.run_id, row.entra_id): FinishedReceipt(left_scope=row.left_scope) for row in done}
        return [
            settled.get((one.run_id, one.entra_id)) if firsts[one.run_id, one.entra_id] is one else None
            for one in finished
        ]


def _finished_row(finished: _Finished) -> dict[str, Any]:
    result = finished.result
    return {
        "run_id": finished.run_id,
        "entra_id": finished.entra_id,
        "outcome": str(result.outcome),
        "finished_at": finished.finished_at,
        "detail": to_stored(result.detail),
        "not_found_reason": result.not_found_reason and str(result.not_found_reason),
        "candidate_skolon_ids": json.dumps(result.candidates) if result.candidates else None,
        "skolon_id": result.skolon_id,
        "skolon_version": result.skolon_version,
        "changed": _names(result.changed),
        "changes": format_changes(result.change_kinds) if result.changed else None,
        "skipped_attributes": _names(result.skipped),
        "identity_kept": _names(result.identity_kept),
        "altered_attributes": _names(result.altered),
        "value_sources": result.value_sources,
        "kept_blanks": format_kept_blanks(result.kept_blanks),
        "mapping_comparison": result.mapping_comparison,
        "source_facts": result.source_facts,
        "marked": result.digests is not None,
        "eppn_digest": result.digests and result.digests.eppn,
        "ssn_digest": result.digests and result.digests.ssn,
        "mail_digest": result.digests and result.digests.mail,
        "eppn_has_number": result.eppn_has_number,
        "email_match": result.sign_in and result.sign_in.email,
        "idp_identifier_match": result.sign_in and result.sign_in.idp_identifier,
        "verified_fingerprint": result.verification and result.verification.fingerprint,
        "verified_at": result.verification and (result.verification.verified_at or now()),
    }


def _names(attributes: Collection[Attribute]) -> str | None:
    return json.dumps(sorted(map(str, attributes))) if attributes else None


def _finish_statement(given: FromClause, *, is_sqlite: bool) -> Executable:
    """Return what gives open receipts their outcome and returns them."""
    receipts = tables.receipts
    as_json: Any = type_coerce if is_sqlite else cast
    values: dict[Any, Any] = {
        # Another delivery has claimed the Skolon user, and what was found right was written by it.
        "outcome": case(
            (
                and_(given.c.outcome == Outcome.UNCHANGED, receipts.c.claimed_at.is_not(None)),
                literal(Outcome.UPDATED),
            ),
            else_=given.c.outcome,
        ),
        "detail": given.c.detail,
        "not_found_reason": given.c.not_found_reason,
        "candidate_skolon_ids": as_json(given.c.candidate_skolon_ids, JSON(none_as_null=True)),
        "left_scope": _leaves_scope(given),
        "finished_at": given.c.finished_at,
        "skolon_id": func.coalesce(given.c.skolon_id, receipts.c.skolon_id),
        # Since this run wrote to it, another source may have: an undo must not take the version for ours.
        "skolon_version": case(
            (
                or_(given.c.changed.is_not(None), receipts.c.claimed_at.is_(None)),
                given.c.skolon_version,
            ),
            else_=null(),
        ),
        # What a claim of this user has noted, in this delivery or an earlier one, holds good.
        "changed": func.coalesce(receipts.c.changed, as_json(given.c.changed, JSON())),
        "changes": func.coalesce(receipts.c.changes, given.c.changes),
        "skipped_attributes": func.coalesce(
            as_json(given.c.skipped_attributes, JSON()), receipts.c.skipped_attributes
        ),
        "identity_kept": as_json(given.c.identity_kept, JSON(none_as_null=True)),
        "altered_attributes": as_json(given.c.altered_attributes, JSON(none_as_null=True)),
        "value_sources": given.c.value_sources,
        "kept_blanks": given.c.kept_blanks,
        "mapping_comparison": given.c.mapping_comparison,
        "source_facts": given.c.source_facts,
        "eppn_digest": case((given.c.marked, given.c.eppn_digest), else_=receipts.c.eppn_digest),
        "ssn_digest": case((given.c.marked, given.c.ssn_digest), else_=receipts.c.ssn_digest),
        "mail_digest": case((given.c.marked, given.c.mail_digest), else_=receipts.c.mail_digest),
        "eppn_has_number": case((given.c.marked, given.c.eppn_has_number), else_=receipts.c.eppn_has_number),
        "email_match": given.c.email_match,
        "idp_identifier_match": given.c.idp_identifier_match,
        "verified_fingerprint": given.c.verified_fingerprint,
        "verified_at": given.c.verified_at,
        # Of the dead letter that it was, if it was replayed.
        "reason": None,
        "stage": None,
        "attempts": None,
        "holder_entra_id": None,
        "contested_skolon_id": None,
        "contested_attribute": None,
        "unwritten_attributes": null(),
        "holder_tenant": None,
        "replaying": False,
    }
    return (
        update(receipts)
        .where(
            receipts.c.run_id == given.c.run_id,
            receipts.c.entra_id == given.c.entra_id,
            tables.awaits_outcome(receipts),
        )
        .values(values)
        .returning(receipts.c.run_id, receipts.c.entra_id, receipts.c.left_scope)
    )


def _leaves_scope(given: FromClause) -> ColumnElement[bool]:
    """Say whether a rule leaves out a user whose last telling outcome was that it is synced.

    The outcomes of a halted or cancelled run do not tell. A run that the guard has halted leaves users out,
    and they count again until an operator lets it through, in a preview too. Other outcomes cost no lookup.
    """
    receipts, earlier = tables.receipts, tables.receipts.alias()
    runs, this = tables.runs.alias(), tables.runs.alias()
    last_outcome = (
        select(earlier.c.outcome)
        .join(runs, runs.c.id == earlier.c.run_id)
        .join(this, this.c.id == receipts.c.run_id)
        .where(
            earlier.c.tenant_id == receipts.c.tenant_id,
            earlier.c.entra_id == receipts.c.entra_id,
            earlier.c.run_id < receipts.c.run_id,
            earlier.c.outcome.in_((*VERIFYING_OUTCOMES, Outcome.OUT_OF_SCOPE)),
            ~runs.c.dry_run,
            runs.c.mode != Mode.UNDO,
            this.c.mode != Mode.UNDO,
            runs.c.status.not_in((Status.HALTED, Status.CANCELLED)),
        )
        .order_by(earlier.c.run_id.desc())
        .limit(1)
        .correlate(receipts)
        .scalar_subquery()
    )
    by_rule = and_(given.c.outcome == Outcome.OUT_OF_SCOPE, given.c.not_found_reason.is_(None))
    return case((by_rule, func.coalesce(last_outcome.in_(VERIFYING_OUTCOMES), false())), else_=false())
