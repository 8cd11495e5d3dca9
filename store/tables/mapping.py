"""The tables of the attribute mapping: drafts of it, and the changes of the active one."""

from __future__ import annotations

from sqlalchemy import JSON, Column, ForeignKey, Index, Integer, String, Table

from store.tables.columns import metadata, timestamp

# No foreign keys to members and tokens: what they did outlives them.
mapping_drafts = Table(
    "mapping_drafts",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("tenant_id", Integer, ForeignKey("tenants.id", ondelete="CASCADE"), nullable=False),
    Column("sources", JSON, nullable=False),
    # The active mapping that it was drafted beside: so it is known what changed there since.
    Column("base", JSON, nullable=False),
    # Attributes that need no second person any more once it is active.
    Column("releases", JSON, nullable=False),
    Column("version", Integer, nullable=False),
    # The key of the form that changed it last: sent twice, it changes it once.
    Column("edit_key", String(100)),
    timestamp("created"),
    Column("created_by_member", Integer),
    Column("created_by_token", Integer),
    timestamp("updated"),
    Column("updated_by_member", Integer),
    Column("updated_by_token", Integer),
    # The event of the last dry run with it, and the version that it was made for.
    Column("forecast_event", String(200)),
    Column("forecast_version", Integer),
    # The numbers of the members who have worked on it, and who else has approved which version beside which
    # active mapping.
    Column("authors", JSON, nullable=False),
    timestamp("approved", nullable=True),
    Column("approved_by_member", Integer),
    Column("approved_version", Integer),
    Column("approved_beside", String(16)),
    # When it became the active mapping.
    timestamp("activated", nullable=True),
    Column("activated_by_member", Integer),
    Column("activated_by_token", Integer),
    Index("ix_mapping_drafts_tenant_id", "tenant_id"),
    # Its address is discussed: an id is never given again.
    sqlite_autoincrement=True,
)

mapping_changes = Table(
    "mapping_changes",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("tenant_id", Integer, ForeignKey("tenants.id", ondelete="CASCADE"), nullable=False),
    Column("before", JSON, nullable=False),
    Column("after", JSON, nullable=False),
    timestamp("at"),
    Column("member_id", Integer),
    Column("token_id", Integer),
    # Which user of the machine used a command.
    Column("operator", String(100)),
    # The second person, of a draft that needed one.
    Column("approved_by_member", Integer),
    Index("ix_mapping_changes_tenant_id", "tenant_id"),
    sqlite_autoincrement=True,
)
