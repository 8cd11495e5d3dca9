"""The tables of a run: itself, what started it, and what is counted and told about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    and_,
    cast,
    text,
)

from schemas.outcomes import Mode, Status
from store.tables.columns import ENCRYPTED, metadata, timestamp

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, FromClause

#: Runs that keep another one of the same tenant from opening.
_IS_OPEN: Final = text("status IN ('reading', 'updating') AND settings_override IS NULL AND NOT is_quick")

runs = Table(
    "runs",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    # Random: after a database was lost the numbers begin anew, and this never repeats.
    Column("uid", String(32), nullable=False),
    Column("tenant_id", Integer, ForeignKey("tenants.id", ondelete="CASCADE"), nullable=False),
    Column("mode", String(10), nullable=False),
    Column("dry_run", Boolean, nullable=False),
    Column("users", JSON, nullable=False),
    Column("status", String(20), nullable=False),
    Column("cause", String(40)),
    Column("detail", Text),
    # Which attempt at reading the list this is, and the last one that is made.
    Column("attempt", Integer, nullable=False),
    Column("max_attempt", Integer, nullable=False),
    Column("listing_complete", Boolean, nullable=False),
    # The run has read the list of all users: a full run, or a delta run without a starting point.
    Column("read_all_users", Boolean, nullable=False, server_default=text("false")),
    # How many users the directory had, as Graph said when the run began.
    Column("directory_size", Integer),
    # The settings that the run tries, before they are saved; without them it goes by the tenant's.
    Column("settings_override", JSON(none_as_null=True), info=ENCRYPTED),
    # An operator has let the run through, whatever the guard says.
    Column("guard_overridden", Boolean, nullable=False, server_default=text("false")),
    # The run that this one puts back. No foreign key: the undo outlives the other's books.
    Column("reverts_run_id", Integer),
    # Skolon is asked about all users, whatever receipts say.
    Column("recheck_all", Boolean, nullable=False, server_default=text("false")),
    # It has a few named users, who go before those of other runs.
    Column("is_quick", Boolean, nullable=False, server_default=text("false")),
    # The dead letters that became stale by this run are out of their queue.
    Column("cleaned_up", Boolean, nullable=False, server_default=text("false")),
    timestamp("started"),
    timestamp("finished", nullable=True),
    Index("ix_runs_tenant_id", "tenant_id"),
    Index("uq_runs_open", "tenant_id", unique=True, postgresql_where=_IS_OPEN, sqlite_where=_IS_OPEN),
    sqlite_autoincrement=True,
)

triggers = Table(
    "triggers",
    metadata,
    Column("event_id", String(200), primary_key=True),
    Column("run_id", Integer, ForeignKey("runs.id", ondelete="CASCADE"), nullable=False),
    timestamp("received"),
    Index("ix_triggers_run_id", "run_id"),
)

# What the guard counts, spread over a few rows for each run.
guard_counts = Table(
    "guard_counts",
    metadata,
    Column("run_id", Integer, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("shard", Integer, primary_key=True),
    Column("changed", Integer, nullable=False),
    Column("identity_changed", Integer, nullable=False),
    Column("not_found", Integer, nullable=False),
    Column("failed", Integer, nullable=False),
    Column("left_scope", Integer, nullable=False),
)

# What became of those whose receipts of a run are removed: so the run's sums stay (promise P3).
pruned_counts = Table(
    "pruned_counts",
    metadata,
    Column("run_id", Integer, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("outcome", String(20), primary_key=True),
    # Empty for none: what belongs to a primary key cannot be missing.
    Column("reason", String(40), primary_key=True),
    Column("users", Integer, nullable=False),
    # Of them, those with an attribute that an undo had skipped.
    Column("skipped_attributes", Integer, nullable=False, server_default=text("0")),
)

# What a run tells that did not stop it, each kind once.
run_warnings = Table(
    "run_warnings",
    metadata,
    Column("run_id", Integer, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("kind", String(40), primary_key=True),
    Column("detail", Text, nullable=False),
    # Of how many users it warns, where that is what it does.
    Column("users", Integer),
)

# By which keys the messages of a run were sealed: the traces of the keys, not the keys.
run_keys = Table(
    "run_keys",
    metadata,
    Column("run_id", Integer, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("key_id", String(16), primary_key=True),
)

# What waits: a user of a run, or with an empty name its page. Who has come to an outcome waits no more,
# though the row stays until the run ends.
waits = Table(
    "waits",
    metadata,
    Column("run_id", Integer, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("entra_id", String(100), primary_key=True),
    # Missing when it waits until another run is done with the user.
    Column("service", String(20)),
    timestamp("since"),
    timestamp("reported"),
    timestamp("next_try"),
    # The last failure; without one nothing was asked, since the service was known to be away.
    timestamp("failed_at", nullable=True),
    Column("status", Integer),
    Column("kind", String(20)),
)


def is_full_scope(some_runs: FromClause) -> ColumnElement[bool]:
    """Say whether a run may change all users."""
    return and_(~some_runs.c.dry_run, cast(some_runs.c.users, Text) == "[]")


#: A run that may change all users; and such a one that reads Entra, which an undo does not.
IS_FULL_SCOPE: Final = is_full_scope(runs)
IS_FULL_SCOPE_SYNC: Final = and_(IS_FULL_SCOPE, runs.c.mode != Mode.UNDO)

#: A run that has given all users an outcome, and may have changed all: reports begin at the last one.
IS_COMPLETE_SYNC: Final = and_(IS_FULL_SCOPE_SYNC, runs.c.read_all_users, runs.c.status == Status.COMPLETED)
