"""The tables. `store/migrations` makes them; a test holds the two together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    and_,
    cast,
    or_,
    text,
)

from schemas.outcomes import Mode, Outcome

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, FromClause

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
    }
)

#: Runs that keep another one of the same tenant from opening.
_IS_OPEN: Final = text("status IN ('reading', 'updating') AND settings_override IS NULL")
_PENDING: Final = text("outcome = 'pending'")
_CLAIMED: Final = text("skolon_id IS NOT NULL")
_REPLAYED: Final = text("operation_id IS NOT NULL")

#: Marks a column that holds encrypted values: as a text, or in JSON under the name `encrypted`. Key rotation
#: (`store/encryption/encrypted_values.py`) finds every encrypted value by this mark.
_ENCRYPTED: Final = {"encrypted": True}


def _timestamp(name: str, *, nullable: bool = False) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=nullable)


tenants = Table(
    "tenants",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("key", String(63), nullable=False, unique=True),
    Column("settings", JSON, nullable=False, info=_ENCRYPTED),
    Column("client_secret", Text, nullable=False, info=_ENCRYPTED),
    Column("version", Integer, nullable=False),
    _timestamp("created"),
    _timestamp("updated"),
    # When it was last enabled or its schedule changed, if that was after it was created.
    _timestamp("schedule_active_since", nullable=True),
    # The last due time that was triggered by itself, and when; without the latter no answer is awaited.
    _timestamp("schedule_last_due", nullable=True),
    _timestamp("schedule_published", nullable=True),
)

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
    # How many users the directory had, as Graph said when the run began.
    Column("directory_size", Integer),
    # The settings that the run tries, before they are saved; without them it goes by the tenant's.
    Column("settings_override", JSON(none_as_null=True), info=_ENCRYPTED),
    # An operator has let the run through, whatever the guard says.
    Column("guard_overridden", Boolean, nullable=False, server_default=text("false")),
    # The run that this one puts back. No foreign key: the undo outlives the other's books.
    Column("reverts_run_id", Integer),
    # Skolon is asked about all users, whatever receipts say.
    Column("recheck_all", Boolean, nullable=False, server_default=text("false")),
    # The dead letters that became stale by this run are out of their queue.
    Column("cleaned_up", Boolean, nullable=False, server_default=text("false")),
    _timestamp("started"),
    _timestamp("finished", nullable=True),
    Index("ix_runs_tenant_id", "tenant_id"),
    Index("uq_runs_open", "tenant_id", unique=True, postgresql_where=_IS_OPEN, sqlite_where=_IS_OPEN),
    sqlite_autoincrement=True,
)

triggers = Table(
    "triggers",
    metadata,
    Column("event_id", String(200), primary_key=True),
    Column("run_id", Integer, ForeignKey("runs.id", ondelete="CASCADE"), nullable=False),
    _timestamp("received"),
    Index("ix_triggers_run_id", "run_id"),
)

pages = Table(
    "pages",
    metadata,
    Column("run_id", Integer, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("attempt", Integer, primary_key=True),
    Column("number", Integer, primary_key=True),
    # SHA-256 of the link that led here; the first page has none.
    Column("link_hash", String(64)),
    Column("users", Integer),
    Column("done", Boolean, nullable=False),
    UniqueConstraint("run_id", "attempt", "link_hash"),
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
)

# How each run of all users reads Entra, and the delta link that it leaves behind once it is complete.
read_plans = Table(
    "read_plans",
    metadata,
    Column("run_id", Integer, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    # The fingerprint of what is selected, mapped and looked at.
    Column("mapping_fingerprint", String(64), nullable=False),
    # The link from which a delta goes on; without one all users are read.
    Column("start_link", Text),
    # The attempt from which on the whole list is read, because Graph no longer takes that link.
    Column("list_from_attempt", Integer),
    Column("end_link", Text),
    Column("keeps_delta_link", Boolean, nullable=False),
)

delta_links = Table(
    "delta_links",
    metadata,
    Column("tenant_id", Integer, ForeignKey("tenants.id", ondelete="CASCADE"), primary_key=True),
    Column("mapping_fingerprint", String(64), nullable=False),
    Column("link", Text, nullable=False),
    # The run that left it. No foreign key: the link outlives the run's books.
    Column("run_id", Integer, nullable=False),
    _timestamp("saved"),
)

# What administrators decided about matches (schemas/tenants/match_decision.py): at most one decision about
# each user. A link names both users; an ignored one stands alone.
match_decisions = Table(
    "match_decisions",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("tenant_id", Integer, ForeignKey("tenants.id", ondelete="CASCADE"), nullable=False),
    Column("kind", String(10), nullable=False),
    Column("entra_id", String(100)),
    Column("skolon_id", String(255)),
    Column("operator", String(100)),
    _timestamp("decided_at"),
    UniqueConstraint("tenant_id", "entra_id"),
    UniqueConstraint("tenant_id", "skolon_id"),
)

# What was found out about the server of each organisation in Skolon, by its base URL. The names and values
# are those of `clients/skolon/capabilities.py`.
skolon_capabilities = Table(
    "skolon_capabilities",
    metadata,
    Column("server", Text, primary_key=True),
    Column("organisation", Text, primary_key=True),
    Column("name", String(40), primary_key=True),
    Column("value", JSON, nullable=False),
    _timestamp("found_at"),
)

# Users that the last run that had them could not bring up to date (store/runs/unresolved_users.py).
unresolved_users = Table(
    "unresolved_users",
    metadata,
    Column("tenant_id", Integer, ForeignKey("tenants.id", ondelete="CASCADE"), primary_key=True),
    Column("entra_id", String(100), primary_key=True),
    # When a run that had the user was complete.
    _timestamp("tried_at"),
    Index("ix_unresolved_users_tried_at", "tenant_id", "tried_at", "entra_id"),
)

# What operators do with dead letters, and decide about matches: who did what, when, to how many.
operations = Table(
    "operations",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("kind", String(10), nullable=False),
    Column("operator", String(100)),
    # Which dead letters were chosen: the options of the command.
    Column("selection", JSON, nullable=False),
    Column("original_payload", Boolean, nullable=False),
    Column("status", String(20), nullable=False),
    Column("counts", JSON, nullable=False),
    Column("detail", Text),
    _timestamp("started"),
    _timestamp("finished", nullable=True),
    # A number is never given again: messages on their way name it.
    sqlite_autoincrement=True,
)

receipts = Table(
    "receipts",
    metadata,
    Column("run_id", Integer, ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("entra_id", String(100), primary_key=True),
    Column("tenant_id", Integer, ForeignKey("tenants.id", ondelete="CASCADE"), nullable=False),
    Column("outcome", String(20), nullable=False),
    Column("reason", String(40)),
    Column("stage", String(20)),
    Column("detail", Text),
    Column("not_found_reason", String(40)),
    # Of a collision: the Entra user that keeps the Skolon user, which may be none of this run. Of a value
    # that is taken: the attribute, the Skolon user that has the value, and this one's Entra user.
    Column("holder_entra_id", String(100)),
    Column("contested_skolon_id", String(255)),
    # The tenant of that Entra user, if it is another one with the same organisation.
    Column("holder_tenant", String(63)),
    # The Skolon users that a match found and did not take; missing when there are none.
    Column("candidate_skolon_ids", JSON(none_as_null=True)),
    Column("contested_attribute", String(20)),
    Column("attempts", Integer),
    Column("skolon_id", String(255)),
    Column("skolon_version", String(255)),
    Column("changed", JSON),
    # How: each attribute that changed with what was done to it (`schemas/runs/changes.py`).
    Column("changes", Text),
    # Sealed: the values from before, and traces of what was written (schemas/runs/before_image.py).
    Column("before_image", Text, info=_ENCRYPTED),
    # Traces of the EPPN, the personal number and Entra's mail (schemas/runs/identity_digests.py), to find
    # equal ones by; and whether the EPPN has a personal number in it.
    Column("eppn_digest", String(32)),
    Column("ssn_digest", String(32)),
    Column("mail_digest", String(32)),
    Column("eppn_has_number", Boolean),
    # How Skolon's values compare with Entra's to the letter (schemas/runs/sign_in.py).
    Column("email_match", String(20)),
    Column("idp_identifier_match", String(20)),
    # Attributes that an undo has not put back, because they changed since; missing when there are none.
    Column("skipped_attributes", JSON),
    # Attributes that a dead letter has not written while the others were; missing when there are none.
    Column("unwritten_attributes", JSON),
    # Attributes that keep their value, because an earlier source of theirs went blank; missing for none.
    Column("identity_kept", JSON),
    # Attributes that Skolon does not show as they were written; missing when there are none.
    Column("altered_attributes", JSON),
    # Which values come from a later source than their attribute's first; missing when nothing was compared.
    Column("later_sources", String(200)),
    # The outcome that a user would have had that the guard blocked.
    Column("forecast_outcome", String(20)),
    Column("forecast_reason", String(40)),
    Column("forecast_changes", Text),
    # Of a preview: how its settings and the saved ones map the user.
    Column("mapping_comparison", Text),
    # Keyed digest of the values that were verified (schemas/runs/verification.py), and when Skolon was asked.
    Column("verified_fingerprint", String(32)),
    _timestamp("verified_at", nullable=True),
    _timestamp("claimed_at", nullable=True),
    _timestamp("published_at"),
    _timestamp("finished_at", nullable=True),
    # A delta run read the user again, though Graph told of no change.
    Column("read_again", Boolean, nullable=False, server_default=text("false")),
    # The replay that was the last to take this user up, and whether its outcome is still awaited.
    Column("operation_id", Integer, ForeignKey("operations.id")),
    Column("replaying", Boolean, nullable=False, server_default=text("false")),
    Index("ix_receipts_user", "tenant_id", "entra_id", "run_id"),
    # A Skolon user is claimed by one Entra user of a run: the second one is a collision.
    Index(
        "uq_receipts_claim",
        "run_id",
        "skolon_id",
        unique=True,
        postgresql_where=_CLAIMED,
        sqlite_where=_CLAIMED,
    ),
    Index("ix_receipts_pending", "run_id", postgresql_where=_PENDING, sqlite_where=_PENDING),
    Index("ix_receipts_operation_id", "operation_id", postgresql_where=_REPLAYED, sqlite_where=_REPLAYED),
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
    # Missing when it waits until an older run is done with the user.
    Column("service", String(20)),
    _timestamp("since"),
    _timestamp("reported"),
    _timestamp("next_try"),
    # The last failure; without one nothing was asked, since the service was known to be away.
    _timestamp("failed_at", nullable=True),
    Column("status", Integer),
    Column("kind", String(20)),
)

#: All columns that hold what is sealed.
ENCRYPTED_COLUMNS: Final = tuple(
    column for table in metadata.sorted_tables for column in table.columns if column.info.get("encrypted")
)


def is_full_scope(some_runs: FromClause) -> ColumnElement[bool]:
    """Say whether a run may change all users."""
    return and_(~some_runs.c.dry_run, cast(some_runs.c.users, Text) == "[]")


#: A run that may change all users; and such a one that reads Entra, which an undo does not.
IS_FULL_SCOPE: Final = is_full_scope(runs)
IS_FULL_SCOPE_SYNC: Final = and_(IS_FULL_SCOPE, runs.c.mode != Mode.UNDO)


def awaits_outcome(some_receipts: FromClause) -> ColumnElement[bool]:
    """Say whether a receipt awaits an outcome: it has none so far, or its dead letter is being replayed."""
    return or_(some_receipts.c.outcome == Outcome.PENDING, some_receipts.c.replaying)
