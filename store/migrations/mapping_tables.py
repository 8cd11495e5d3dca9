"""The tables of the attribute mapping, as the migration makes them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.migrations.foreign_keys import belongs_to


def create_mapping_tables() -> None:
    """Create the tables of the mapping; that of tenants is there."""
    op.create_table(
        "mapping_drafts",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("sources", sa.JSON(), nullable=False),
        sa.Column("base", sa.JSON(), nullable=False),
        sa.Column("releases", sa.JSON(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("edit_key", sa.String(length=100), nullable=True),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_member", sa.Integer(), nullable=True),
        sa.Column("created_by_token", sa.Integer(), nullable=True),
        sa.Column("updated", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_by_member", sa.Integer(), nullable=True),
        sa.Column("updated_by_token", sa.Integer(), nullable=True),
        sa.Column("forecast_event", sa.String(length=200), nullable=True),
        sa.Column("forecast_version", sa.Integer(), nullable=True),
        sa.Column("authors", sa.JSON(), nullable=False),
        sa.Column("approved", sa.DateTime(timezone=True), nullable=True),
        sa.Column("approved_by_member", sa.Integer(), nullable=True),
        sa.Column("approved_version", sa.Integer(), nullable=True),
        sa.Column("approved_beside", sa.String(length=16), nullable=True),
        sa.Column("activated", sa.DateTime(timezone=True), nullable=True),
        sa.Column("activated_by_member", sa.Integer(), nullable=True),
        sa.Column("activated_by_token", sa.Integer(), nullable=True),
        belongs_to("mapping_drafts", "tenant_id", "tenants"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mapping_drafts")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_mapping_drafts_tenant_id", "mapping_drafts", ["tenant_id"], unique=False)
    op.create_table(
        "mapping_changes",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("before", sa.JSON(), nullable=False),
        sa.Column("after", sa.JSON(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=True),
        sa.Column("token_id", sa.Integer(), nullable=True),
        sa.Column("operator", sa.String(length=100), nullable=True),
        sa.Column("approved_by_member", sa.Integer(), nullable=True),
        belongs_to("mapping_changes", "tenant_id", "tenants"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mapping_changes")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_mapping_changes_tenant_id", "mapping_changes", ["tenant_id"], unique=False)
