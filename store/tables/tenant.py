"""The tables of a tenant: itself, its delta link, and what is known about matches, users and Skolon."""

from __future__ import annotations

from sqlalchemy import JSON, Column, ForeignKey, Index, Integer, String, Table, Text, UniqueConstraint

from store.tables.columns import ENCRYPTED, metadata, timestamp

tenants = Table(
    "tenants",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("key", String(63), nullable=False, unique=True),
    Column("settings", JSON, nullable=False, info=ENCRYPTED),
    Column("client_secret", Text, nullable=False, info=ENCRYPTED),
    Column("version", Integer, nullable=False),
    timestamp("created"),
    timestamp("updated"),
    # When the client secret was last set, and by which user of the machine; without the time there is none.
    timestamp("client_secret_set", nullable=True),
    Column("client_secret_set_by", String(100)),
    # When a test of the connection was last right, if it has not been changed since.
    timestamp("connection_proven", nullable=True),
    # When it was last enabled or its schedule changed, if that was after it was created.
    timestamp("schedule_active_since", nullable=True),
    # The last due time that was triggered by itself, and when; without the latter no answer is awaited.
    timestamp("schedule_last_due", nullable=True),
    timestamp("schedule_published", nullable=True),
    # Until when no scheduled run starts, since when, why, and who said so; an end that has passed is kept.
    timestamp("schedule_paused_until", nullable=True),
    timestamp("schedule_paused_since", nullable=True),
    Column("schedule_pause_reason", Text, info=ENCRYPTED),
    Column("schedule_paused_by", String(100)),
    # One that is added again is another one, also for what remembers the former.
    sqlite_autoincrement=True,
)

delta_links = Table(
    "delta_links",
    metadata,
    Column("tenant_id", Integer, ForeignKey("tenants.id", ondelete="CASCADE"), primary_key=True),
    Column("mapping_fingerprint", String(64), nullable=False),
    Column("link", Text, nullable=False),
    # The run that left it. No foreign key: the link outlives the run's books.
    Column("run_id", Integer, nullable=False),
    timestamp("saved"),
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
    timestamp("decided_at"),
    # The Entra users whose match it was about when it was made: those that waited, and the one that it names.
    Column("affected_entra_ids", JSON, nullable=False),
    UniqueConstraint("tenant_id", "entra_id"),
    UniqueConstraint("tenant_id", "skolon_id"),
)

# Undos that failed for a user, by the run that was to be undone: the user is not synced before a person has
# decided (schemas/tenants/match_decision.py). No foreign keys: it outlives the runs' results.
failed_undos = Table(
    "failed_undos",
    metadata,
    Column("tenant_id", Integer, ForeignKey("tenants.id", ondelete="CASCADE"), primary_key=True),
    Column("entra_id", String(100), primary_key=True),
    Column("run_id", Integer, primary_key=True, autoincrement=False),
    Column("undo_run_id", Integer, nullable=False),
    Column("skolon_id", String(255)),
    timestamp("failed_at"),
)

# Users that the last run that had them could not bring up to date (store/runs/unresolved_users.py).
unresolved_users = Table(
    "unresolved_users",
    metadata,
    Column("tenant_id", Integer, ForeignKey("tenants.id", ondelete="CASCADE"), primary_key=True),
    Column("entra_id", String(100), primary_key=True),
    # When a run that had the user was complete.
    timestamp("tried_at"),
    Index("ix_unresolved_users_tried_at", "tenant_id", "tried_at", "entra_id"),
)

# What was found out about the server of each organisation in Skolon, by its base URL. The names and values
# are those of `clients/skolon/server/capabilities.py`.
skolon_capabilities = Table(
    "skolon_capabilities",
    metadata,
    Column("server", Text, primary_key=True),
    Column("organisation", Text, primary_key=True),
    Column("name", String(40), primary_key=True),
    Column("value", JSON, nullable=False),
    timestamp("found_at"),
)
