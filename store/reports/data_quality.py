"""The report over a tenant's last complete run of all users, out of its receipts."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import and_, exists, func, or_, select

from schemas.dead_letter_reasons import Reason
from schemas.details.detail import from_stored
from schemas.outcomes import NotFoundReason, Outcome
from schemas.reports.data_quality import (
    CollisionFindings,
    DataQualityReport,
    FailedFindings,
    LeftUsers,
    SharedValues,
    UserFindings,
    UserPairs,
)
from schemas.reports.sign_in import SignInFindings, ValueMatches
from schemas.runs.sign_in import SignInMatch, ValueMatch
from store import tables
from store.receipts.collisions import collision_of
from store.reports.users import full_run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Column, ColumnElement, Connection, FromClause, Row

    from schemas.runs.run import RunSummary
    from store.database import Database
    from store.report_cache import ReportCache
    from store.runs.runs import Runs

#: What the report shows of a receipt.
_COLUMNS: Final = tuple(
    tables.receipts.c[name]
    for name in (
        "entra_id",
        "reason",
        "detail",
        "holder_entra_id",
        "contested_skolon_id",
        "holder_tenant",
        "contested_attribute",
    )
)


class DataQualityReports:
    """Makes reports; may be shared by threads."""

    def __init__(self, database: Database, runs: Runs, cache: ReportCache) -> None:
        self._database = database
        self._cache = cache
        self._runs = runs

    def last(self, tenant: str, limit: int) -> DataQualityReport | None:
        """Return the report with `limit` users of each kind at most, None without a complete full run."""
        with self._database.transaction() as connection:
            tenant_id = connection.scalar(select(tables.tenants.c.id).where(tables.tenants.c.key == tenant))
            run = full_run(connection, tenant_id)
            if tenant_id is None or run is None:
                return None
        summary = self._runs.summary(run)
        with self._database.transaction() as connection:
            self._database.prefer_indexes(connection)
            return self._cache.of_tenant(
                connection,
                ("data_quality", run, limit),
                tenant_id,
                lambda: _report(_ReceiptQuery(connection, run, limit), summary, tenant_id),
            )


def _report(query: _ReceiptQuery, summary: RunSummary, tenant_id: int) -> DataQualityReport:
    receipts = tables.receipts
    is_not_found = receipts.c.outcome == Outcome.NOT_FOUND
    reason = receipts.c.not_found_reason
    earlier = full_run(query.connection, tenant_id, before=query.run)
    return DataQualityReport(
        run=summary,
        collisions=query.collisions(),
        same_eppn=query.shared_values(receipts.c.eppn_digest),
        same_number=query.shared_values(receipts.c.ssn_digest),
        eppn_is_mail=query.mails_of_others(),
        eppn_moved=query.moved_eppns(earlier),
        eppn_has_number=query.users(receipts.c.eppn_has_number),
        sign_in=query.sign_in(),
        no_match_key=query.users(and_(is_not_found, reason == NotFoundReason.NO_MATCH_KEY)),
        not_found=query.users(and_(is_not_found, reason.is_distinct_from(NotFoundReason.NO_MATCH_KEY))),
        left_entra=query.left_users(earlier),
        ambiguous=query.users(receipts.c.reason == Reason.AMBIGUOUS_MATCH),
        failed=query.failed(),
    )


@dataclass(frozen=True)
class _ReceiptQuery:
    """Asks for receipts of one run in one transaction, for `limit` of each kind at most."""

    connection: Connection
    run: int
    limit: int

    def users(self, condition: ColumnElement[bool]) -> UserFindings:
        """Return the users whose receipts meet a condition."""
        count, rows = self._first(condition)
        return UserFindings(count=count, users=[(row.entra_id, from_stored(row.detail)) for row in rows])

    def failed(self) -> FailedFindings:
        """Return the users whose update failed, for whatever reason."""
        count, rows = self._first(tables.receipts.c.outcome == Outcome.DEAD_LETTERED)
        users = [(row.entra_id, Reason(row.reason), from_stored(row.detail)) for row in rows]
        return FailedFindings(count=count, users=users)

    def collisions(self) -> CollisionFindings:
        """Return who claims a Skolon user that another Entra user keeps."""
        count, rows = self._first(tables.receipts.c.reason == Reason.COLLISION)
        told = [(row.entra_id, found) for row in rows if (found := collision_of(row)) is not None]
        return CollisionFindings(count=count, users=told)

    def shared_values(self, digest: Column[Any]) -> SharedValues:
        """Return the values that several users have, by a column of digests."""
        receipts = tables.receipts
        several = (
            select(digest.label("digest"))
            .where(self._is_of_run, digest.is_not(None))
            .group_by(digest)
            .having(func.count() > 1)
        )
        count = self.connection.scalar(select(func.count()).select_from(several.subquery())) or 0
        # By digest, which is by chance: the limit leaves out no one user rather than another.
        first = several.order_by(digest).limit(self.limit).subquery()
        query = (
            select(digest, receipts.c.entra_id)
            .join(first, first.c.digest == digest)
            .where(self._is_of_run)
            .order_by(receipts.c.entra_id)
        )
        groups: dict[str, list[str]] = {}
        for found, entra_id in self.connection.execute(query):
            groups.setdefault(found, []).append(entra_id)
        return SharedValues(count=count, groups=list(groups.values()))

    def mails_of_others(self) -> UserPairs:
        """Return the users whose EPPN is the mail of another user."""
        receipts, other = tables.receipts, tables.receipts.alias()
        return self._pairs(other, other.c.run_id == self.run, receipts.c.eppn_digest == other.c.mail_digest)

    def moved_eppns(self, earlier: int | None) -> UserPairs:
        """Return the users whose EPPN another user had in an `earlier` run, and they themselves had not."""
        receipts, other, own = tables.receipts, tables.receipts.alias(), tables.receipts.alias()
        had_it = exists().where(
            own.c.run_id == earlier,
            own.c.entra_id == receipts.c.entra_id,
            own.c.eppn_digest == receipts.c.eppn_digest,
        )
        return self._pairs(
            other,
            other.c.run_id == earlier,
            receipts.c.eppn_digest == other.c.eppn_digest,
            ~had_it.correlate(receipts),
        )

    def left_users(self, earlier: int | None) -> LeftUsers:
        """Return the users of an `earlier` run, with their Skolon users, of which this run has neither.

        A Skolon user that another Entra user is now has not lost its own.
        """
        before, same, successor = (tables.receipts.alias() for _ in range(3))
        left = select(before.c.entra_id, before.c.skolon_id).where(
            before.c.run_id == earlier,
            before.c.outcome.in_((Outcome.UPDATED, Outcome.UNCHANGED)),
            before.c.skolon_id.is_not(None),
            ~exists().where(same.c.run_id == self.run, same.c.entra_id == before.c.entra_id),
            ~exists().where(successor.c.run_id == self.run, successor.c.skolon_id == before.c.skolon_id),
        )
        count = self.connection.scalar(select(func.count()).select_from(left.subquery())) or 0
        rows = self.connection.execute(left.order_by(before.c.entra_id).limit(self.limit))
        return LeftUsers(count=count, users=[(row.entra_id, row.skolon_id) for row in rows])

    def sign_in(self) -> SignInFindings:
        """Return how the users' values for sign-in compare."""
        receipts = tables.receipts
        matches = receipts.c.email_match, receipts.c.idp_identifier_match
        rows = self.connection.execute(
            select(*matches, func.count().label("users"))
            .where(self._is_of_run, or_(*(match.is_not(None) for match in matches)))
            .group_by(*matches)
        ).all()
        email, idp_identifier = Counter[ValueMatch](), Counter[ValueMatch]()
        locked_out = 0
        for row in rows:
            match = _sign_in_match(row)
            if match.email is not None:
                email[match.email] += row.users
            if match.idp_identifier is not None:
                idp_identifier[match.idp_identifier] += row.users
            locked_out += row.users if _is_locked_out(match) else 0
        query = (
            select(receipts.c.entra_id, *matches)
            .where(self._is_of_run, or_(*(match != ValueMatch.EXACT for match in matches)))
            .order_by(receipts.c.entra_id)
            .limit(self.limit)
        )
        users = [(row.entra_id, _sign_in_match(row)) for row in self.connection.execute(query).all()]
        return SignInFindings(
            email=ValueMatches(counts=email),
            idp_identifier=ValueMatches(counts=idp_identifier),
            locked_out=locked_out,
            users=users,
            not_judged=self._not_judged(),
        )

    def _not_judged(self) -> dict[Outcome | Reason, int]:
        """Return how many users have no value for sign-in compared, by reason, or by outcome without one."""
        receipts = tables.receipts
        query = (
            select(receipts.c.outcome, receipts.c.reason, func.count().label("users"))
            .where(
                self._is_of_run, receipts.c.email_match.is_(None), receipts.c.idp_identifier_match.is_(None)
            )
            .group_by(receipts.c.outcome, receipts.c.reason)
        )
        return {
            Outcome(row.outcome) if row.reason is None else Reason(row.reason): row.users
            for row in self.connection.execute(query)
        }

    def _pairs(self, other: FromClause, *conditions: ColumnElement[bool]) -> UserPairs:
        """Return the users for which there is another one, and the first other one of each."""
        receipts = tables.receipts
        chosen = and_(self._is_of_run, receipts.c.entra_id != other.c.entra_id, *conditions)
        users = (
            select(receipts.c.entra_id, func.min(other.c.entra_id).label("other"))
            .select_from(receipts.join(other, chosen))
            .group_by(receipts.c.entra_id)
        )
        count = self.connection.scalar(select(func.count()).select_from(users.subquery())) or 0
        rows = self.connection.execute(users.order_by(receipts.c.entra_id).limit(self.limit))
        return UserPairs(count=count, users=[(row.entra_id, row.other) for row in rows])

    def _first(self, condition: ColumnElement[bool]) -> tuple[int, Sequence[Row[Any]]]:
        """Return how many receipts meet a condition, and the first of them."""
        receipts = tables.receipts
        chosen = and_(self._is_of_run, condition)
        count = self.connection.scalar(select(func.count()).select_from(receipts).where(chosen)) or 0
        query = select(*_COLUMNS).where(chosen).order_by(receipts.c.entra_id).limit(self.limit)
        return count, self.connection.execute(query).all()

    @property
    def _is_of_run(self) -> ColumnElement[bool]:
        return tables.receipts.c.run_id == self.run


def _sign_in_match(row: Any) -> SignInMatch:
    return SignInMatch(
        email=row.email_match and ValueMatch(row.email_match),
        idp_identifier=row.idp_identifier_match and ValueMatch(row.idp_identifier_match),
    )


def _is_locked_out(match: SignInMatch) -> bool:
    return any(each not in (None, ValueMatch.EXACT) for each in (match.email, match.idp_identifier))
