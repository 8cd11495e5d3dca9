"""The tables of decisions about matches, and of undos that wait for one, as the migration makes them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.migrations.foreign_keys import belongs_to


def create_decision_tables() -> None:
    """Create the tables of decisions; those of tenants are there."""
    op.create_table(
        "failed_undos",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("entra_id", sa.String(length=100), nullable=False),
        sa.Column("run_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("undo_run_id", sa.Integer(), nullable=False),
        sa.Column("skolon_id", sa.String(length=255), nullable=True),
        sa.Column("failed_at", sa.DateTime(timezone=True), nullable=False),
        belongs_to("failed_undos", "tenant_id", "tenants"),
        sa.PrimaryKeyConstraint("tenant_id", "entra_id", "run_id", name=op.f("pk_failed_undos")),
    )
    op.create_table(
        "match_decisions",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("entra_id", sa.String(length=100), nullable=True),
        sa.Column("skolon_id", sa.String(length=255), nullable=True),
        sa.Column("operator", sa.String(length=100), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("affected_entra_ids", sa.JSON(), nullable=False),
        belongs_to("match_decisions", "tenant_id", "tenants"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_match_decisions")),
        sa.UniqueConstraint("tenant_id", "entra_id", name=op.f("uq_match_decisions_tenant_id_entra_id")),
        sa.UniqueConstraint("tenant_id", "skolon_id", name=op.f("uq_match_decisions_tenant_id_skolon_id")),
    )
