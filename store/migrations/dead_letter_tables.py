"""The tables of what members do with dead letters, as the migration makes them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from store.migrations.foreign_keys import belongs_to
from store.migrations.partial_indexes import create_partial_index


def create_dead_letter_tables() -> None:
    """Create the tables; those of tenants are there."""
    op.create_table(
        "dead_letter_tasks",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("action_key", sa.String(length=100), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("control", sa.String(length=10), nullable=False),
        sa.Column("selection", sa.JSON(), nullable=False),
        sa.Column("users", sa.Integer(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("member_id", sa.Integer(), nullable=True),
        sa.Column("token_id", sa.Integer(), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("cause", sa.String(length=40), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished", sa.DateTime(timezone=True), nullable=True),
        belongs_to("dead_letter_tasks", "tenant_id", "tenants"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dead_letter_tasks")),
        sa.UniqueConstraint(
            "tenant_id", "action_key", name=op.f("uq_dead_letter_tasks_tenant_id_action_key")
        ),
        sqlite_autoincrement=True,
    )
    create_partial_index(
        "ix_dead_letter_tasks_open",
        "dead_letter_tasks",
        ["kind", "id"],
        "status IN ('requested', 'running')",
    )
    op.create_table(
        "dead_letter_task_users",
        sa.Column("task_id", sa.Integer(), nullable=False),
        sa.Column("entra_id", sa.String(length=100), nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=True),
        sa.Column("reason", sa.String(length=40), nullable=True),
        sa.Column("obstacle", sa.String(length=20), nullable=True),
        belongs_to("dead_letter_task_users", "task_id", "dead_letter_tasks"),
        sa.PrimaryKeyConstraint("task_id", "entra_id", name=op.f("pk_dead_letter_task_users")),
    )
    op.create_table(
        "set_aside_groups",
        sa.Column("tenant_id", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("member_id", sa.Integer(), nullable=True),
        sa.Column("token_id", sa.Integer(), nullable=True),
        sa.Column("operator", sa.String(length=100), nullable=True),
        belongs_to("set_aside_groups", "tenant_id", "tenants"),
        sa.PrimaryKeyConstraint("tenant_id", "reason", name=op.f("pk_set_aside_groups")),
    )
